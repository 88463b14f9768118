"""What is asked every few seconds, or at each query, costs the same however long the history is."""

from typing import Any

import pytest
from sqlalchemy import event

from folkmoot.db import Database
from folkmoot.store import backlog, overdue, queries
from folkmoot.store.limits import Limits
from tests.store import rows
from tests.store.rows import after

Asked = list[tuple[str, Any]]


@pytest.fixture
def asked(db: Database) -> Asked:
    """Every SELECT that is made of the database, with its values."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL chooses by what the tables hold, and sees values that are sent along")
    seen: Asked = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, values))

    return seen


def plans(db: Database, asked: Asked) -> list[str]:
    """How SQLite goes about each statement that was seen, a line for each table."""
    connection = db.engine.raw_connection()
    try:
        cursor = connection.cursor()
        steps = [cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall() for statement, values in asked]
        return [step[3] for plan in steps for step in plan]
    finally:
        connection.close()


def test_the_sweeper_looks_through_open_rows_alone(db: Database, asked: Asked) -> None:
    """Each look for what is overdue, and the count of the backlog, goes by an index over what is open."""
    now = after(0)
    list(overdue.settle_late(db, now=now, hint_due_at=now))
    list(overdue.free_responses(db, now=now, attempts=3, hint_due_at=now))
    list(overdue.free_conclusions(db, now=now, attempts=3))
    list(overdue.give_up_analyses(db, now=now, analysis_s=60))
    backlog.count(db)

    found = plans(db, asked)
    wanted = ("ix_interactions_open", "ix_responses_leased", "ix_analysis_pending", "outbox")
    assert len(found) >= 7
    assert all(any(name in step for name in wanted) or step.startswith("USE TEMP") for step in found), found


def test_the_limit_of_open_queries_looks_through_open_rows_alone(db: Database, asked: Asked) -> None:
    """What a user has under way is counted without a look at all that the user ever asked."""
    user_id = rows.user(db)
    new = rows.new_query(user_id)
    asked.clear()
    queries.accept(db, new, rows.seats(), hint_due_at=after(5), bounds=Limits(concurrent_jobs=2))

    counted = [one for one in asked if "count(" in one[0]]
    assert len(counted) == 1
    assert "ix_interactions_open" in "".join(plans(db, counted))
