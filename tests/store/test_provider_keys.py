"""A user's own provider key: theirs alone, used for their calls alone, and a bad one costs nobody else anything."""

import base64
import logging
from typing import Any

import pytest
from sqlalchemy import select

from folkmoot import provider_keys, rotate_keys, submission
from folkmoot.asks import Ask
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotAllowed
from folkmoot.models import ProviderKey, User
from folkmoot.provider_keys import Kept
from folkmoot.resources import QueryResource
from folkmoot.response import KEY_LOST
from folkmoot.runtime import Runtime, utcnow
from folkmoot.settings import Settings
from folkmoot.store import queries
from folkmoot.wire import OwnKey
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.pool import MakeRuntime, work

OLD, NEW = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))
KEY, SERVERS = "sk-own-key-of-ada-4711", "sk-of-the-server-0815"


def hosted(roster: dict[str, Any]) -> None:
    """All seats but one are a provider's."""
    for agent_id, seat in roster["seats"].items():
        if agent_id != "mistral":
            seat["api_key_env"] = "ACME_API_KEY"


@pytest.fixture
def hosting(make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A runtime whose seats want a provider's key, and that keeps those of users."""
    monkeypatch.setenv("ACME_API_KEY", SERVERS)
    return make_runtime(hosted, deadline_s=20, secret_key=OLD, failed_after_errors=2, unhealthy_after_errors=1)


def put(runtime: Runtime, user_id: int, key: str = KEY, provider: str = "acme") -> Kept:
    """Set a user's key."""
    own = {"user_id": user_id, "provider": provider, "key": key, "now": utcnow()}
    return provider_keys.put(runtime.db, runtime.settings, runtime.roster, **own)  # type: ignore[arg-type]


def asked(runtime: Runtime, user_id: int, **more: Any) -> QueryResource:
    """Ask, and have the pools do all the work."""
    query, _ = submission.submit(runtime, user_id, Ask("Should we?", **more), idempotency_key=str(utcnow()))
    work(runtime)
    return queries.find(runtime.db, query.job_id)


def keys_sent(model: ScriptedModel) -> dict[str, str | None]:
    """The key that each model was called with last."""
    return {call.model: call.headers.get("authorization") for call in model.calls()}


def stored(db: Database) -> str:
    """What the table holds of the only key."""
    with db.read() as connection:
        return str(connection.scalar(select(ProviderKey.encrypted)))


def test_own_key_is_used_for_own_calls(hosting: Runtime, model: ScriptedModel) -> None:
    """A user's calls to that provider carry their key, panel and aggregator alike; others' carry the server's."""
    ada, eve = rows.user(hosting.db), rows.user(hosting.db, "eve")
    put(hosting, ada)

    assert asked(hosting, ada).status == "done"
    assert keys_sent(model) == {
        "scripted/qwen": f"Bearer {KEY}",
        "scripted/mistral": None,
        "scripted/deephermes": f"Bearer {KEY}",
        "scripted/llama3": f"Bearer {KEY}",
    }

    asked(hosting, eve)
    assert keys_sent(model)["scripted/qwen"] == keys_sent(model)["scripted/llama3"] == f"Bearer {SERVERS}"
    provider_keys.remove(hosting.db, ada)
    asked(hosting, ada)
    assert keys_sent(model)["scripted/qwen"] == f"Bearer {SERVERS}"


def test_a_key_is_kept_encrypted_and_shown_by_its_end(hosting: Runtime) -> None:
    """What is stored does not hold the key; its owner sees the last four characters, others see nothing."""
    ada, eve = rows.user(hosting.db), rows.user(hosting.db, "eve")

    assert put(hosting, ada) == Kept("acme", "4711")
    assert provider_keys.kept(hosting.db, hosting.settings, ada) == Kept("acme", "4711")
    assert provider_keys.kept(hosting.db, hosting.settings, eve) is None
    assert KEY not in stored(hosting.db) and "4711" not in repr(OwnKey("acme", KEY))

    put(hosting, ada, "sk-another-key-of-ada-42")
    assert rows.count(hosting.db, ProviderKey) == 1
    assert provider_keys.kept(hosting.db, hosting.settings, ada) == Kept("acme", "a-42")
    provider_keys.remove(hosting.db, ada)
    assert rows.count(hosting.db, ProviderKey) == 0 and rows.count(hosting.db, User) == 2


@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_a_bad_key_is_its_owners_trouble_alone(hosting: Runtime, model: ScriptedModel, status: int) -> None:
    """Refused again and again, it fails that user's responses with words; circuits stay closed, others are served."""
    ada, eve = rows.user(hosting.db), rows.user(hosting.db, "eve")
    put(hosting, ada)
    model.script("scripted/qwen", {"status": status, "error": f"what is {KEY}?"})

    for _ in range(4):
        [response] = asked(hosting, ada, agents=("qwen",)).responses
        assert response.status == "failed" and response.error is not None
        assert response.error.startswith(
            f"the key of your own for acme was refused: its endpoint answered HTTP {status}"
        )
        assert KEY not in response.error

    assert hosting.health.breaker.read("qwen").errors == 0
    model.script("scripted/qwen", {})
    assert asked(hosting, eve, agents=("qwen",)).status == "done"


def test_the_servers_bad_key_still_counts(hosting: Runtime, model: ScriptedModel) -> None:
    """When the server's own key is refused, that is the endpoint's trouble for everybody, as before."""
    model.script("scripted/qwen", {"status": 401})

    asked(hosting, rows.user(hosting.db), agents=("qwen",))

    assert hosting.health.breaker.read("qwen").errors == 1


def test_a_key_that_cannot_be_read_is_not_replaced_by_the_servers(
    hosting: Runtime, make_runtime: MakeRuntime, model: ScriptedModel
) -> None:
    """Without the secret that it was encrypted with, calls that want a user's key fail with words, and no others do."""
    ada, eve = rows.user(hosting.db), rows.user(hosting.db, "eve")
    put(hosting, ada)
    changed = make_runtime(hosted, deadline_s=20, secret_key=NEW)

    query = asked(changed, ada)

    errors = {one.agent_id: one.error for one in query.responses}
    assert query.status == "failed" and [call.model for call in model.calls()] == ["scripted/mistral"]
    assert errors == {"qwen": KEY_LOST, "mistral": None, "deephermes": KEY_LOST}
    assert provider_keys.kept(changed.db, changed.settings, ada) == Kept("acme", None)
    assert asked(changed, eve).status == "done"


def test_without_a_secret_there_are_no_own_keys(make_runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without a secret says so, keeps nothing, and calls with its own key."""
    monkeypatch.setenv("ACME_API_KEY", SERVERS)
    runtime = make_runtime(hosted)

    with pytest.raises(NotAllowed, match="FOLKMOOT_SECRET_KEY"):
        put(runtime, rows.user(runtime.db))

    assert rows.count(runtime.db, ProviderKey) == 0


@pytest.mark.parametrize(
    ("provider", "key", "field"),
    [
        ("nobody", KEY, "provider"),
        ("acme", "short", "key"),
        ("acme", "with blanks in between", "key"),
        ("acme", "x" * 513, "key"),
        ("acme", "sk-\x00-and-some-more-of-it", "key"),
        ("acme", "sk-ключ-ключ-ключ-ключ", "key"),
    ],
)
def test_what_is_no_key_is_refused(hosting: Runtime, provider: str, key: str, field: str) -> None:
    """The refusal says what would be right, repeats nothing of the key, and nothing is stored."""
    with pytest.raises(InvalidRequest) as told:
        put(hosting, rows.user(hosting.db), key, provider)

    assert set(told.value.fields) == {field} and key not in str(told.value)
    assert "acme" in str(told.value) or field == "key"
    assert rows.count(hosting.db, ProviderKey) == 0


def test_keys_are_rotated(
    hosting: Runtime, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command encrypts all keys with the first secret, after which the old one may go; a lost one is told."""
    ada, eve = rows.user(hosting.db), rows.user(hosting.db, "eve")
    put(hosting, ada)
    put(hosting, eve, "sk-own-key-of-eve-1234")
    monkeypatch.setenv("FOLKMOOT_DATABASE_URL", url)
    monkeypatch.setenv("FOLKMOOT_SECRET_KEY", f"{NEW}, {OLD}")

    assert rotate_keys.main() == 0

    assert capsys.readouterr().out == "2 keys are encrypted with the first secret now.\n"
    endpoints = hosting.roster.seats["qwen"].endpoints
    only_new = Settings.model_validate({"secret_key": NEW})
    assert provider_keys.own(hosting.db, only_new, ada, endpoints) == OwnKey("acme", KEY)
    assert provider_keys.kept(hosting.db, only_new, eve) == Kept("acme", "1234")
    # With the old secret alone none can be read any more: they are told, and left as they are.
    monkeypatch.setenv("FOLKMOOT_SECRET_KEY", OLD)
    assert rotate_keys.main() == 1
    assert f"2 keys stay as they were, for no secret opens them (users {ada}, {eve})" in capsys.readouterr().err
    assert provider_keys.own(hosting.db, only_new, ada, endpoints) == OwnKey("acme", KEY)
    monkeypatch.delenv("FOLKMOOT_SECRET_KEY")
    assert rotate_keys.main() == 1 and "FOLKMOOT_SECRET_KEY is not set" in capsys.readouterr().err


def test_a_key_is_in_no_log(hosting: Runtime, model: ScriptedModel, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong with its calls, no line of any level holds the key."""
    ada = rows.user(hosting.db)
    with caplog.at_level(logging.DEBUG):
        put(hosting, ada)
        for step in ({"status": 500, "error": KEY}, {"text": KEY * 2, "cut_after_tokens": 1}, {"broken_json": True}):
            model.script("scripted/qwen", step)
            asked(hosting, ada)

    assert KEY not in caplog.text
