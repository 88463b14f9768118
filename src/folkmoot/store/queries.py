"""Queries as their owners see them: accepted, shown, cancelled, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from folkmoot.db import Database
from folkmoot.errors import IdempotencyMismatch, NotFound
from folkmoot.models import Interaction, Response
from folkmoot.prompts import Question, Turn
from folkmoot.resources import ENDED, QueryResource, Stage
from folkmoot.statements import Record, Statement
from folkmoot.store import asking, incidents, limits, outbox, records, usage
from folkmoot.store.deletions import NO_SUCH_QUERY, NUL, is_hidden
from folkmoot.store.incidents import NewIncident
from folkmoot.store.limits import Limits
from folkmoot.store.usage import Amount

#: Earlier questions of a conversation that a follow-up carries along.
LONGEST_CONVERSATION = 4

_ADD, _ADD_SEATS = Statement(insert(Interaction)), Statement(insert(Response))
_ACCEPTED_BEFORE = Statement(
    select(Interaction.job_id, Interaction.request_hash).where(
        Interaction.user_id == bindparam("of_user"), Interaction.idempotency_key == bindparam("of_key")
    )
)

_of_job = select(Interaction).where(Interaction.job_id == bindparam("of_job"))
_OF_JOB = Statement(_of_job)
_seen = _of_job.where(Interaction.user_id == bindparam("of_user"), ~is_hidden())
#: The query when the user sees it: it is theirs, and not deleted.
_SEEN, _SEEN_LOCKED = Statement(_seen), Statement(_seen.with_for_update())
_IS_SEEN = Statement(_seen.with_only_columns(Interaction.id))
_CONSENSUS = Statement(select(Response.text).where(Response.job_id == bindparam("of_job"), Response.is_aggregator))


@dataclass(frozen=True)
class NewQuery:
    """What `accept` writes about a query."""

    job_id: str
    user_id: int
    query: str
    domain: str
    question_type: str
    parent_job_id: str | None
    quorum: int
    aggregator: str
    idempotency_key: str
    request_hash: str
    notes: list[str]
    created_at: datetime
    ask_deadline_at: datetime
    deadline_at: datetime
    instructions: str = ""
    turns: Sequence[tuple[str, str]] = ()
    use_cache: bool = True
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class NewResponse:
    """What `accept` writes about a seat of the panel; `skipped` is the reason when it is not asked."""

    agent_id: str
    role: str
    model: str
    skipped: str | None = None


def accept(
    db: Database,
    new: NewQuery,
    seats: Sequence[NewResponse],
    *,
    hint_due_at: datetime,
    lost: Sequence[NewIncident] = (),
    needed: Mapping[Stage, Amount] | None = None,
    bounds: Limits = limits.NONE,
) -> tuple[str, bool]:
    """Write a query, its panel, its outbox rows, and what happened to seats that are `lost` to it in one transaction.

    On SQLite it may be told of only after `Database.sync`, for which its hints need not wait.

    Args:
        needed: what it may use, to be reserved.
        bounds: what it has to fit into, beside all others.
    Returns:
        The job_id, and whether this call made it; it did not when the same request had come before.
    Raises:
        IdempotencyMismatch: the key came before with another request.
        LimitReached: it does not fit; nothing was stored.
    """
    needed = needed or {}
    try:
        with db.write("accept", synced=not db.is_sqlite) as connection:
            limits.take_turn(db, connection, bounds, new.user_id)
            # Written before it is weighed: the same request, accepted a moment ago, is found and not weighed twice.
            _ADD.change(connection, **_interaction(new))
            asked_for = sum(needed.values(), Amount())
            limits.hold(connection, bounds, job_id=new.job_id, user_id=new.user_id, asked=asked_for, now=new.created_at)
            usage.reserve(connection, new.job_id, new.user_id, day=new.created_at.date(), needed=needed)
            _ADD_SEATS.insert(connection, [_response(new, seat) for seat in seats])
            asked = [seat.agent_id for seat in seats if seat.skipped is None]
            outbox.add(connection, new.job_id, "ask", asked, due_at=hint_due_at)
            incidents.record(connection, lost)
            if not asked:
                asking.settle(connection, new.job_id, now=new.created_at, hint_due_at=hint_due_at)
        return new.job_id, True
    except IntegrityError:
        earlier = accepted_before(db, new.user_id, new.idempotency_key, new.request_hash)
        if earlier is None:
            raise
        return earlier, False


def accepted_before(db: Database, user_id: int, idempotency_key: str, request_hash: str) -> str | None:
    """The job that the same request has made already, if any.

    Raises:
        IdempotencyMismatch: the key came before with another request.
    """
    with db.look() as connection:
        row = _ACCEPTED_BEFORE.first(connection, of_user=user_id, of_key=idempotency_key)
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise IdempotencyMismatch(
            "This Idempotency-Key came before with another request. Send a new key with a new request."
        )
    return str(row.job_id)


def _interaction(new: NewQuery) -> dict[str, Any]:
    return {
        "job_id": new.job_id,
        "user_id": new.user_id,
        "query": new.query,
        "domain": new.domain,
        "question_type": new.question_type,
        "parent_job_id": new.parent_job_id,
        "conversation": {"instructions": new.instructions, "turns": list(new.turns)}
        if new.instructions or new.turns
        else None,
        "status": "accepted",
        "quorum": new.quorum,
        "aggregator_requested": new.aggregator,
        "idempotency_key": new.idempotency_key,
        "request_hash": new.request_hash,
        "fence": 0,
        "notes": new.notes,
        "created_at": new.created_at,
        "ask_deadline_at": new.ask_deadline_at,
        "deadline_at": new.deadline_at,
        "use_cache": None if new.use_cache else False,
        "request_id": new.request_id,
        "traceparent": new.traceparent,
    }


def _response(new: NewQuery, seat: NewResponse) -> dict[str, Any]:
    return {
        "job_id": new.job_id,
        "agent_id": seat.agent_id,
        "is_aggregator": False,
        "role": seat.role,
        "model": seat.model,
        "status": "pending" if seat.skipped is None else "skipped",
        "error": seat.skipped,
        "cached": False,
        "attempts": 0,
        "created_at": new.created_at,
        "finished_at": None if seat.skipped is None else new.created_at,
    }


#: What the database makes of a row's columns that a new one does not name.
_UNSET: dict[str, Any] = dict.fromkeys(
    ("text", "latency_ms", "prompt_tokens", "completion_tokens", "cost_usd", "cached_from", "aggregator_used")
)


def as_accepted(new: NewQuery, seats: Sequence[NewResponse]) -> QueryResource:
    """What `find` would find of a query that was accepted this moment, and of which some seat is asked."""
    job = SimpleNamespace(**_UNSET, **_interaction(new), finished_at=None)
    rows = [SimpleNamespace(**_UNSET, **_response(new, seat)) for seat in seats]
    return records.told(job, rows, analysis=records.PENDING, cost=usage.cost_of(()))


def find(db: Database, job_id: str, *, user_id: int | None = None) -> QueryResource:
    """A query with all that has come of it; with `user_id`, as that user sees it.

    Raises:
        NotFound: there is none; or the user has deleted it, or it is somebody else's.
    """
    with db.looks() as connection:
        row = (
            _OF_JOB.first(connection, of_job=_known(job_id))
            if user_id is None
            else _seen_by(connection, job_id, user_id)
        )
        if row is None:
            raise NotFound(NO_SUCH_QUERY)
        return records.query(connection, row)


def owned(db: Database, job_id: str, *, user_id: int) -> None:
    """See that a query is this user's.

    Raises:
        NotFound: there is none, it is deleted, or it is somebody else's.
    """
    with db.look() as connection:
        if _IS_SEEN.first(connection, of_job=_known(job_id), of_user=user_id) is None:
            raise NotFound(NO_SUCH_QUERY)


def question(connection: Connection, job: Record) -> Question:
    """What a query asks, with the conversation that it follows up or that came with it."""
    earlier = _conversation(connection, job.parent_job_id, job.user_id) if job.parent_job_id else ()
    sent: dict[str, Any] = job.conversation or {"instructions": "", "turns": []}
    turns = (*earlier, *(Turn(*turn) for turn in sent["turns"]))
    return Question(job.query, job.domain, job.question_type, turns, sent["instructions"])


def conversation(db: Database, job_id: str | None, *, user_id: int) -> tuple[Turn, ...]:
    """The questions and consensuses that lead up to a follow-up of this query, oldest first; own ones only."""
    with db.read() as connection:
        return _conversation(connection, job_id, user_id)


def _conversation(connection: Connection, job_id: str | None, user_id: int) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    while job_id is not None and len(turns) < LONGEST_CONVERSATION:
        row = _seen_by(connection, job_id, user_id)
        if row is None:
            break
        turns.append(Turn(row.query, _CONSENSUS.scalar(connection, of_job=job_id) or ""))
        job_id = row.parent_job_id
    return tuple(reversed(turns))


def cancel(db: Database, job_id: str, *, user_id: int, now: datetime) -> tuple[QueryResource, bool]:
    """End a query that is still open, as cancelled; one that has ended stays as it ended.

    Returns:
        The query, and whether this call ended it.
    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with db.write() as connection:
        row = _SEEN_LOCKED.first(connection, of_job=_known(job_id), of_user=user_id)
        if row is None:
            raise NotFound(NO_SUCH_QUERY)
        is_open = row.status not in ENDED
        if is_open:
            _cancel(connection, job_id, now)
            row = _OF_JOB.first(connection, of_job=job_id)
        return records.query(connection, row), is_open


def _cancel(connection: Connection, job_id: str, now: datetime) -> None:
    connection.execute(
        update(Interaction)
        .where(Interaction.job_id == job_id)
        .values(status="cancelled", finished_at=now, lease_until=None)
    )
    connection.execute(
        update(Response)
        .where(Response.job_id == job_id, Response.status == "pending")
        .values(status="cancelled", error="cancelled before it answered", finished_at=now, lease_until=None)
    )
    outbox.clear(connection, job_id)


def erase(db: Database, job_id: str, *, user_id: int) -> None:
    """Delete a query with its responses and analysis; workers still at it find nothing to write to.

    What happened to seats in it stays, without its job_id.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    known = _known(job_id)
    with db.write() as connection:
        gone = connection.execute(
            delete(Interaction).where(Interaction.job_id == known, Interaction.user_id == user_id)
        )
        if gone.rowcount == 0:
            raise NotFound(NO_SUCH_QUERY)
        incidents.forget_job(connection, known)


def _seen_by(connection: Connection, job_id: str, user_id: int) -> Record | None:
    return _SEEN.first(connection, of_job=_known(job_id), of_user=user_id)


def _known(job_id: str) -> str:
    """The id as a database takes it: none of ours holds what PostgreSQL would refuse."""
    return job_id.replace(NUL, " ")
