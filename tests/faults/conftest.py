"""A stack with failpoints on each database, what is sent to it, and what must hold of its records afterwards."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import MetaData, RowMapping, select
from sqlalchemy.engine import make_url

from folkmoot.failpoints import NAMES
from tests.client import ENDED, Client, Event, first_user, folded, place
from tests.conftest import scripted_roster
from tests.faults.silence import Stories, told
from tests.replicas.conftest import await_replicas
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually
from tests.store.servers import Postgres, postgres_binaries

BACKENDS = ("sqlite", "postgresql")
GATEWAYS = ("gateway-1", "gateway-2")
#: Time for a query without a deadline of its own: enough for a process to be started again twice.
DEADLINE_S = 30.0
#: No query ends later than this after its deadline.
LATE_S = 10.0
#: What is sent at the same time.
THREADS = 4
TABLES = ("interactions", "responses", "analysis", "outbox")
SETTINGS = {
    "FOLKMOOT_GATEWAYS": str(len(GATEWAYS)),
    "FOLKMOOT_DEADLINE_S": str(DEADLINE_S),
    "FOLKMOOT_ASK_SHARE": "0.4",
    "FOLKMOOT_LEASE_S": "2",
    "FOLKMOOT_SWEEP_S": "0.5",
    "FOLKMOOT_RESEND_S": "1",
    "FOLKMOOT_HEARTBEAT_S": "1",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--databases alternate`, leave each test that there is once a database to one of them, in turn."""
    if config.getoption("--databases") == "all":
        return
    twins: dict[str, list[pytest.Item]] = {}
    for item in items:
        if Path(__file__).parent in item.path.parents and any(backend in item.name for backend in BACKENDS):
            name = item.nodeid
            for backend in BACKENDS:
                name = name.replace(backend, "")
            twins.setdefault(name, []).append(item)
    left_out = [
        item for turn, pair in enumerate(twins.values()) for place, item in enumerate(pair) if place != turn % len(pair)
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="package", autouse=True)
def silence(request: pytest.FixtureRequest) -> Iterator[Future[Stories] | None]:
    """What test_silence.py looks at, if it is to run: four minutes, mostly of waiting, while other tests do theirs."""
    if not any(item.path.name == "test_silence.py" for item in request.session.items):
        yield None
        return
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(told)


@pytest.fixture(scope="module")
def scripted_model() -> Iterator[ScriptedModel]:
    """Scripted models that no other stack calls."""
    with ScriptedModel(SEATS) as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; without its programs, skipped on a desk and failed in CI."""
    with Postgres(postgres_binaries()) as server:
        yield server


@pytest.fixture(scope="module", params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database: none names the SQLite file that a stack makes for itself."""
    if request.param == "sqlite":
        yield ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose files arm the failpoints."""
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def stack(scripted_model: ScriptedModel, database_url: str, points: Path) -> Iterator[Stack]:
    """The whole stack with two gateways and short times, on one database after the other."""
    own = {"FOLKMOOT_DATABASE_URL": database_url, "FOLKMOOT_FAILPOINTS": str(points)}
    with Stack(scripted_roster(scripted_model), SETTINGS | own) as running:
        yield running


@pytest.fixture(scope="module")
def admin(stack: Stack) -> Client:
    """The first user of the stack."""
    return first_user(stack.url)


@pytest.fixture
def in_good_order(stack: Stack, points: Path) -> Iterator[None]:
    """Every gateway serves when a test begins, nothing is armed after it, and nobody was at a loss meanwhile."""
    await_replicas(stack, GATEWAYS)
    before = _tracebacks(stack)
    yield
    for point in points.iterdir():
        point.unlink(missing_ok=True)
    assert _tracebacks(stack) == before, stack.logs(lines=60)


def _tracebacks(stack: Stack) -> int:
    return stack.logs(lines=100_000).count("Traceback")


class Records:
    """The stack's database, read from outside by a connection that can write nothing.

    Args:
        stack: whose database it is, SQLite or PostgreSQL.
    """

    def __init__(self, stack: Stack) -> None:
        url = make_url(stack.variable("heartbeat", "FOLKMOOT_DATABASE_URL"))
        if url.get_backend_name() == "sqlite":
            self._engine = sqlalchemy.create_engine(f"sqlite:///file:{url.database}?mode=ro&uri=true")
        else:
            read_only = {"options": "-c default_transaction_read_only=on"}
            self._engine = sqlalchemy.create_engine(url, connect_args=read_only, pool_pre_ping=True)
        self._tables = MetaData()
        self._tables.reflect(self._engine, only=TABLES)

    def rows(self, table: str, case: str) -> list[RowMapping]:
        """The rows of a table that belong to the queries of a case."""
        jobs, found = self._tables.tables["interactions"], self._tables.tables[table]
        of_case = select(jobs.c.job_id).where(jobs.c.query.contains(case, autoescape=True))
        with self._engine.connect() as connection:
            return list(connection.execute(select(found).where(found.c.job_id.in_(of_case))).mappings())

    def await_settled(self, case: str, count: int, deadline_s: float = DEADLINE_S + LATE_S) -> None:
        """Wait until so many queries of a case have ended, and their analyses too."""

        def settled() -> bool:
            ended = sum(job["status"] in ENDED for job in self.rows("interactions", case))
            return ended >= count and all(row["status"] != "pending" for row in self.rows("analysis", case))

        eventually(settled, deadline_s, f"{count} queries of {case} have ended")

    def close(self) -> None:
        """Leave the database."""
        self._engine.dispose()


@pytest.fixture(scope="module")
def records(stack: Stack) -> Iterator[Records]:
    """The stack's database, to be read."""
    found = Records(stack)
    yield found
    found.close()


@pytest.fixture
def case() -> str:
    """What tells this test's queries from all others: a part of their text."""
    return f"#case-{uuid.uuid4().hex[:12]}"


def arm(points: Path, *names: str) -> None:
    """Let whoever comes first to each of these points be killed there."""
    for name in names:
        assert name in NAMES
        (points / name).touch()


def armed(points: Path) -> set[str]:
    """The points that nobody has come to yet."""
    return {file.name for file in points.iterdir()}


def send(client: Client, case: str, count: int, **body: Any) -> set[str]:
    """Send so many queries of a case from a few threads; each must be accepted, whoever dies. Returns their job_ids."""

    def ask(number: int) -> str:
        query = f"Should voting be compulsory? {case}n{number}"
        return str(Client(client.url, client.token).ask(query, **body)["job_id"])

    with ThreadPoolExecutor(THREADS) as threads:
        job_ids = set(threads.map(ask, range(count)))
    assert len(job_ids) == count, "two queries are one"
    return job_ids


def assert_nothing_lost(records: Records, case: str, count: int, *, statuses: Collection[str] = ("done",)) -> None:
    """See that every query of a case was stored once and has ended once, in time, with nothing left to do.

    Args:
        records: of the stack.
        case: what its queries have in their text.
        count: how many were accepted.
        statuses: how they may have ended.
    """
    jobs = {job["job_id"]: job for job in records.rows("interactions", case)}
    assert len(jobs) == count, "a query was lost, or stored twice"
    assert not (wrong := [dict(job) for job in jobs.values() if job["status"] not in statuses]), wrong
    assert not (late := [dict(job) for job in jobs.values() if _late(job)]), late
    _assert_answered_once(records.rows("responses", case), jobs)
    analyses = {row["job_id"]: row["status"] for row in records.rows("analysis", case)}
    assert set(analyses) == {job_id for job_id, job in jobs.items() if job["status"] == "done"}
    assert "pending" not in analyses.values()
    assert not (left := records.rows("outbox", case)), left
    assert not (held := [job_id for job_id, job in jobs.items() if job["lease_until"] is not None]), held


def _late(job: RowMapping) -> bool:
    return bool(job["finished_at"] is None or job["finished_at"] - job["deadline_at"] > timedelta(seconds=LATE_S))


def _assert_answered_once(rows: list[RowMapping], jobs: dict[str, RowMapping]) -> None:
    """Each agent has one response to each of its queries, none pending; each query that is done has one consensus."""
    written = Counter((row["job_id"], row["agent_id"], row["is_aggregator"]) for row in rows)
    assert not (twice := [key for key, count in written.items() if count > 1]), twice
    assert {row["job_id"] for row in rows if not row["is_aggregator"]} == set(jobs)
    concluded = Counter(row["job_id"] for row in rows if row["is_aggregator"])
    assert concluded == Counter(job_id for job_id, job in jobs.items() if job["status"] == "done")
    unsettled = [dict(row) for row in rows if row["status"] == "pending" or row["lease_until"] is not None]
    assert not unsettled, unsettled
    empty = [dict(row) for row in rows if bool(row["text"]) != (row["status"] == "ok")]
    assert not empty, empty


def assert_streams_tell(client: Client, records: Records, case: str, *, unbegun: int = 0) -> None:
    """See that each query's events, read again from the start, end once and tell just what is stored.

    Args:
        client: who has asked.
        records: of the stack.
        case: what its queries have in their text.
        unbegun: how many may have been accepted without a word, by a gateway that died; those are told without deltas.
    """
    jobs = records.rows("interactions", case)
    stored: dict[str, dict[tuple[str, str], str | None]] = {job["job_id"]: {} for job in jobs}
    for row in records.rows("responses", case):
        stored[row["job_id"]]["consensus" if row["is_aggregator"] else "response", row["agent_id"]] = row["text"]

    def told(job: RowMapping) -> bool:
        events = list(Client(client.url, client.token).events(job["job_id"]))
        _assert_ends_once(events, job["status"])
        return _spoke(events, stored[job["job_id"]])

    with ThreadPoolExecutor(len(jobs)) as threads:
        spoke = list(threads.map(told, jobs))
    assert spoke.count(False) <= unbegun, f"{spoke.count(False)} streams have no deltas"


def _assert_ends_once(events: list[Event], status: str) -> None:
    places = [place(event) for event in events]
    assert places == sorted(set(places)), events
    assert [event for event in events if event.event == "end"] == events[-1:], events
    assert events[-1].data == {"status": status}, events


def _spoke(events: list[Event], stored: dict[tuple[str, str], str | None]) -> bool:
    """Whether the deltas add up to every text that is stored; they may do so for all or for none of them."""
    results = [
        ((event.event, event.data["agent_id"]), event.data["text"])
        for event in events
        if event.event in ("response", "consensus")
    ]
    assert len(results) == len(stored) and dict(results) == stored, (events, stored)
    texts = {key: text for key, text in stored.items() if text}
    kept = {key: text.strip() for key, text in folded(events).items()}
    assert kept in ({}, texts), (events, stored)
    return kept == texts
