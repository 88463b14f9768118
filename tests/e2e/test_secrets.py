"""A full run with a password and a provider key that can be recognised: they are found nowhere afterwards."""

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from openai import APIError, OpenAI

from tests.client import Client
from tests.conftest import SETTINGS, scripted_roster
from tests.e2e.test_bad_input import problem
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack

pytestmark = [pytest.mark.timeout(180), pytest.mark.make_up]

PASSWORD = "a-password-that-is-found-nowhere-93251"
KEY, SERVERS = "sk-a-key-that-is-found-nowhere-60718", "sk-the-servers-own-key-44806"
SECRET = base64.urlsafe_b64encode(os.urandom(32)).decode()
PATH = "/users/me/provider-key"


@pytest.fixture(scope="module")
def keeping(scripted_model: ScriptedModel) -> Iterator[Stack]:
    """A stack that keeps its users' keys, with every log line there is, on seats that want a provider's key."""
    roster = scripted_roster(scripted_model)
    for seat in roster["seats"].values():
        seat["api_key_env"] = "ACME_API_KEY"
    own = {"FOLKMOOT_SECRET_KEY": SECRET, "ACME_API_KEY": SERVERS, "FOLKMOOT_LOG_LEVEL": "debug"}
    with Stack(roster, {**SETTINGS, **own}) as running:
        yield running


@pytest.fixture
def ada(keeping: Stack, scripted_model: ScriptedModel) -> Client:
    """Somebody with that password, who has set that key."""
    scripted_model.reset()
    client = Client(keeping.url)
    client.sign_up("ada", PASSWORD)
    client.sign_in("ada", PASSWORD)
    answer = client.call("PUT", PATH, json={"provider": "acme", "key": KEY})
    assert answer.status_code == 200, answer.text
    assert answer.json() == client.call("GET", PATH).json()
    assert {**answer.json(), "providers": None} == {
        "is_set": True,
        "provider": "acme",
        "last_four": KEY[-4:],
        "available": True,
        "providers": None,
    }
    return client


def everything_of(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Every file that the stack has written, and every key of its Redis by its own type."""
    for path in sorted(Path(stack.folder).rglob("*")):
        if path.is_file():
            with suppress(FileNotFoundError):
                yield str(path.relative_to(stack.folder)), path.read_bytes()
    with redis.Redis.from_url(stack.redis_url()) as client:
        for key in client.scan_iter(count=1000):
            yield f"redis {key!r}", key + repr(value_of(client, key)).encode()


def value_of(client: Any, key: bytes) -> Any:
    """The value of a key of Redis, read by its own type."""
    kind = client.type(key).decode()
    read: dict[str, Callable[[], Any]] = {
        "string": lambda: client.get(key),
        "list": lambda: client.lrange(key, 0, -1),
        "hash": lambda: client.hgetall(key),
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1, withscores=True),
        "stream": lambda: client.xrange(key),
        "none": lambda: None,
    }
    return read[kind]()


def test_neither_password_nor_key_is_found_after_a_full_run(
    keeping: Stack, ada: Client, scripted_model: ScriptedModel
) -> None:
    """Database, Redis, logs, events, exports and every answer hold neither, whatever the models say and do with it."""
    told: list[bytes] = []
    # One seat repeats its key, one is broken and quotes it, the aggregator repeats it and is cut off at first.
    scripted_model.script("scripted/qwen", {"text": f"My key is {KEY}, and I say yes, for it is a duty of citizens."})
    scripted_model.script("scripted/mistral", {"status": 401, "error": f"Incorrect API key provided: {KEY}"})
    scripted_model.script("scripted/llama3", {"text": f"{KEY} " * 20, "cut_after_tokens": 5}, stage="consensus")
    query = ada.wait_settled(ada.ask("Should voting be compulsory?", question_type="Yes/No")["job_id"])
    told += [repr(query).encode(), repr(list(ada.events(query["job_id"]))).encode()]
    assert query["status"] == "done" and query["degraded"]
    with OpenAI(base_url=f"{keeping.url}/v1", api_key=str(ada.token), max_retries=0) as openai, suppress(APIError):
        messages: Any = [{"role": "user", "content": "And should it be secret?"}]
        told.append(
            repr(list(openai.chat.completions.create(model="folkmoot", messages=messages, stream=True))).encode()
        )
    paths = [f"/queries/{query['job_id']}/export.{kind}" for kind in ("md", "json")]
    paths += ["/queries", "/agents", "/agents/incidents", "/usage", "/users/me/provider-key", "/sessions/current"]
    told += [ada.call("GET", path).content for path in paths]
    # Mistakes that quote what was sent are the likeliest way for it to get out.
    for body in ({"provider": "acme", "key": [KEY]}, {"provider": KEY, "key": f"{KEY} é"}, {"key": KEY}):
        told.append(repr(problem(ada.call("PUT", PATH, json=body), 422)).encode())
    problem(ada.call("POST", "/users", json={"username": "ada", "password": PASSWORD}), 409)
    problem(ada.call("POST", "/sessions", json={"username": "eve", "password": PASSWORD}), 401)

    used = {call.model: call.headers.get("authorization") for call in scripted_model.calls()}
    assert set(used.values()) == {f"Bearer {KEY}"} and len(used) == len(SEATS)
    seen = [*everything_of(keeping), *(("an answer", one) for one in told)]
    found = [
        (where, what)
        for where, content in seen
        for what in (KEY, PASSWORD, SERVERS, SECRET)
        if what.encode() in content
    ]
    assert found == []
    names = {where for where, _ in seen}
    assert {"data/folkmoot.db", "data/logs/gateway-1.log"} <= names and any(
        where.startswith("redis") for where in names
    )
    # What looked everywhere does find what is there.
    assert any(query["consensus"]["text"].encode() in content for where, content in seen if where.startswith("data/"))

    # Another's calls are made with the server's key, and ada's again once hers is removed.
    eve = Client(keeping.url)
    eve.sign_up("eve")
    eve.sign_in("eve")
    assert eve.call("GET", PATH).json()["is_set"] is False
    scripted_model.reset()
    eve.wait_done(eve.ask("Why?", agents=["qwen"])["job_id"])
    assert ada.call("DELETE", PATH).status_code == 204 and ada.call("GET", PATH).json()["last_four"] is None
    ada.wait_done(ada.ask("Why not?", agents=["qwen"])["job_id"])
    assert [call.headers["authorization"] for call in scripted_model.calls()] == [f"Bearer {SERVERS}"] * 2
