"""What is overdue: deadlines that have passed, and claims whose holder has gone silent."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from folkmoot.db import Database
from folkmoot.models import (
    IS_OPEN_QUERY,
    IS_PENDING_ANALYSIS,
    IS_PENDING_RESPONSE,
    Analysis,
    Interaction,
    Response,
)
from folkmoot.resources import AnalysisResource
from folkmoot.store import asking, concluding, outbox
from folkmoot.store.asking import Moved

#: An aggregator stops by itself at the deadline; only one that did not is ended from outside, this much later.
GRACE_S = 1.5
DEADLY = "its worker died each time it was asked"
TOO_LATE = "No consensus: the deadline came while the responses were being concluded."
NOT_TAKEN = "No consensus: no worker took the responses to conclude them before the deadline."
GIVEN_UP = "No consensus: the worker that concluded died each time."


def settle_late(db: Database, *, now: datetime, hint_due_at: datetime) -> Iterator[tuple[str, Moved]]:
    """Move every query on whose time for asking is over; job_id and where it went."""
    is_asking = (IS_OPEN_QUERY, Interaction.status.in_(asking.OPEN))
    late = select(Interaction.job_id).where(*is_asking, Interaction.ask_deadline_at <= now)
    for job_id in _found(db, late):
        with db.write("settle-late", synced=False) as connection:
            moved = asking.settle(connection, job_id, now=now, hint_due_at=hint_due_at)
        if moved is not None:
            yield job_id, moved


def free_responses(
    db: Database, *, now: datetime, attempts: int, hint_due_at: datetime
) -> Iterator[tuple[str, list[str], Moved | None]]:
    """Take claims back that were not renewed: asked again, or failed when the attempts are used up.

    Yields:
        job_id, the agent_ids that failed for good, and where the query went if that moved it on.
    """
    # Not distinct: SQLite would read all responses there are, in the order of their jobs.
    silent = select(Response.job_id).where(
        IS_PENDING_RESPONSE, Response.is_aggregator.is_(False), Response.lease_until <= now
    )
    for job_id in _found(db, silent):
        with db.write("free-responses", synced=False) as connection:
            connection.execute(db.locked(select(Interaction.id).where(Interaction.job_id == job_id)))
            rows = connection.execute(
                select(Response).where(
                    Response.job_id == job_id, Response.status == "pending", Response.lease_until <= now
                )
            ).all()
            dead = [row.agent_id for row in rows if _free(connection, row, now=now, attempts=attempts)]
            moved = asking.settle(connection, job_id, now=now, hint_due_at=hint_due_at) if dead else None
        if dead:
            yield job_id, dead, moved


def _free(connection: Connection, row: Row[Any], *, now: datetime, attempts: int) -> bool:
    """Free one response for another attempt, or fail it; True when it failed."""
    change = update(Response).where(Response.id == row.id)
    if row.attempts >= attempts:
        connection.execute(change.values(status="failed", error=DEADLY, lease_until=None, finished_at=now))
        return True
    connection.execute(change.values(lease_until=None))
    outbox.add(connection, row.job_id, "ask", [row.agent_id], due_at=now, once=True)
    return False


def free_conclusions(db: Database, *, now: datetime, attempts: int) -> Iterator[str]:
    """Take claims on aggregations back that were not renewed, and fail those that are out of time or attempts.

    Yields:
        The job_ids that failed.
    """
    stuck = select(Interaction.job_id).where(
        IS_OPEN_QUERY,
        Interaction.status == "aggregating",
        or_(Interaction.lease_until <= now, Interaction.deadline_at <= now - timedelta(seconds=GRACE_S)),
    )
    for job_id in _found(db, stuck):
        with db.write("free-conclusions", synced=False) as connection:
            job = connection.execute(
                db.locked(stuck.where(Interaction.job_id == job_id).with_only_columns(Interaction))
            ).first()
            has_failed = job is not None and _free_conclusion(connection, job, now=now, attempts=attempts)
        if has_failed:
            yield job_id


def _free_conclusion(connection: Connection, job: Row[Any], *, now: datetime, attempts: int) -> bool:
    """Free one aggregation for another attempt, or fail its query; True when it failed."""
    change = update(Interaction).where(Interaction.id == job.id)
    if job.deadline_at <= now or job.fence >= attempts:
        late = TOO_LATE if job.fence else NOT_TAKEN
        reason = late if job.deadline_at <= now else GIVEN_UP
        connection.execute(
            change.values(status="failed", lease_until=None, finished_at=now, notes=[*job.notes, reason])
        )
        outbox.clear(connection, job.job_id)
        return True
    connection.execute(change.values(lease_until=None))
    outbox.add(connection, job.job_id, "conclude", [""], due_at=now, once=True)
    return False


def give_up_analyses(db: Database, *, now: datetime, analysis_s: float) -> Iterator[tuple[str, AnalysisResource]]:
    """Fail every analysis that nobody finished in time; job_id and what stands for it now."""
    late = select(Analysis.job_id).where(
        IS_PENDING_ANALYSIS, Analysis.created_at <= now - timedelta(seconds=analysis_s)
    )
    result = AnalysisResource(status="failed", consensus_score=None, reason="no analysis worker finished it in time")
    for job_id in _found(db, late):
        if concluding.finish_analysis(db, job_id, result, now=now):
            yield job_id, result


def _found(db: Database, statement: Any) -> Iterable[str]:
    with db.read() as connection:
        return list(dict.fromkeys(connection.scalars(statement.limit(outbox.BATCH))))
