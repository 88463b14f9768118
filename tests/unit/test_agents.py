"""The roster is read whole and right, or refused with the file and the field."""

from pathlib import Path

import pytest

from folkmoot.agents import Roster, load_roster, queue_of
from folkmoot.errors import SettingsError
from folkmoot.settings import Settings

from .conftest import ROOT

SEATS = ["qwen", "llama3", "mistral", "deephermes"]


def written(tmp_path: Path, text: str) -> Roster:
    """The roster that this file holds."""
    path = tmp_path / "agents.yaml"
    path.write_text(text, encoding="utf-8")
    return load_roster(Settings(agents_file=path, model_url="http://127.0.0.1:9999/v1"))


@pytest.mark.parametrize("name", ["embedded", "openrouter", "ollama"])
def test_every_roster_that_comes_along_loads(name: str) -> None:
    """Each roster of the project seats the four agents, and llama3 concludes."""
    roster = load_roster(Settings(agents_file=ROOT / f"config/agents.{name}.yaml"))

    assert list(roster.seats) == SEATS
    assert roster.aggregator == "llama3"


def test_embedded_seats_are_called_what_they_are(settings: Settings) -> None:
    """The embedded model is never shown as the model whose seat it sits in, and answers where it was started."""
    roster = load_roster(settings.model_copy(update={"model_url": "http://127.0.0.1:4711/v1"}))

    assert {seat.model for seat in roster.seats.values()} == {"SmolLM2-135M-Instruct"}
    assert {seat.base_url for seat in roster.seats.values()} == {"http://127.0.0.1:4711/v1"}


def test_hosted_seats_are_four_models_with_one_key() -> None:
    """The hosted roster names four models, the variable of their key, and the sampling the domain fixes."""
    roster = load_roster(Settings(agents_file=ROOT / "config/agents.openrouter.yaml"))
    seats = roster.seats.values()

    assert len({seat.model for seat in seats}) == 4
    assert {seat.api_key_env for seat in seats} == {"OPENROUTER_API_KEY"}
    assert {(seat.temperature, seat.max_tokens, seat.aggregator_max_tokens) for seat in seats} == {(0.3, 500, 1000)}


def test_a_seat_needs_only_a_model_and_an_address(tmp_path: Path) -> None:
    """Two seats may use one model; everything else has the defaults of the domain."""
    roster = written(
        tmp_path,
        """
        aggregator: b
        seats:
          b: {model: m, base_url: "http://127.0.0.1:1/v1"}
          a: {model: m, base_url: "http://127.0.0.1:1/v1"}
        """,
    )

    assert list(roster.seats) == ["b", "a"]
    assert (roster.seats["a"].temperature, roster.seats["a"].max_tokens) == (0.3, 500)
    assert roster.seats["a"].aggregator_max_tokens == 1000
    assert roster.seats["a"].api_key_env is None


def test_fallbacks_keep_their_order_and_get_the_address(tmp_path: Path) -> None:
    """Fallbacks are read in the file's order, and the embedded model's address is filled in there too."""
    roster = written(
        tmp_path,
        """
        aggregator: a
        seats:
          a:
            model: m
            base_url: "http://127.0.0.1:1/v1"
            fallbacks:
              - {model: second, base_url: "http://127.0.0.1:2/v1"}
              - {model: third, base_url: "${FOLKMOOT_MODEL_URL}"}
        """,
    )

    assert [(one.model, one.base_url) for one in roster.seats["a"].fallbacks] == [
        ("second", "http://127.0.0.1:2/v1"),
        ("third", "http://127.0.0.1:9999/v1"),
    ]


SEAT = 'a: {model: m, base_url: "http://127.0.0.1:1/v1"}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold `aggregator:` and `seats:`"),
        ("- a\n- b", "must hold `aggregator:` and `seats:`"),
        ("just words", "must hold `aggregator:` and `seats:`"),
        ("aggregator: [", "is not YAML"),
        ("aggregator: a\nseats:\n\t- x", "is not YAML"),
        ("aggregator: !!python/object/apply:os.getcwd []\nseats: {}", "is not YAML"),
        (f"seats: {{{SEAT}}}", "aggregator: Field required"),
        ("aggregator: a", "seats: Field required"),
        ("aggregator: a\nseats: {}", "seats:"),
        ("aggregator: a\nseats: null", "seats:"),
        ("aggregator: a\nseats: [a]", "seats:"),
        (f"aggregator: b\nseats: {{{SEAT}}}", "it must be one of the seats: a"),
        ("aggregator: a\nseats: {a: }", "seats.a"),
        ("aggregator: a\nseats: {a: {model: m}}", "seats.a.base_url: Field required"),
        ('aggregator: a\nseats: {a: {base_url: "http://x/v1"}}', "seats.a.model: Field required"),
        ('aggregator: a\nseats: {a: {model: "", base_url: "http://x/v1"}}', "seats.a.model"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "file:///etc/passwd"}}', "seats.a.base_url"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x y/v1"}}', "seats.a.base_url"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", temprature: 1}}', "seats.a.temprature"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", temperature: 3}}', "seats.a.temperature"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", temperature: .nan}}', "seats.a.temperature"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", max_tokens: 0}}', "seats.a.max_tokens"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", timeout_s: 0}}', "seats.a.timeout_s"),
        ('aggregator: a\nseats: {a: {model: m, base_url: "http://x/v1", fallbacks: [{}]}}', "seats.a.fallbacks.0"),
        (f"aggregator: a\nseats: {{{SEAT}}}\nextra: 1", "extra"),
    ],
)
def test_a_wrong_roster_is_refused_by_file_and_field(text: str, told: str, tmp_path: Path) -> None:
    """A roster that is wrong stops the process, naming its file and what is wrong in it."""
    with pytest.raises(SettingsError) as refusal:
        written(tmp_path, text)
    assert "agents.yaml" in str(refusal.value)
    assert told in str(refusal.value)


@pytest.mark.parametrize("name", ["Qwen", "a b", "a.b", "-a", "_a", "ä", "a" * 33, '"a,b"', '"a\\n"', '""'])
def test_a_name_that_no_queue_can_carry_is_refused(name: str, tmp_path: Path) -> None:
    """A seat's name stands in queues, addresses and command lines, so only plain names are taken."""
    text = f'aggregator: {name}\nseats:\n  {name}: {{model: m, base_url: "http://127.0.0.1:1/v1"}}'

    with pytest.raises(SettingsError, match="seats"):
        written(tmp_path, text)


def test_a_missing_roster_is_named(tmp_path: Path) -> None:
    """A roster that is not there stops the process, naming the file and the variable that chooses another."""
    with pytest.raises(SettingsError, match=r"nowhere\.yaml.*No such file.*FOLKMOOT_AGENTS_FILE"):
        load_roster(Settings(agents_file=tmp_path / "nowhere.yaml"))


def test_a_roster_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A file of other bytes than UTF-8 is refused like one that is not YAML."""
    path = tmp_path / "agents.yaml"
    path.write_bytes(b"\xff\xfe\x00aggregator")

    with pytest.raises(SettingsError, match=r"agents\.yaml is not YAML"):
        load_roster(Settings(agents_file=path))


def test_a_seat_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    """Of two seats with one name neither is lost in silence: the roster is refused."""
    seat = '  a: {model: %s, base_url: "http://127.0.0.1:1/v1"}\n'

    with pytest.raises(SettingsError):
        written(tmp_path, "aggregator: a\nseats:\n" + seat % "first" + seat % "second")


def test_every_seat_has_a_queue_of_its_own() -> None:
    """A seat's queue is named after it."""
    assert [queue_of(seat) for seat in ("qwen", "my-seat_2")] == ["agent.qwen", "agent.my-seat_2"]
