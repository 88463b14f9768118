"""A user leaves: nothing of them is found anywhere afterwards, and everybody else's is as it was, byte by byte."""

import base64
import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from sqlalchemy import NullPool, create_engine, inspect, text

from tests.client import PASSWORD, Client, first_user, new_user
from tests.conftest import SETTINGS, scripted_roster
from tests.e2e.test_bad_input import named, problem
from tests.e2e.test_secrets import value_of
from tests.scripted_model import ScriptedModel
from tests.stack import Stack, eventually
from tests.store.servers import Postgres, postgres_binaries

pytestmark = [pytest.mark.timeout(240), pytest.mark.make_up]

HERSELF, EXPORT = "/users/me", "/users/me/export"
NAME, KEY = "Zebedee-8842", "sk-a-key-that-is-found-nowhere-31177"
#: Words that nobody else says.
QUESTION, ANSWER, CONSENSUS = "Quagga-7741 or okapi?", "Zorilla-5512 it is, I say.", "Numbat-9930, most of them say."


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def leaving(request: pytest.FixtureRequest, scripted_model: ScriptedModel) -> Iterator[Stack]:
    """A stack on each database that keeps provider keys, and knows two admins by name."""
    roster = scripted_roster(scripted_model)
    for seat in roster["seats"].values():
        seat["api_key_env"] = "ACME_API_KEY"
    own = {
        "FOLKMOOT_ADMINS": f"first,{NAME}",
        "FOLKMOOT_SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "ACME_API_KEY": "sk-the-servers-own-found-nowhere",
    }
    with _database(request.param) as database, Stack(roster, {**SETTINGS, **own, **database}) as running:
        yield running


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with Postgres(postgres_binaries()) as server, server.database() as url:
        yield {"FOLKMOOT_DATABASE_URL": url}


class Everything:
    """All that a stack keeps, seen past its processes: each row of each table, and each key of its Redis."""

    def __init__(self, stack: Stack) -> None:
        url = stack.environment.get("FOLKMOOT_DATABASE_URL") or f"sqlite:///{stack.data}/folkmoot.db"
        self._engine = create_engine(url, poolclass=NullPool)
        self._redis = redis.Redis.from_url(stack.redis_url())

    def user_id(self, name: str) -> int:
        """The id behind a name."""
        with self._engine.connect() as connection:
            found = connection.scalar(text("SELECT id FROM users WHERE username = :name"), {"name": name})
        assert found is not None
        return int(found)

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row with its table, as the database itself tells of them."""
        with self._engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                    yield table, {name: _plain(value) for name, value in row.items()}

    def keys(self) -> dict[str, str]:
        """Each key of Redis with its value."""
        return {repr(key): repr(value_of(self._redis, key)) for key in self._redis.scan_iter(count=1000)}

    def of(self, user_id: int, needles: list[str]) -> list[str]:
        """Where anything of a user is: rows and keys that hold a needle, or the id, which is long enough for one."""
        needles = [*needles, str(user_id), _hashed(f"/{user_id}")]
        found = [f"{table}: {row}" for table, row in self.rows() if any(needle in repr(row) for needle in needles)]
        return found + [
            f"{key}: {value}" for key, value in self.keys().items() if any(n in key + value for n in needles)
        ]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _hashed(account: str) -> str:
    """What counts of sign-ins call an account."""
    return hashlib.sha256(account.casefold().encode()).hexdigest()[:32]


@pytest.fixture
def everything(leaving: Stack) -> Everything:
    """All that the stack keeps."""
    return Everything(leaving)


@pytest.fixture
def other(leaving: Stack, scripted_model: ScriptedModel) -> Client:
    """Somebody else, with a query and its charts."""
    scripted_model.reset()
    client = new_user(leaving.url)
    client.call("POST", "/tokens", json={"name": "laptop", "scopes": ["read"]})
    client.wait_settled(client.ask()["job_id"])
    return client


def whole(client: Client) -> list[bytes]:
    """What a user sees of what is theirs, as bytes."""
    job_id = client.history()["queries"][0]["job_id"]
    paths = [f"/queries/{job_id}{end}" for end in ("", "/export.md", "/export.json", "/charts/heatmap.png")]
    answers = [client.call("GET", path) for path in [*paths, "/queries", "/tokens", "/usage"]]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers] + [repr(list(client.events(job_id))).encode()]


def test_nothing_is_left_of_who_leaves_while_queries_run(
    leaving: Stack, everything: Everything, other: Client, scripted_model: ScriptedModel
) -> None:
    """An account deleted while its queries run leaves no row, key, stream or chart; others' rows stay the same."""
    first = first_user(leaving.url)
    client = Client(leaving.url)
    client.sign_up(NAME)
    client.sign_in(NAME)
    for seat in ("qwen", "mistral", "deephermes"):
        scripted_model.script(f"scripted/{seat}", {"text": ANSWER}, stage="response")
    scripted_model.script("scripted/llama3", {"text": CONSENSUS}, stage="consensus")
    token = client.call("POST", "/tokens", json={"name": "Fossa-3315", "scopes": ["ask"]}).json()["token"]
    assert client.call("PUT", "/users/me/provider-key", json={"provider": "acme", "key": KEY}).status_code == 200
    assert client.call("POST", "/invitations", json={}).status_code == 201
    problem(client.call("POST", "/sessions", json={"username": NAME, "password": "a wrong guess"}), 401)
    problem(client.call("DELETE", HERSELF, json={"password": "a wrong guess"}), 422)
    parent = client.wait_settled(client.ask(QUESTION)["job_id"])["job_id"]
    assert client.call("GET", f"/queries/{parent}/charts/heatmap.png").status_code == 200
    jobs = [parent, client.wait_done(client.ask("And the okapi?", parent_job_id=parent)["job_id"])["job_id"]]
    hidden = client.wait_done(client.ask("Whose is this?")["job_id"])["job_id"]
    assert client.call("DELETE", f"/queries/{hidden}?undo_s=60").status_code == 204
    # From now on two seats answer at once, one in a while, and one not at all.
    scripted_model.script("scripted/qwen", {"text": ANSWER, "delay_s": 3})
    scripted_model.script("scripted/mistral", {"hang": True})
    calls = len(scripted_model.calls())
    running = [client.ask(f"{QUESTION} {number}")["job_id"] for number in range(6)]
    eventually(lambda: len(scripted_model.calls()) >= calls + 12, 20, "the models are asked")
    user_id, mine = everything.user_id(NAME), [*jobs, hidden, *running]
    needles = [*mine, NAME, "Fossa-3315", "Quagga-7741", "Zorilla-5512", "Numbat-9930", _hashed(NAME)]
    assert len({found.partition(":")[0] for found in everything.of(user_id, needles)} & TABLES) == len(TABLES)
    before, theirs = whole(other), rows_of(everything, other)
    stop = threading.Event()
    asking = threading.Thread(target=_ask_on, args=(leaving.url, token, stop))
    asking.start()

    answer = client.call("DELETE", HERSELF, json={"password": PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    stop.set()
    asking.join()
    for dead in (client.token, token):
        problem(Client(leaving.url, dead).call("GET", "/queries"), 401)
    problem(client.call("POST", "/sessions", json={"username": NAME, "password": PASSWORD}), 401)
    # That attempt counts for a name that is nobody's now.
    needles.remove(_hashed(NAME))
    # Of the workers that are still at it, none brings a row back; their hints are gone once they have noticed.
    eventually(lambda: not scripted_model_is_busy(scripted_model), 40, "no model is asked any more")
    eventually(lambda: not everything.of(user_id, needles), 30, "nothing is left")
    assert whole(other) == before
    assert rows_of(everything, other) == theirs

    # The name is free, and who takes it sees nothing of what was.
    client.sign_up(NAME)
    client.sign_in(NAME)
    assert client.history()["queries"] == [] and client.call("GET", "/tokens").json()["tokens"] == []
    assert everything.user_id(NAME) != user_id
    spent = first.call("GET", "/usage/users").json()["users"]
    assert next(one for one in spent if one["username"] is None)["tokens"] > 0


#: Tables that hold something of her before she leaves.
TABLES = {
    "users", "sessions", "api_tokens", "invitations", "interactions", "responses", "analysis", "charts", "deletions",
    "usage", "provider_keys",
}  # fmt: skip


def _ask_on(url: str, token: str, stop: threading.Event) -> None:
    """Ask with an API token until it is dead, or somebody says that it is enough."""
    client = Client(url, token)
    while not stop.is_set() and client.submit(query=QUESTION).status_code == 202:
        pass


def scripted_model_is_busy(model: ScriptedModel) -> bool:
    """Whether a call has neither ended nor been given up."""
    return any(call.finished_at is None and call.disconnected_at is None for call in model.calls())


def rows_of(everything: Everything, client: Client) -> list[str]:
    """Every row of somebody's: those that refer to the user, and those of their queries."""
    name = client.call("GET", "/sessions/current").json()["username"]
    user_id = everything.user_id(name)
    needles = [name, *(query["job_id"] for query in client.history()["queries"])]
    found = [row for row in everything.of(user_id, needles) if row.partition(":")[0] in TABLES]
    assert len(found) > 10
    return sorted(found)


@pytest.mark.parametrize("leaving", ["sqlite"], indirect=True)
def test_everything_of_ones_own_can_be_taken_along(
    leaving: Stack, other: Client, scripted_model: ScriptedModel
) -> None:
    """The export holds each query as the API shows it, its charts, and the account without any secret."""
    client = new_user(leaving.url)
    made = client.call("POST", "/tokens", json={"name": "laptop", "scopes": ["ask"]}).json()
    assert client.call("PUT", "/users/me/provider-key", json={"provider": "acme", "key": KEY}).status_code == 200
    settled = client.wait_settled(client.ask("Is a zebra black or white?")["job_id"])
    picture = client.call("GET", f"/queries/{settled['job_id']}/charts/radar.png").content
    for number in range(30):
        client.cancel(client.ask(f"Question {number}?")["job_id"])

    answer = client.call("GET", EXPORT)

    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip"
    assert "Content-Length" not in answer.headers, "it is sent while it is written"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.startswith("queries/")]
        held = [json.loads(archive.read(name)) for name in names]
        assert len(held) == 31 and held[0] == client.query(settled["job_id"])
        assert [query["query"] for query in held[1:]] == [f"Question {number}?" for number in range(30)]
        assert archive.read(f"charts/{names[0][8:-5]}-radar.png") == picture
        account = json.loads(archive.read("account.json"))
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert account["api_tokens"][0]["name"] == "laptop" and account["provider_key_for"] == "acme"
    assert len(account["sessions"]) == 1 and account["usage"][0]["tokens"] > 0
    for secret in (made["token"], str(client.token), KEY, PASSWORD, "argon2", other.history()["queries"][0]["job_id"]):
        assert secret.encode() not in content, secret
    # A token can read each query by itself; to take all along, and to leave, it has to be the user.
    program = Client(leaving.url, made["token"])
    problem(program.call("GET", EXPORT), 403)
    problem(program.call("DELETE", HERSELF, json={"password": PASSWORD}), 403)


@pytest.mark.parametrize("leaving", ["sqlite"], indirect=True)
def test_who_may_not_leave_is_told_why(leaving: Stack, scripted_model: ScriptedModel) -> None:
    """Without the password, or as the only admin while others remain, nobody leaves, and nothing is lost."""
    scripted_model.reset()
    first = Client(leaving.url).sign_in("first")
    Client(leaving.url).sign_in(NAME).call("DELETE", HERSELF, json={"password": PASSWORD})

    wrong = problem(first.call("DELETE", HERSELF, json={"password": "a wrong guess"}), 422)
    missing = problem(first.call("DELETE", HERSELF, json={}), 422)
    problem(first.call("DELETE", HERSELF), 415)
    refused = problem(first.call("DELETE", HERSELF, json={"password": PASSWORD}), 409)

    assert list(named(wrong).items()) == [("password", "This is not your current password.")]
    assert list(named(missing).items()) == [("password", "This field is required.")]
    assert refused["type"] == "urn:folkmoot:problem:last-admin" and "FOLKMOOT_ADMINS" in refused["detail"]
    assert first.call("GET", "/sessions/current").json()["is_admin"]
    problem(new_user(leaving.url).call("GET", "/usage/users"), 403)
