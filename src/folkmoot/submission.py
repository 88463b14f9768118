"""What its user does with a query: submit it, and cancel, delete or restore it."""

import logging
import random
import uuid
from datetime import timedelta

from folkmoot import estimate, figures, logs, traces
from folkmoot.announcements import tell_begun, tell_ended
from folkmoot.asks import Ask, check, panel_of
from folkmoot.errors import InvalidRequest, NotFound
from folkmoot.panel import Loss, choose, deal
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import deletions, limits, queries
from folkmoot.store.incidents import NewIncident

log = logging.getLogger(__name__)


def submit(
    runtime: Runtime, user_id: int, ask: Ask, *, idempotency_key: str, request_id: str | None = None
) -> tuple[QueryResource, bool]:
    """Accept a query: seat its panel by health, deal the roles, write all in one transaction, and tell.

    Returns:
        The query, and whether this call made it; the same request with the same key makes one query only.
    Raises:
        InvalidRequest: a field is wrong; nothing was stored.
        IdempotencyMismatch: the key came before with another request.
        LimitReached: the user has sent too many, has too many under way, or a budget does not hold it.
    """
    check(ask, runtime.roster, runtime.settings)
    earlier = queries.accepted_before(runtime.db, user_id, idempotency_key, ask.digest())
    if earlier is not None:
        runtime.db.sync()
        return queries.find(runtime.db, earlier), False
    _check_parent(runtime, ask, user_id)
    most, now = runtime.settings.rate_per_minute, utcnow().timestamp()
    runtime.rates.count(f"user:{user_id}", "You may send {} queries a minute", per_minute=most, now=now)
    new, places, losses = _seated(runtime, user_id, ask, idempotency_key, request_id)
    lost = [_incident(new, loss) for loss in losses]
    bounds = limits.of(runtime.settings)
    job_id, is_new = queries.accept(
        runtime.db,
        new,
        places,
        hint_due_at=runtime.hint_due(new.created_at),
        lost=lost,
        needed=estimate.of_query(runtime, new, places) if bounds.has_budget else {},
        bounds=bounds,
    )
    is_asked = any(place.skipped is None for place in places)
    query = queries.as_accepted(new, places) if is_new and is_asked else queries.find(runtime.db, job_id)
    logs.add(job_id=job_id)
    traces.note(job_id=job_id)
    if is_new:
        log.info("accepted")
        figures.seated(runtime, losses)
        tell_begun(runtime, query)
    # The seats are at it by now; whoever asked is told when the disk has it too (docs/decisions/0029).
    runtime.db.sync()
    return query, is_new


def _check_parent(runtime: Runtime, ask: Ask, user_id: int) -> None:
    if ask.parent_job_id is None:
        return
    try:
        parent = queries.find(runtime.db, ask.parent_job_id, user_id=user_id)
    except NotFound:
        raise InvalidRequest({"parent_job_id": "There is no such query of yours to follow up."}) from None
    if parent.status != "done":
        raise InvalidRequest({"parent_job_id": "Only a query with a consensus can be followed up."})


def _seated(
    runtime: Runtime, user_id: int, ask: Ask, idempotency_key: str, request_id: str | None
) -> tuple[queries.NewQuery, list[queries.NewResponse], tuple[Loss, ...]]:
    settings, now = runtime.settings, utcnow()
    aggregator = ask.aggregator or runtime.roster.aggregator
    seats = panel_of(ask, runtime.roster)
    quorum = min(settings.quorum, len(seats))
    panel = choose(
        runtime.roster,
        seats,
        deal(seats, ask.roles, random.SystemRandom()),
        aggregator=aggregator,
        quorum=quorum,
        board=runtime.health.board(now=now.timestamp()),
    )
    deadline_s = ask.deadline_s or settings.deadline_s
    new = queries.NewQuery(
        job_id=str(uuid.uuid4()),
        user_id=user_id,
        query=ask.query,
        domain=ask.domain,
        question_type=ask.question_type,
        parent_job_id=ask.parent_job_id,
        quorum=quorum,
        aggregator=aggregator,
        idempotency_key=idempotency_key,
        request_hash=ask.digest(),
        notes=list(panel.notes),
        created_at=now,
        ask_deadline_at=now + timedelta(seconds=deadline_s * settings.ask_share),
        deadline_at=now + timedelta(seconds=deadline_s),
        instructions=ask.instructions,
        turns=ask.turns,
        use_cache=ask.use_cache,
        request_id=request_id,
        traceparent=traces.carried(),
    )
    places = [
        queries.NewResponse(place.agent_id, place.role, runtime.roster.seats[place.agent_id].model, place.skipped)
        for place in panel.places
    ]
    return new, places, panel.losses


def _incident(new: queries.NewQuery, loss: Loss) -> NewIncident:
    return NewIncident(
        at=new.created_at,
        agent_id=loss.agent_id,
        kind="replaced" if loss.stand_in else "skipped",
        stand_in=loss.stand_in,
        reason=loss.reason,
        job_id=new.job_id,
    )


def cancel(runtime: Runtime, user_id: int, job_id: str) -> QueryResource:
    """Cancel a query that is still open; workers at it notice when they renew their claim.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    query, is_ended_now = queries.cancel(runtime.db, job_id, user_id=user_id, now=utcnow())
    if is_ended_now:
        log.info("cancelled")
        told = [("response", one.as_json()) for one in query.responses if one.status == "cancelled"]
        runtime.events.append(job_id, told)
        tell_ended(runtime, job_id, "cancelled")
    return query


def delete(runtime: Runtime, user_id: int, job_id: str, *, undo_s: float = 0) -> None:
    """Delete a query and all that came of it; with `undo_s`, its owner may have it back for so many seconds.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    if undo_s:
        deletions.hide(runtime.db, job_id, user_id=user_id, due_at=utcnow() + timedelta(seconds=undo_s))
        return
    queries.erase(runtime.db, job_id, user_id=user_id)
    runtime.events.forget(job_id)


def restore(runtime: Runtime, user_id: int, job_id: str) -> QueryResource:
    """Take back a deletion that can be undone.

    Raises:
        NotFound: it cannot be undone any more, or there is none, or it is somebody else's.
    """
    deletions.restore(runtime.db, job_id, user_id=user_id, now=utcnow())
    return queries.find(runtime.db, job_id, user_id=user_id)
