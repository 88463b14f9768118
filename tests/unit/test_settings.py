"""Settings come from the environment once, and a bad value stops the process with a sentence that helps."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from folkmoot import settings as environment
from folkmoot.errors import SettingsError
from folkmoot.settings import load


def test_defaults_need_no_environment() -> None:
    """Without any variable the product starts on SQLite, a local Redis and the embedded roster."""
    settings = load()

    assert settings.database_url == "sqlite:///data/folkmoot.db"
    assert settings.redis == settings.broker_url == "redis://127.0.0.1:6379/0"
    assert settings.roster_path == Path("config/agents.embedded.yaml")
    assert (settings.deadline_s, settings.quorum, settings.heartbeat_s, settings.query_chars) == (60, 2, 10, 8000)
    assert settings.ask_share == pytest.approx(0.6)


def test_a_variable_sets_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`FOLKMOOT_DEADLINE_S` in the environment is `deadline_s` of the settings."""
    monkeypatch.setenv("FOLKMOOT_DEADLINE_S", "12.5")
    monkeypatch.setenv("FOLKMOOT_QUORUM", "3")

    assert (load().deadline_s, load().quorum) == (12.5, 3)


@pytest.mark.parametrize(
    ("setting", "other", "address"),
    [
        ("database_url", "sqlite:///else.db", "postgresql+psycopg2://a:secret@db/x"),
        ("broker_url", "redis://else/0", "amqp://a:secret@mq//"),
    ],
)
def test_an_address_comes_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, other: str, address: str
) -> None:
    """The file that FOLKMOOT_…_URL_FILE names holds the address and wins; one that is missing is told by name."""
    variable = f"FOLKMOOT_{setting.upper()}"
    file = tmp_path / setting
    file.write_text(f"{address}\n")
    monkeypatch.setenv("FOLKMOOT_REDIS_URL", "redis://127.0.0.1/0")
    monkeypatch.setenv(variable, other)
    monkeypatch.setenv(f"{variable}_FILE", str(file))

    assert getattr(load(), setting) == address

    file.unlink()
    with pytest.raises(SettingsError, match=rf"{variable}_FILE is .*must be a file that can be read"):
        load()


def test_variables_of_other_parts_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `FOLKMOOT_` variable that belongs to another part, such as the port of nginx, stops nothing."""
    monkeypatch.setenv("FOLKMOOT_PORT", "8090")
    monkeypatch.setenv("DEADLINE_S", "1")

    assert load().deadline_s == 60


@pytest.mark.parametrize(
    ("broker", "redis", "is_one"),
    [
        ("redis://a/1", "", True),
        ("redis://a/1", "redis://a/1", True),
        ("redis+socket:///run/a?virtual_host=2", "unix:///run/a?db=2", True),
        ("redis+socket:///run/a", "unix:///run/a?db=0", True),
        ("redis://a/1", "redis://a/2", False),
        ("redis+socket:///run/a?virtual_host=2", "unix:///run/b?db=2", False),
        ("amqp://a", "redis://a/1", False),
    ],
)
def test_one_redis_is_known_by_its_addresses(
    monkeypatch: pytest.MonkeyPatch, broker: str, redis: str, is_one: bool
) -> None:
    """Whether broker and events are one Redis, in either way of writing it."""
    monkeypatch.setenv("FOLKMOOT_BROKER_URL", broker)
    monkeypatch.setenv("FOLKMOOT_REDIS_URL", redis)

    assert load().has_one_redis is is_one


def test_settings_are_frozen() -> None:
    """Nobody changes a setting of a running process."""
    settings = load()

    with pytest.raises(ValidationError):
        settings.deadline_s = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER_URL", "redis://a/1;redis://b/1"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///?cache=shared"),
        ("DATABASE_URL", "sqlite:///:memory:?cache=shared"),
        ("DATABASE_URL", "sqlite:///file:else.db?uri=true"),
        ("DEADLINE_S", "soon"),
        ("DEADLINE_S", "0"),
        ("DEADLINE_S", "-1"),
        ("DEADLINE_S", "nan"),
        ("DEADLINE_S", "inf"),
        ("DEADLINE_S", "1e9"),
        ("ASK_SHARE", "0"),
        ("ASK_SHARE", "1"),
        ("ASK_SHARE", "60%"),
        ("QUORUM", "0"),
        ("QUORUM", "1.5"),
        ("QUORUM", "65"),
        ("QUERY_CHARS", "0"),
        ("ATTEMPTS", "0"),
        ("LEASE_S", "0"),
        ("SWEEP_S", "0"),
        ("EVENTS_TTL_S", "0"),
        ("WORKER_THREADS", "0"),
        ("GATEWAY_THREADS", "1"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FILE", "/none/gateway.log"),
        ("LOG_FILE", "/tmp"),
        ("SIGN_UP", "everybody"),
        ("ADMINS", "ada grace"),
        ("SIGN_IN_FAILURES", "-1"),
        ("SIGN_IN_WINDOW_S", "0"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "nan"),
        ("INCIDENTS_DAYS", "0"),
        ("DATABASE_URL", "mysql://127.0.0.1/folkmoot"),
        ("DATABASE_URL", "folkmoot.db"),
        ("TRACES_URL", "127.0.0.1:4318"),
        ("BROKER_URL", "kafka://127.0.0.1"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "redis+socket:///broker.sock"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad value stops the process at start, naming the variable and the value, in one line."""
    monkeypatch.setenv(f"FOLKMOOT_{name}", value)

    with pytest.raises(SettingsError) as refusal:
        load()
    assert str(refusal.value).startswith(f"FOLKMOOT_{name} is {value!r}: ")
    assert "\n" not in str(refusal.value)


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bad values make two sentences, so that nobody has to start twice to find both."""
    monkeypatch.setenv("FOLKMOOT_QUORUM", "many")
    monkeypatch.setenv("FOLKMOOT_LEASE_S", "-3")

    with pytest.raises(SettingsError) as refusal:
        load()
    assert sorted(line.split(" ")[0] for line in str(refusal.value).splitlines()) == [
        "FOLKMOOT_LEASE_S",
        "FOLKMOOT_QUORUM",
    ]


@pytest.mark.parametrize("hours", ["inf", "1e15"])
def test_a_session_without_end_is_refused(hours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session length that no date can hold stops the process at start, not at the first sign-in."""
    monkeypatch.setenv("FOLKMOOT_SESSION_HOURS", hours)

    with pytest.raises(SettingsError, match="FOLKMOOT_SESSION_HOURS"):
        load()


@pytest.mark.parametrize(
    ("broker", "redis"),
    [
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),
        ("rediss://:key@broker:6380/0", "rediss://:key@broker:6380/0"),
        ("redis+socket:///run/broker.sock?virtual_host=4", "unix:///run/broker.sock?db=4"),
        ("redis+socket:///run/broker.sock?virtual_host=0", "unix:///run/broker.sock?db=0"),
        ("redis+socket:///run/broker.sock", "unix:///run/broker.sock?db=0"),
    ],
)
def test_redis_is_the_broker_unless_named(broker: str, redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health and events live on the broker, in the words of the client that reaches it."""
    monkeypatch.setenv("FOLKMOOT_BROKER_URL", broker)

    assert load().redis == redis


def test_redis_may_live_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is named is used, whatever the broker is."""
    monkeypatch.setenv("FOLKMOOT_BROKER_URL", "amqp://127.0.0.1//")
    monkeypatch.setenv("FOLKMOOT_REDIS_URL", "unix:///run/other.sock?db=1")

    assert load().redis == "unix:///run/other.sock?db=1"


def test_another_broker_needs_a_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """RabbitMQ as broker without a Redis stops the process at start, naming what is missing."""
    monkeypatch.setenv("FOLKMOOT_BROKER_URL", "amqp://127.0.0.1//")

    with pytest.raises(SettingsError, match="FOLKMOOT_REDIS_URL must be set"):
        load()


def test_the_key_alone_switches_to_the_hosted_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OPENROUTER_API_KEY` switches the roster, an empty one does not, and a roster that is named wins."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "")
    assert load().roster_path == Path("config/agents.embedded.yaml")

    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-1")
    assert load().roster_path == Path("config/agents.openrouter.yaml")

    monkeypatch.setenv("FOLKMOOT_AGENTS_FILE", "my.yaml")
    assert load().roster_path == Path("my.yaml")


@pytest.mark.parametrize(
    "name", ["AGENTS_FILE", "REDIS_URL", "BROKER_URL", "DATABASE_URL", "DEADLINE_S", "LOG_LEVEL", "LOG_FILE"]
)
def test_an_empty_variable_means_its_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line of an environment file is no value: the default holds."""
    default = load()
    monkeypatch.setenv(f"FOLKMOOT_{name}", "")

    assert load() == default
    assert load().roster_path == default.roster_path


def test_an_empty_variable_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is set to nothing counts as not set."""
    monkeypatch.setenv("SOME_KEY", "")
    assert environment.variable("SOME_KEY") is None

    monkeypatch.setenv("SOME_KEY", "sk-1")
    assert environment.variable("SOME_KEY") == "sk-1"


def test_admins_are_names_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are told apart by commas, whatever their case and the spaces around them; none is no name."""
    monkeypatch.setenv("FOLKMOOT_ADMINS", "Ada, grace,")

    assert load().admin_names == {"ada", "grace"}
    monkeypatch.delenv("FOLKMOOT_ADMINS")
    assert load().admin_names == frozenset()
