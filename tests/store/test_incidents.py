"""Incidents: written with what they come from, paged, forgotten with their query, deleted after their time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Row, event, select, text

from folkmoot import accounts, submission
from folkmoot.asks import Ask
from folkmoot.breaker import Circuit, Permit
from folkmoot.db import Database
from folkmoot.errors import IdempotencyMismatch
from folkmoot.health import Entry, Signs, State
from folkmoot.models import Incident
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import concluding, incidents, queries
from folkmoot.store.incidents import NewIncident
from folkmoot.sweep import PURGE_EVERY, sweep
from services.gateway.app import create_app
from services.heartbeat.changes import Changes
from services.heartbeat.loop import Watch
from services.heartbeat.probing import Probing
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.pool import MakeRuntime, work
from tests.store.rows import NOW, after

#: Words of a user, a model or a provider that nobody else may read.
SECRET = "zx81secret"


def write(db: Database, *new: NewIncident) -> None:
    """Record these in a transaction of their own."""
    with db.write() as connection:
        incidents.record(connection, new)


def stored(db: Database) -> list[Row[Any]]:
    """All rows, in the order in which they were written."""
    with db.read() as connection:
        return list(connection.execute(select(Incident).order_by(Incident.id)).all())


def told(db: Database) -> list[tuple[str, str, str | None, str | None]]:
    """(agent_id, kind, stand_in, reason) of all that happened but changes of state, in order."""
    return [(row.agent_id, row.kind, row.stand_in, row.reason) for row in stored(db) if row.kind != "state"]


def make_fail(runtime: Runtime, *failed: str) -> None:
    """Write a health board on which these seats have failed."""
    now = utcnow().timestamp()
    signs = {
        seat: Signs({"w": now}, [Circuit(3, f"{seat} broke", open_until=now) if seat in failed else Circuit()])
        for seat in runtime.roster.seats
    }
    runtime.health.refresh(signs, now=now, started_at=now)


def submit(runtime: Runtime, user_id: int, **more: Any) -> str:
    """Accept a query."""
    return submission.submit(runtime, user_id, Ask(f"Should voting be {SECRET}?", **more), idempotency_key="k")[
        0
    ].job_id


def test_nothing_to_record_writes_nothing(db: Database) -> None:
    """Recording an empty list is fine, and leaves no row."""
    write(db)

    assert stored(db) == []


def test_an_incident_comes_back_as_it_was_written(db: Database) -> None:
    """A page gives back all that was recorded, but for the query, which may be anybody's."""
    write(db, NewIncident(NOW, "qwen", "replaced", stand_in="mistral", reason="it broke", job_id="some-job"))

    [shown] = incidents.page(db, limit=20, cursor=None).incidents

    assert shown.model_dump() == {
        "at": NOW,
        "agent_id": "qwen",
        "kind": "replaced",
        "state": None,
        "stand_in": "mistral",
        "reason": "it broke",
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("agent_id", [None, "qwen"])
def test_paging_is_complete_and_newest_first(db: Database, limit: int, agent_id: str | None) -> None:
    """Turning pages shows each incident once, newest first, those of one moment too, whatever happens meanwhile."""
    moments = [3, 1, 1, 1, 2, 2, 0]
    write(
        db,
        *(NewIncident(after(moment), "qwen", "state", reason=str(place)) for place, moment in enumerate(moments)),
        *(NewIncident(after(moment), "mistral", "state", reason=f"m{place}") for place, moment in enumerate(moments)),
    )
    expected = [one.reason for one in newest_first(stored(db)) if agent_id in (None, one.agent_id)]
    seen: list[str | None] = []
    cursor: int | None = None

    while True:
        page = incidents.page(db, agent_id=agent_id, limit=limit, cursor=cursor)
        assert len(page.incidents) <= limit
        seen += [one.reason for one in page.incidents]
        write(db, NewIncident(after(9), "qwen", "state", reason="new"))
        if page.next_cursor is None:
            break
        cursor = int(page.next_cursor)

    assert seen == expected


def newest_first(found: list[Row[Any]]) -> list[Row[Any]]:
    """The rows by time, and those of one moment by when they were written."""
    return sorted(found, key=lambda row: (row.at, row.id), reverse=True)


def test_a_page_that_is_exactly_full_has_no_next(db: Database) -> None:
    """A page that shows the oldest incident does not point to an empty one."""
    write(db, *(NewIncident(after(place), "qwen", "state") for place in range(4)))

    assert incidents.page(db, limit=4, cursor=None).next_cursor is None
    assert incidents.page(db, limit=3, cursor=None).next_cursor is not None


def test_a_cursor_at_what_was_deleted_ends_the_paging(db: Database) -> None:
    """When the incident at which a page ended is too old by now, so is all before it: the next page is empty."""
    write(db, *(NewIncident(after(place), "qwen", "state") for place in range(5)))
    cursor = incidents.page(db, limit=2, cursor=None).next_cursor
    incidents.purge(db, before=after(4))

    assert cursor is not None
    assert incidents.page(db, limit=9, cursor=int(cursor)).model_dump() == {"incidents": [], "next_cursor": None}


@pytest.mark.parametrize(("agent_id", "index"), [(None, "ix_incidents_at_id"), ("qwen", "ix_incidents_agent_id_at_id")])
def test_a_page_is_read_from_an_index(db: Database, agent_id: str | None, index: str) -> None:
    """A page of a long record is found through the index of its order, without sorting."""
    write(db, *(NewIncident(after(place), f"seat-{place % 9}", "state") for place in range(3000)))
    plans: list[str] = []
    with db.write() as connection:
        connection.execute(text("ANALYZE incidents"))

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT incidents"):
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if db.is_sqlite else ''}{statement}", parameters)
            plans.append(str(cursor.fetchall()))

    event.listen(db.engine, "before_cursor_execute", explain)
    incidents.page(db, agent_id=agent_id, limit=20, cursor=stored(db)[2500].id)

    assert index in plans[-1] and "sort" not in plans[-1].lower() and "TEMP B-TREE" not in plans[-1], plans


def test_purge_deletes_what_is_too_old_and_no_more(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge deletes everything before the moment, in batches, the oldest first, and nothing at or after it."""
    monkeypatch.setattr(incidents, "BATCH", 3)
    monkeypatch.setattr(incidents, "MOST_BATCHES", 2)
    write(db, *(NewIncident(after(place), "qwen", "state", reason=str(place)) for place in reversed(range(10))))

    assert incidents.purge(db, before=after(8)) == 6
    assert {row.reason for row in stored(db)} == {"6", "7", "8", "9"}
    assert incidents.purge(db, before=after(8)) == 2
    assert incidents.purge(db, before=after(8)) == 0
    assert {row.reason for row in stored(db)} == {"8", "9"}


def test_sweep_deletes_old_incidents_an_hour_at_a_time(make_runtime: MakeRuntime) -> None:
    """The sweep deletes nothing until the oldest is overdue by an hour; then all goes that is too old."""
    runtime = make_runtime(incidents_days=2)
    too_old = utcnow() - timedelta(days=2)
    write(runtime.db, *(NewIncident(too_old - age, "qwen", "state") for age in (PURGE_EVERY / 2, -PURGE_EVERY)))
    with commits(runtime.db) as written:
        sweep(runtime)
    assert len(stored(runtime.db)) == 2 and written == []

    write(runtime.db, NewIncident(too_old - PURGE_EVERY, "qwen", "state"))
    sweep(runtime)

    assert [row.at for row in stored(runtime.db)] == [too_old + PURGE_EVERY]


@contextmanager
def commits(db: Database) -> Iterator[list[str]]:
    """The transactions and statements that change rows while this lasts."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("SELECT") and statement != "BEGIN":
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def test_replaced_seat_is_recorded_with_the_query(runtime: Runtime, user_id: int) -> None:
    """A seat that had failed when the query came is recorded with who sits in for it, and when that was."""
    make_fail(runtime, "qwen")

    job_id = submit(runtime, user_id, agents=("qwen", "mistral"))

    assert told(runtime.db) == [("qwen", "replaced", "deephermes", "3 errors in a row, the last: qwen broke")]
    [row] = stored(runtime.db)
    assert row.job_id == job_id and row.at == queries.find(runtime.db, job_id).created_at


def test_skipped_seat_is_recorded_with_the_query(runtime: Runtime, user_id: int) -> None:
    """A failed seat that nobody can sit in for is recorded as skipped."""
    make_fail(runtime, "qwen")

    submit(runtime, user_id)

    assert told(runtime.db) == [("qwen", "skipped", None, "3 errors in a row, the last: qwen broke")]


def test_good_query_leaves_no_incident(runtime: Runtime, user_id: int) -> None:
    """Where every seat does what it was asked for, nothing is recorded."""
    job_id = submit(runtime, user_id)
    work(runtime)

    assert queries.find(runtime.db, job_id).status == "done" and stored(runtime.db) == []


def test_query_that_is_not_stored_leaves_no_incident(db: Database, ada: int) -> None:
    """A request that came before, or that is refused, records nothing a second time."""
    first = rows.new_query(ada, idempotency_key="k")
    again = rows.new_query(ada, idempotency_key="k")
    other = rows.new_query(ada, idempotency_key="k", request_hash="2" * 64)
    for new in (first, again, other):
        lost = [NewIncident(NOW, "qwen", "skipped", job_id=new.job_id)]
        try:
            queries.accept(db, new, rows.seats(), hint_due_at=after(4), lost=lost)
        except IdempotencyMismatch:
            assert new is other

    assert [row.job_id for row in stored(db)] == [first.job_id]


FAILOVERS: dict[str, tuple[dict[str, Any], str]] = {
    "error": ({"status": 500, "error": SECRET}, "its endpoint answered HTTP 500"),
    "our fault": ({"status": 400, "error": f"flagged: {SECRET}"}, "its endpoint answered HTTP 400"),
    "refusal": ({"text": f"I'm sorry, but I can't help with {SECRET}."}, "it refused"),
    "stub": ({"text": f"Yes: {SECRET}."}, "it wrote only a stub"),
    "error as text": ({"text": f"Error: {SECRET}"}, "it answered with an error as text"),
    "out of length": (
        {"text": f"A first whole sentence of {SECRET}. And then", "finish_reason": "length"},
        "it ran out of length",
    ),
}


@pytest.mark.parametrize("kind", FAILOVERS)
def test_failover_is_recorded_with_the_conclusion(
    runtime: Runtime, user_id: int, model: ScriptedModel, kind: str
) -> None:
    """Another seat concludes than the one asked for: recorded with the reason, and without a word of the query."""
    step, reason = FAILOVERS[kind]
    model.script("scripted/llama3", step, stage="consensus")

    job_id = submit(runtime, user_id, agents=("qwen", "mistral"))
    work(runtime)

    query = queries.find(runtime.db, job_id)
    assert query.status == "done" and query.aggregator.used == "deephermes"
    assert told(runtime.db) == [("llama3", "failed_over", "deephermes", reason)]
    [row] = stored(runtime.db)
    assert (row.job_id, row.at) == (job_id, query.finished_at)


def test_aggregator_that_is_passed_over_is_recorded(runtime: Runtime, user_id: int) -> None:
    """An aggregator that is not even tried, for it has failed, is recorded with what the health board says of it."""
    submit(runtime, user_id, agents=("qwen", "mistral"))
    make_fail(runtime, "llama3")
    work(runtime)

    reason = "passed over, failed: 3 errors in a row, the last: llama3 broke"
    assert told(runtime.db) == [("llama3", "failed_over", "deephermes", reason)]


def test_one_response_that_stands_is_no_failover(runtime: Runtime, user_id: int) -> None:
    """Where nothing is concluded, for one agent's response stands, nobody has taken over."""
    submit(runtime, user_id, agents=("qwen",))
    work(runtime)

    assert stored(runtime.db) == []


def test_lost_claim_records_no_failover(db: Database, ada: int) -> None:
    """A worker whose claim was taken over can record nothing about the query either."""
    job_id = rows.aggregating(db, ada)
    held = rows.conclusion(db, job_id)
    rows.conclusion(db, job_id, at=30)

    waiting = concluding.conclude(
        db, held, rows.consensus(), used="qwen", why_other="x", notes=[], now=after(31), hint_due_at=after(40)
    )
    assert waiting is None
    assert stored(db) == []


def test_deleted_query_is_forgotten(db: Database, other: Database, ada: int) -> None:
    """What happened stays when its query is deleted, without its job_id; other queries' incidents keep theirs."""
    eve = rows.user(db, "eve")
    mine, theirs = rows.accepted(db, ada), rows.accepted(db, eve)
    write(db, *(NewIncident(NOW, "qwen", "skipped", job_id=job_id) for job_id in (mine, theirs, mine)))
    with pytest.raises(Exception, match="no such query"):
        queries.erase(db, mine, user_id=eve)
    assert [row.job_id for row in stored(db)] == [mine, theirs, mine]

    queries.erase(db, mine, user_id=ada)

    assert [row.job_id for row in stored(other)] == [None, theirs, None]


def test_query_deleted_while_it_is_concluded_is_forgotten(db: Database, other: Database, ada: int) -> None:
    """A deletion that waits for a conclusion under way forgets the failover that this one records."""
    job_id = rows.aggregating(db, ada)
    held = rows.conclusion(db, job_id)

    def conclude() -> object:
        return concluding.conclude(
            db, held, rows.consensus(), used="qwen", why_other="x", notes=[], now=after(3), hint_due_at=after(9)
        )

    rows.at_once(conclude, lambda: queries.erase(other, job_id, user_id=ada))

    assert [row.job_id for row in stored(db)] in ([], [None])


def entry(agent_id: str, state: State, reason: str | None) -> Entry:
    """A line of the health board."""
    return Entry(agent_id, state, reason, 0.0, None, 0, None, 1, None, None)


def test_changes_of_state_are_recorded(runtime: Runtime) -> None:
    """Each change of a seat's state is recorded once, with the new state and its reason."""
    with Probing(runtime) as probing:
        watch = Watch(runtime, probing)
        watch.refresh()
        write_errors(runtime, "qwen")
        watch.refresh()
        watch.refresh()

    seen = [(row.agent_id, row.kind, row.state, row.reason) for row in stored(runtime.db)]

    assert seen[:4] == [(seat, "state", "healthy", None) for seat in runtime.roster.seats]
    assert seen[4:] == [("qwen", "state", "failed", "3 errors in a row, the last: it broke")]
    assert all(isinstance(row.at, datetime) and utcnow() - row.at < timedelta(minutes=1) for row in stored(runtime.db))


def write_errors(runtime: Runtime, agent_id: str) -> None:
    """Let as many calls of a seat fail as it takes."""
    for _ in range(3):
        runtime.health.breaker.erred(Permit(agent_id, is_trial=False), "it broke", now=utcnow().timestamp())


def test_changes_wait_while_the_database_is_away(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    """A change that cannot be stored is stored once, in its place and with its time, when the database is back."""
    away = Database("postgresql+psycopg2://nobody@/nothing?host=/nonexistent")
    changes = Changes(away)
    with caplog.at_level(logging.WARNING):
        changes.record([entry("qwen", "failed", "it broke")], at=NOW)
    assert "to be tried again" in caplog.text
    away.close()
    changes._db = db

    changes.record([entry("qwen", "healthy", None)], at=after(2))
    changes.record([], at=after(4))

    found = [(row.at, row.state, row.reason) for row in stored(db)]
    assert found == [(NOW, "failed", "it broke"), (after(2), "healthy", None)]


@pytest.fixture
def gateway(runtime: Runtime) -> Iterator[FlaskClient]:
    """A gateway on the same database, whose only user is an admin and signed in."""
    accounts.sign_up(runtime.db, "root", "long enough", request_id="r", now=utcnow())
    token, _ = accounts.sign_in(runtime.db, "root", "long enough", now=utcnow(), hours=1)
    app = create_app(runtime.settings)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    yield client
    app.extensions["folkmoot"].close()


def test_gateway_serves_pages(gateway: FlaskClient, runtime: Runtime) -> None:
    """The API gives the incidents newest first, with the cursor of the next page, of one seat where one is named."""
    write(runtime.db, *(NewIncident(after(place), seat, "reset") for place, seat in enumerate(("qwen", "mistral") * 2)))

    first = gateway.get("/api/v1/agents/incidents?limit=1&agent_id=qwen").json
    assert first is not None
    rest = gateway.get(f"/api/v1/agents/incidents?agent_id=qwen&cursor={first['next_cursor']}").json

    shown = {"agent_id": "qwen", "kind": "reset", "state": None, "stand_in": None, "reason": None}
    assert first["incidents"] == [{"at": "2031-05-04T12:00:02.123456Z", **shown}]
    assert rest == {"incidents": [{"at": "2031-05-04T12:00:00.123456Z", **shown}], "next_cursor": None}


def test_gateway_records_a_reset(gateway: FlaskClient, runtime: Runtime) -> None:
    """A reset by hand is recorded, and one of a seat that is not there is not."""
    assert gateway.post("/api/v1/agents/qwen/reset").status_code == 202
    assert gateway.post("/api/v1/agents/nobody/reset").status_code == 404

    assert told(runtime.db) == [("qwen", "reset", None, "an admin had its errors forgotten")]
