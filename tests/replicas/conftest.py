"""One stack with three gateways for this package, and what its tests see of the replicas from outside."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import sqlalchemy

from infra.local.sockets import UnixConnection
from tests.client import Client, Event, first_user, parse_events
from tests.conftest import scripted_roster
from tests.processes import Process
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

REPLICAS = ("gateway-1", "gateway-2", "gateway-3")
#: Seconds until a process that ended serves again; the supervisor waits a moment longer after each quick death.
BACK_S = 30.0


@pytest.fixture(scope="package")
def scripted_model() -> Iterator[ScriptedModel]:
    """Scripted models that no other stack calls."""
    with ScriptedModel(SEATS) as server:
        yield server


@pytest.fixture(scope="package")
def stack(scripted_model: ScriptedModel) -> Iterator[Stack]:
    """The whole stack with three gateways; whatever was killed, no process has anything to say but the truth."""
    settings = {
        "FOLKMOOT_GATEWAYS": str(len(REPLICAS)),
        "FOLKMOOT_HEARTBEAT_S": "1",
        "FOLKMOOT_FAILED_AFTER_S": "6",
        "FOLKMOOT_LEASE_S": "4",
    }
    with Stack(scripted_roster(scripted_model), settings) as running:
        yield running
        assert "Traceback" not in (logs := running.logs(lines=100_000)), logs


@pytest.fixture(scope="package")
def admin(stack: Stack) -> Client:
    """The first user of this package's stack."""
    return first_user(stack.url)


@pytest.fixture(autouse=True)
def every_replica(stack: Stack) -> None:
    """All three replicas serve when a test begins, whatever the one before did to them."""
    await_replicas(stack)


def await_replicas(stack: Stack, names: Sequence[str] = REPLICAS) -> None:
    """Wait until these replicas answer, each on its own socket."""
    eventually(lambda: all(serves(stack, name) for name in names), BACK_S, f"{names} serve")


def serves(stack: Stack, name: str) -> bool:
    """Whether one replica answers, asked past nginx."""
    try:
        return direct(stack, name, "GET", "/healthz")[0] == 200
    except (OSError, HTTPException, IndexError):
        return False


def direct(
    stack: Stack, name: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Ask one replica past nginx; status and what the body says."""
    listens_at = Path(stack.variable(name, "FOLKMOOT_BIND").removeprefix("unix:"))
    connection = UnixConnection(listens_at, 10)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def top(stack: Stack, name: str) -> tuple[Process, list[Process]]:
    """The one process of a part that its supervisor knows and signals, and all of the part's processes."""
    every = stack.processes(name)
    pids = {process.pid for process in every}
    [first] = [process for process in every if process.parent not in pids]
    return first, every


def alive(process: Process) -> bool:
    """Whether this very process, and no later one of its pid, still runs."""
    try:
        state, *rest = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return state not in "ZX" and int(rest[18]) == process.born


class Try(NamedTuple):
    """One try of a request at a replica, as nginx logged it."""

    replica: str
    status: str
    took_s: float


def tries(stack: Stack, request_id: str) -> list[Try]:
    """All tries of one request, in order."""

    def logged() -> dict[str, str] | None:
        for path in (stack.data / "logs").glob("nginx.log*"):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if request_id in line:
                    return dict(json.loads(line))
        return None

    line = eventually(logged, 5, f"request {request_id} is in the log of nginx")
    assert line is not None
    lists = (line[name].split(", ") for name in ("upstream", "upstream_status", "response_s"))
    return [
        Try(Path(where).stem, status, float(took) if took != "-" else 0.0)
        for where, status, took in zip(*lists, strict=True)
    ]


@dataclass
class Reading:
    """A reader who follows a job's events to the end, resuming wherever a connection breaks."""

    user: Client
    job_id: str
    events: list[Event] = field(default_factory=list)
    replicas: list[str] = field(default_factory=list)
    #: Connections that broke after at least one event had come over them.
    cuts: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the end was read."""
        return bool(self.events) and self.events[-1].event == "end"

    def follow(self) -> "Reading":
        """Read on until the end of the query."""
        client = Client(self.user.url, self.user.token)
        while not self.is_over:
            before = len(self.events)
            try:
                self._read(client)
            except requests.RequestException:
                # Only nginx itself being away makes this spin; it is back in a moment.
                time.sleep(0.02)
            self.cuts += not self.is_over and len(self.events) > before
        return self

    def _read(self, client: Client) -> None:
        headers = {"Last-Event-ID": self.events[-1].id} if self.events else {}
        answer = client.call("GET", f"/queries/{self.job_id}/events", headers=headers, stream=True)
        with answer:
            assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
            self.replicas.append(answer.headers["X-Served-By"])
            for event in parse_events(answer.iter_content(None)):
                self.events.append(event)


class Records:
    """The stack's database, looked at and locked from outside.

    Args:
        stack: whose database it is, SQLite or PostgreSQL.
    """

    def __init__(self, stack: Stack) -> None:
        url = stack.variable("heartbeat", "FOLKMOOT_DATABASE_URL")
        self.is_sqlite = url.startswith("sqlite")
        self._engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        self._lock: sqlalchemy.Connection | None = None

    def count(self, table: str, where: str, **values: Any) -> int:
        """How many rows of a table meet a condition."""
        with self._engine.connect() as connection:
            found = connection.scalar(sqlalchemy.text(f"SELECT count(*) FROM {table} WHERE {where}"), values)
            return int(found or 0)

    def lock(self) -> None:
        """Let whoever would store a query or a user wait until `unlock`."""
        self._lock = self._engine.connect()
        if self.is_sqlite:
            self._lock.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self._lock.exec_driver_sql("BEGIN")
            self._lock.exec_driver_sql("LOCK TABLE interactions, users IN SHARE ROW EXCLUSIVE MODE")

    def unlock(self) -> None:
        """Let them go on."""
        if self._lock is not None:
            self._lock.exec_driver_sql("ROLLBACK")
            self._lock.close()
            self._lock = None

    def close(self) -> None:
        """Unlock, and leave the database."""
        self.unlock()
        self._engine.dispose()


@pytest.fixture
def records(stack: Stack) -> Iterator[Records]:
    """The stack's database, unlocked again after the test."""
    found = Records(stack)
    yield found
    found.close()


def send(process: Process, number: int) -> None:
    """Signal this very process."""
    assert alive(process), f"{process} has ended by itself"
    os.kill(process.pid, number)
