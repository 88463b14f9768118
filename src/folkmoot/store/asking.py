"""The panel's half of a query: a claim on each response, its outcome, and the step from asking to aggregating."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from folkmoot.db import Database
from folkmoot.models import Interaction, Response
from folkmoot.resources import QueryStatus, ResponseStatus
from folkmoot.store import outbox, usage
from folkmoot.store.usage import Spent

#: Statuses in which responses are still taken.
OPEN = ("accepted", "asking")
LATE = "no answer before the deadline"
NOT_TAKEN = "no worker of its pool took the question before the deadline"


@dataclass(frozen=True)
class Claim:
    """The right to ask one agent; `attempt` is the token that every later write has to show."""

    job: Row[Any]
    agent_id: str
    role: str
    attempt: int
    is_first: bool


@dataclass(frozen=True)
class Moved:
    """A query has moved on from asking: to this status, leaving these agents behind as too late."""

    status: QueryStatus
    late: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How asking one agent ended."""

    status: ResponseStatus
    model: str
    text: str | None = None
    error: str | None = None
    latency_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: str | None = None
    #: What the user should know about the query because of it.
    note: str | None = None

    def columns(self) -> dict[str, Any]:
        """What of it the response's row holds."""
        return {name: value for name, value in vars(self).items() if name != "note"}


def claim(
    db: Database, job_id: str, agent_id: str, *, now: datetime, lease_until: datetime, attempts: int
) -> Claim | None:
    """Take the right to ask this agent, unless somebody holds it, the query is past asking, or it was tried enough."""
    with db.write("claim-response") as connection:
        job = connection.execute(db.locked(_open_job(job_id))).first()
        row = connection.execute(
            _panel(job_id).where(Response.agent_id == agent_id, Response.status == "pending")
        ).first()
        if job is None or row is None or row.attempts >= attempts:
            return None
        if row.lease_until is not None and row.lease_until > now:
            return None
        connection.execute(
            update(Response).where(Response.id == row.id).values(attempts=row.attempts + 1, lease_until=lease_until)
        )
        if job.status == "accepted":
            connection.execute(update(Interaction).where(Interaction.id == job.id).values(status="asking"))
        outbox.take(connection, job_id, "ask", agent_id)
        return Claim(job, agent_id, row.role, row.attempts + 1, is_first=job.status == "accepted")


def renew(db: Database, claim: Claim, *, lease_until: datetime) -> bool:
    """Hold the claim a while longer; False when it is lost or the query is past asking, so the call can stop."""
    with db.write() as connection:
        renewed = connection.execute(_held(claim).values(lease_until=lease_until))
        return renewed.rowcount == 1


def finish(
    db: Database,
    claim: Claim,
    outcome: Outcome,
    *,
    now: datetime,
    hint_due_at: datetime,
    spent: Sequence[Spent] = (),
) -> tuple[bool, Moved | None]:
    """Store how asking ended, if the claim still holds, and settle the query in the same transaction.

    Args:
        spent: what its calls have used; it is counted whether the claim holds or not.
    Returns:
        Whether it was stored, and where the query went when this was the response that moved it on.
    """
    with db.write("store-response") as connection:
        usage.add(connection, claim.job.job_id, spent)
        # Locked before counting: two last responses must not each see the other as pending.
        job = connection.execute(db.locked(_open_job(claim.job.job_id))).first()
        if job is None:
            return False, None
        stored = connection.execute(
            _held(claim).values(
                **outcome.columns(),
                lease_until=None,
                finished_at=now,
            )
        )
        if stored.rowcount == 0:
            return False, None
        if outcome.note is not None and outcome.note not in job.notes:
            _change(connection, job, notes=[*job.notes, outcome.note])
        return True, settle(db, connection, claim.job.job_id, now=now, hint_due_at=hint_due_at)


def settle(db: Database, connection: Connection, job_id: str, *, now: datetime, hint_due_at: datetime) -> Moved | None:
    """Move a query on from asking when nothing is pending any more, or when its time for asking is over.

    Returns:
        Where it went, `aggregating` or `failed`; None when it stays.
    """
    job = connection.execute(db.locked(_open_job(job_id))).first()
    if job is None:
        return None
    rows = connection.execute(_panel(job_id).with_only_columns(Response.agent_id, Response.status)).all()
    late = tuple(row.agent_id for row in rows if row.status == "pending")
    if late and now < job.ask_deadline_at:
        return None
    _end_pending(connection, job_id, now)
    outbox.clear(connection, job_id)
    answered = sum(row.status == "ok" for row in rows)
    if answered >= job.quorum:
        _change(connection, job, status="aggregating")
        outbox.add(connection, job_id, "conclude", [""], due_at=hint_due_at)
        return Moved("aggregating", late)
    reason = f"No consensus: {answered} of the panel answered, and {job.quorum} are needed."
    _change(connection, job, status="failed", finished_at=now, notes=[*job.notes, reason])
    return Moved("failed", late)


def _end_pending(connection: Connection, job_id: str, now: datetime) -> None:
    connection.execute(
        update(Response)
        .where(Response.job_id == job_id, Response.status == "pending")
        .values(
            status="timed_out",
            error=case((Response.attempts == 0, NOT_TAKEN), else_=LATE),
            lease_until=None,
            finished_at=now,
        )
    )


def _change(connection: Connection, job: Row[Any], **values: Any) -> None:
    connection.execute(
        update(Interaction).where(Interaction.id == job.id, Interaction.status.in_(OPEN)).values(**values)
    )


def _open_job(job_id: str) -> Any:
    return select(Interaction).where(Interaction.job_id == job_id, Interaction.status.in_(OPEN))


def _panel(job_id: str) -> Any:
    return select(Response).where(Response.job_id == job_id, Response.is_aggregator.is_(False)).order_by(Response.id)


def _held(claim: Claim) -> Any:
    return update(Response).where(
        Response.job_id == claim.job.job_id,
        Response.agent_id == claim.agent_id,
        Response.is_aggregator.is_(False),
        Response.status == "pending",
        Response.attempts == claim.attempt,
    )
