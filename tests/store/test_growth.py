"""What a step costs does not grow with the history: no statement goes through all rows of a table that only grows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from folkmoot import submission
from folkmoot.asks import Ask
from folkmoot.db import Database
from folkmoot.runtime import Runtime
from folkmoot.store import backlog, history
from folkmoot.sweep import sweep
from tests.store import rows
from tests.store.pool import MakeRuntime
from tests.store.rows import accepted

#: Tables that grow with every query.
GROWING = ("interactions", "responses", "analysis", "usage", "cache")


@contextmanager
def plans(db: Database) -> Iterator[list[str]]:
    """How SQLite goes about each statement executed inside, a line a step."""
    found: list[str] = []
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and isinstance(parameters, tuple):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    with db.read() as connection:
        for statement, parameters in seen:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [f"{step.detail} | {statement}" for step in steps]


def scans(found: list[str]) -> list[str]:
    """Steps that go through a whole table, or a whole index over all of it."""
    partial = ("ix_interactions_open", "ix_analysis_pending", "ix_responses_pending")
    return [
        step
        for step in found
        if step.startswith(tuple(f"SCAN {table}" for table in GROWING)) and not any(name in step for name in partial)
    ]


@pytest.fixture
def growing(make_runtime: MakeRuntime) -> Runtime:
    """A runtime with every limit that there is, on a database with a query under way."""
    runtime = make_runtime(concurrent_jobs=5, budget_user_tokens=10**9, budget_all_tokens=10**9, retention_days=30)
    if not runtime.db.is_sqlite:
        pytest.skip("PostgreSQL plans by what it knows of the tables, which are small here")
    return runtime


def test_a_sweep_goes_through_no_history(growing: Runtime, user_id: int) -> None:
    """All that the heartbeat service looks for every second is found by an index over just that."""
    accepted(growing.db, user_id)

    with plans(growing.db) as found:
        sweep(growing)

    assert len(found) > 5
    assert scans(found) == []


def test_a_page_is_looked_for_among_its_users_queries(db: Database, ada: int) -> None:
    """PostgreSQL, too, reads what the user has, and not everybody's until a page is full."""
    if db.is_sqlite:
        pytest.skip("SQLite has no other way")
    others = [rows.user(db, f"user{number}") for number in range(19)]
    job_id = accepted(db, ada)
    with db.write() as connection:
        connection.execute(text(COPIES), {"job_id": job_id, "first": ada, "users": 1 + len(others)})
        connection.execute(text("ANALYZE interactions"))
    for _ in range(6):
        # From the sixth time on it plans for all users alike.
        assert history.page(db, ada, limit=20, before=None, search="", standing="failed").queries == []

    with db.look() as connection:
        [name] = connection.execute(text("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%failed%'"))
        plan = connection.execute(text(f"EXPLAIN EXECUTE {name[0]} ({ada}, 21)")).scalars().all()
    assert "ix_interactions_user_id_id" in "".join(plan), plan


#: A query 20,000 times over, of each user in turn; the first one has none that failed.
COPIES = """
CREATE TEMPORARY TABLE copies ON COMMIT DROP AS
    SELECT one.* FROM interactions AS one, generate_series(1, 20000) WHERE job_id = :job_id;
UPDATE copies SET id = nextval('interactions_id_seq'), job_id = gen_random_uuid(), idempotency_key = gen_random_uuid();
UPDATE copies SET user_id = :first + id % :users, status = CASE id % 500 WHEN 1 THEN 'failed' ELSE 'done' END;
INSERT INTO interactions SELECT * FROM copies ORDER BY id
"""


def test_counting_what_is_open_goes_through_no_history(growing: Runtime) -> None:
    """The metrics' look at the backlog reads what is open, and nothing else."""
    with plans(growing.db) as found:
        backlog.count(growing.db)

    assert scans(found) == []


def test_accepting_goes_through_no_history(growing: Runtime, user_id: int) -> None:
    """A new query, held against every limit, is not compared with all the user's earlier ones."""
    with plans(growing.db) as found:
        submission.submit(growing, user_id, Ask("Should voting be compulsory?"), idempotency_key="one")

    assert len(found) > 5
    assert scans(found) == []
    assert not [step for step in found if "ix_interactions_user_id_id (user_id=?)" in step]
