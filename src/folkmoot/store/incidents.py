"""Incidents: what happened to the seats, written where it happens, shown to everybody, and deleted after a time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, tuple_, update

from folkmoot.db import Database
from folkmoot.models import Incident
from folkmoot.resources import IncidentKind, IncidentPage, IncidentResource

#: Rows that one transaction deletes: other writers get their turn in between.
BATCH = 500
#: Batches of one purge, so that whoever sweeps goes on with what cannot wait.
MOST_BATCHES = 10


@dataclass(frozen=True)
class NewIncident:
    """What `record` writes. Everybody may read `reason`, so it must hold nothing that a user or a model has said."""

    at: datetime
    agent_id: str
    kind: IncidentKind
    state: str | None = None
    stand_in: str | None = None
    reason: str | None = None
    job_id: str | None = None


def record(connection: Connection, incidents: Sequence[NewIncident]) -> None:
    """Write incidents in the transaction of what they come from, in their order; none is fine."""
    if incidents:
        connection.execute(insert(Incident), [asdict(incident) for incident in incidents])


def forget_job(connection: Connection, job_id: str) -> None:
    """Let no incident tell of this query any more; the query must be gone already, so that nothing is added."""
    connection.execute(update(Incident).where(Incident.job_id == job_id).values(job_id=None))


def page(db: Database, *, agent_id: str | None = None, limit: int, cursor: int | None) -> IncidentPage:
    """What happened to this seat or to all, newest first, from the one before `cursor` on.

    Args:
        db: where they are.
        agent_id: the seat; None for all.
        limit: incidents on the page.
        cursor: the id of the last one shown. When that was deleted as too old, so was all before it, and the page is
            empty.
    """
    statement = select(Incident).order_by(Incident.at.desc(), Incident.id.desc())
    if agent_id is not None:
        statement = statement.where(Incident.agent_id == agent_id)
    if cursor is not None:
        last = select(Incident.at, Incident.id).where(Incident.id == cursor).scalar_subquery()
        statement = statement.where(tuple_(Incident.at, Incident.id) < last)
    with db.read() as connection:
        rows = connection.execute(statement.limit(limit + 1)).all()
    shown = rows[:limit]
    return IncidentPage(
        incidents=[IncidentResource.model_validate(row, from_attributes=True) for row in shown],
        next_cursor=str(shown[-1].id) if len(rows) > limit else None,
    )


def reaches_back(db: Database, *, before: datetime) -> bool:
    """Whether anything is kept that is older than this; one look into an index."""
    with db.read() as connection:
        return connection.execute(select(Incident.id).where(Incident.at < before).limit(1)).first() is not None


def purge(db: Database, *, before: datetime) -> int:
    """Delete what is older than this, the oldest first, a batch a transaction.

    Returns:
        How many were deleted; never more than `MOST_BATCHES` batches hold, so there may be more.
    """
    oldest = select(Incident.id).where(Incident.at < before).order_by(Incident.at, Incident.id).limit(BATCH)
    deleted = 0
    for _ in range(MOST_BATCHES):
        with db.write() as connection:
            gone = connection.execute(delete(Incident).where(Incident.id.in_(oldest))).rowcount
        deleted += gone
        if gone < BATCH:
            break
    return deleted
