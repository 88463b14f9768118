"""The panel's half of a query: a claim on each response, its outcome, and the step from asking to aggregating."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_, select, update

from folkmoot.db import Database
from folkmoot.models import IS_PENDING_RESPONSE, Interaction, Response
from folkmoot.resources import QueryStatus, ResponseStatus
from folkmoot.statements import Record, Statement
from folkmoot.store import cache, outbox, usage
from folkmoot.store.cache import Hit, Look, Place
from folkmoot.store.outbox import Work
from folkmoot.store.usage import Spent

#: Statuses in which responses are still taken.
OPEN = ("accepted", "asking")
LATE = "no answer before the deadline"
NOT_TAKEN = "no worker of its pool took the question before the deadline"

_IS_OPEN = or_(*(Interaction.status == status for status in OPEN))
_open_job = select(Interaction).where(Interaction.job_id == bindparam("of_job"), _IS_OPEN)
_OPEN_JOB_LOCKED = Statement(
    _open_job.with_only_columns(
        Interaction.id, Interaction.job_id, Interaction.notes, Interaction.quorum, Interaction.ask_deadline_at
    ).with_for_update()
)
_OF_PANEL = (Response.job_id == bindparam("of_job"), Response.is_aggregator.is_(False))
_TO_ASK = Statement(
    _open_job.add_columns(
        Response.role,
        Response.attempts,
        Response.id.label("response_id"),
        Response.lease_until.label("held_until"),
    )
    .join(Response, Response.job_id == Interaction.job_id)
    .where(*_OF_PANEL, Response.agent_id == bindparam("of_agent"), Response.status == "pending")
    # Both rows are locked, the query's first, as whoever stores a response takes them.
    .with_for_update()
)
_ANY_PENDING = Statement(
    select(Response.id).where(Response.job_id == bindparam("of_job"), IS_PENDING_RESPONSE).limit(1)
)
_STANDING = Statement(select(Response.agent_id, Response.status).where(*_OF_PANEL).order_by(Response.id))
_TAKE = Statement(update(Response).where(Response.id == bindparam("of_id")))
_HELD = Statement(
    update(Response).where(
        *_OF_PANEL,
        Response.agent_id == bindparam("of_agent"),
        Response.status == "pending",
        Response.attempts == bindparam("of_attempt"),
    )
)
_CHANGE = Statement(update(Interaction).where(Interaction.id == bindparam("of_id"), _IS_OPEN))
_END_PENDING = Statement(
    update(Response)
    .where(Response.job_id == bindparam("of_job"), Response.status == "pending")
    .values(
        status="timed_out",
        error=case((Response.attempts == 0, NOT_TAKEN), else_=LATE),
        lease_until=None,
        finished_at=bindparam("now"),
    )
)


#: What says what to look for in the cache before a query's agent in this role is asked; None when nothing is.
Seek = Callable[[Connection, Record, str], Look | None]


@dataclass(frozen=True)
class Claim:
    """The right to ask one agent; `attempt` is the token that every later write has to show."""

    job: Record
    agent_id: str
    role: str
    attempt: int
    is_first: bool
    #: The answer that the same call got before, if it did.
    hit: Hit | None = None
    #: What the answer is to be kept by.
    key: str | None = None

    @property
    def place(self) -> Place:
        """Whose answer this will be."""
        return Place(self.job.user_id, self.job.job_id, self.agent_id, is_aggregator=False)


@dataclass(frozen=True)
class Moved:
    """A query has moved on from asking: to this status, leaving these agents behind as too late."""

    status: QueryStatus
    late: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """An answer is stored: where the query went if it was the last, and what has waited for the same call."""

    moved: Moved | None
    waiting: Sequence[Work]


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
    cached: bool = False
    cached_from: str | None = None
    #: Whether the same call may get this answer again.
    is_keepable: bool = False

    def columns(self) -> dict[str, Any]:
        """What of it the response's row holds."""
        return {name: value for name, value in vars(self).items() if name not in ("note", "is_keepable")}


def claim(
    db: Database,
    job_id: str,
    agent_id: str,
    *,
    now: datetime,
    lease_until: datetime,
    attempts: int,
    seek: Seek | None = None,
) -> Claim | None:
    """Take the right to ask this agent, unless somebody holds it, the query is past asking, or it was tried enough.

    Where `seek` names a call it is not taken either while that is under way: the work waits in the outbox for its end.
    """
    with db.write("claim-response", synced=False) as connection:
        job = _TO_ASK.first(connection, of_job=job_id, of_agent=agent_id)
        if job is None or job.attempts >= attempts or (job.held_until is not None and job.held_until > now):
            return None
        look = seek(connection, job, job.role) if seek is not None else None
        found = None
        if look is not None:
            place = Place(job.user_id, job_id, agent_id, is_aggregator=False)
            found = cache.look(db, connection, look, place, now=now)
        if look is not None and found == "under way":
            outbox.park(connection, job_id, "ask", agent_id, awaits=look.key, due_at=look.park_until)
            return None
        _TAKE.change(connection, of_id=job.response_id, attempts=job.attempts + 1, lease_until=lease_until)
        if job.status == "accepted":
            _change(connection, job, status="asking")
        outbox.take(connection, job_id, "ask", agent_id)
        return Claim(
            job,
            agent_id,
            job.role,
            job.attempts + 1,
            is_first=job.status == "accepted",
            hit=found if isinstance(found, Hit) else None,
            key=look.key if look is not None else None,
        )


def renew(db: Database, claim: Claim, *, lease_until: datetime) -> bool:
    """Hold the claim a while longer; False when it is lost or the query is past asking, so the call can stop."""
    with db.write(synced=False) as connection:
        return _HELD.change(connection, **_token(claim), lease_until=lease_until) == 1


def finish(
    db: Database,
    claim: Claim,
    outcome: Outcome,
    *,
    now: datetime,
    hint_due_at: datetime,
    spent: Sequence[Spent] = (),
) -> Finished | None:
    """Store how asking ended, if the claim still holds, and settle the query in the same transaction.

    Args:
        spent: what its calls have used; it is counted whether the claim holds or not.
    Returns:
        What follows from it; None when the claim is lost.
    """
    with db.write("store-response", synced=False) as connection:
        usage.add(connection, claim.job.job_id, spent)
        # Locked before counting: two last responses must not each see the other as pending.
        job = _OPEN_JOB_LOCKED.first(connection, of_job=claim.job.job_id)
        if job is None:
            return None
        ended = {**outcome.columns(), "lease_until": None, "finished_at": now}
        if _HELD.change(connection, **_token(claim), **ended) == 0:
            return None
        if claim.key is not None and outcome.is_keepable:
            cache.keep(db, connection, claim.key, claim.place, now=now)
        elif claim.key is not None and claim.hit is None:
            cache.drop(connection, claim.key, claim.job.job_id)
        notes = list(job.notes)
        if outcome.note is not None and outcome.note not in notes:
            notes.append(outcome.note)
            _change(connection, job, notes=notes)
        made = claim.key if claim.hit is None else None
        waiting = outbox.waiting(connection, made) if made is not None else ()
        return Finished(_settle(connection, job, notes, now=now, hint_due_at=hint_due_at), waiting)


def settle(connection: Connection, job_id: str, *, now: datetime, hint_due_at: datetime) -> Moved | None:
    """Move a query on from asking when nothing is pending any more, or when its time for asking is over.

    Returns:
        Where it went, `aggregating` or `failed`; None when it stays.
    """
    job = _OPEN_JOB_LOCKED.first(connection, of_job=job_id)
    return None if job is None else _settle(connection, job, job.notes, now=now, hint_due_at=hint_due_at)


def _settle(
    connection: Connection, job: Record, notes: Sequence[str], *, now: datetime, hint_due_at: datetime
) -> Moved | None:
    if now < job.ask_deadline_at and _ANY_PENDING.first(connection, of_job=job.job_id) is not None:
        return None
    rows = _STANDING.all(connection, of_job=job.job_id)
    late = tuple(row.agent_id for row in rows if row.status == "pending")
    if late:
        _END_PENDING.change(connection, of_job=job.job_id, now=now)
    outbox.clear(connection, job.job_id)
    answered = sum(row.status == "ok" for row in rows)
    if answered >= job.quorum:
        _change(connection, job, status="aggregating")
        outbox.add(connection, job.job_id, "conclude", [""], due_at=hint_due_at)
        return Moved("aggregating", late)
    reason = f"No consensus: {answered} of the panel answered, and {job.quorum} are needed."
    _change(connection, job, status="failed", finished_at=now, notes=[*notes, reason])
    return Moved("failed", late)


def _change(connection: Connection, job: Record, **values: Any) -> None:
    _CHANGE.change(connection, of_id=job.id, **values)


def _token(claim: Claim) -> dict[str, Any]:
    """What `_HELD` asks of the row, so that only the holder of the claim writes."""
    return {"of_job": claim.job.job_id, "of_agent": claim.agent_id, "of_attempt": claim.attempt}
