"""The story of a query, in the order it happens: submit, ask, conclude, analyse.

The database is the truth. What goes to the broker is a hint that may come late, twice or never; what goes to the event
stream is for whoever watches. So each step first commits, then tells, and
hints last: whoever takes the hint tells what comes after.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from folkmoot import cache, calls, estimate, figures, logs, response, synthesis, traces
from folkmoot.announcements import tell_analysis, tell_begun, tell_ended, tell_moved
from folkmoot.asks import Ask, check, panel_of
from folkmoot.errors import AgentError, ClaimLost, Interrupted, InvalidRequest, NotFound, Unavailable
from folkmoot.panel import Loss, choose, deal
from folkmoot.resources import AnalysisResource, ConsensusResource, QueryResource, ResponseResource
from folkmoot.runtime import Runtime, seconds_until, utcnow
from folkmoot.store import asking, concluding, deletions, limits, queries, usage
from folkmoot.store.asking import Claim, Moved, Outcome
from folkmoot.store.cache import Hit
from folkmoot.store.concluding import Conclusion, ToAnalyse
from folkmoot.store.incidents import NewIncident
from folkmoot.store.usage import Spent
from folkmoot.synthesis import Synthesised


@dataclass(frozen=True)
class Measurable:
    """What is measured: a question and what was said to it.

    Attributes:
        job_id: whose account the calls of judges go to; empty for nobody's.
        user_id: who asked, whose own key such calls are made with.
        responses: (agent_id, text) of each, in the panel's order.
        roles: by agent, the role that it was given.
    """

    query: str
    question_type: str
    responses: Sequence[tuple[str, str]]
    roles: Mapping[str, str]
    consensus: str
    job_id: str = ""
    user_id: int = 0


#: Measures. It is handed in, and imported by no process but the one that measures.
Analyser = Callable[[Measurable], AnalysisResource]
#: What stands for an analysis that raised.
BROKE = AnalysisResource(
    status="failed", consensus_score=None, reason="the analysis broke down over these responses; it has been logged"
)

#: Between two tries to store what a model has answered, in seconds.
STORE_AGAIN_S = 0.5

Stored = TypeVar("Stored")

log = logging.getLogger(__name__)


def submit(
    runtime: Runtime, user_id: int, ask: Ask, *, idempotency_key: str, request_id: str | None = None
) -> tuple[QueryResource, bool]:
    """Accept a query: seat its panel by health, deal the roles, write all in one transaction, tell and hint.

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
    query = queries.find(runtime.db, job_id)
    logs.add(job_id=job_id)
    traces.note(job_id=job_id)
    if is_new:
        log.info("accepted")
        figures.seated(runtime, losses)
        tell_begun(runtime, query)
        runtime.publisher.hint(job_id, "ask", [one.agent_id for one in query.responses if one.status == "pending"])
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


def ask(runtime: Runtime, job_id: str, agent_id: str) -> None:
    """Ask one agent of the panel and store its response; the last one, or the deadline, moves the query on."""
    began = time.monotonic()
    seek = response.look_for(runtime, job_id, agent_id)
    now = utcnow()
    claim = asking.claim(
        runtime.db,
        job_id,
        agent_id,
        now=now,
        lease_until=runtime.lease_until(now),
        attempts=runtime.settings.attempts,
        seek=seek,
    )
    if claim is None:
        return
    logs.add(request_id=claim.job.request_id)
    figures.claimed(runtime, claim, now)
    log.info("asks, attempt %d%s", claim.attempt, ", answered by the cache" if claim.hit else "")
    if claim.is_first:
        runtime.events.append(job_id, [("status", {"status": "asking"})])
    spent: list[Spent] = []
    try:
        with traces.resumed(claim.job.traceparent, "ask", job_id=job_id, agent_id=agent_id):
            _ask(runtime, claim, began, spent)
    finally:
        figures.spent(runtime, spent)
        if claim.hit is None:
            cache.wake(runtime, claim.key)


def _ask(runtime: Runtime, claim: Claim, began: float, spent: list[Spent]) -> None:
    job_id, agent_id = claim.job.job_id, claim.agent_id
    try:
        outcome = _outcome_of(runtime, claim, claim.hit, began) if claim.hit else response.answer(runtime, claim, spent)
    except ClaimLost as lost:
        log.info("%s", lost)
        usage.count(runtime.db, job_id, spent)
        return
    except Interrupted:
        # The claim has run out, so the sweeper has it asked again.
        asking.renew(runtime.db, claim, lease_until=utcnow())
        usage.count(runtime.db, job_id, spent)
        return

    def finish(now: datetime) -> tuple[bool, Moved | None]:
        return asking.finish(runtime.db, claim, outcome, now=now, hint_due_at=runtime.hint_due(now), spent=spent)

    stored, moved = _stored(finish, until=claim.job.deadline_at)
    if not stored:
        # Somebody else has the claim, or nobody: what this one said does not count, what comes after it does.
        before = response.first_try(runtime, claim.attempt + 1)
        calls.void_abandoned(runtime, job_id, "response", agent_id=agent_id, before=before)
        return
    figures.answered(runtime, claim, outcome, took_s=time.monotonic() - began)
    log.info("response stored: %s%s", outcome.status, f", {outcome.latency_ms} ms" if outcome.latency_ms else "")
    runtime.events.append(job_id, [("response", _response(claim, outcome).as_json())])
    if moved is not None:
        tell_moved(runtime, job_id, moved)
        if moved.status == "aggregating":
            runtime.publisher.hint(job_id, "conclude")


def _outcome_of(runtime: Runtime, claim: Claim, hit: Hit, began: float) -> Outcome:
    """An answer from the cache, told whole; nothing was used for it."""
    if claim.attempt > 1:
        calls.void_abandoned(runtime, claim.job.job_id, "response", agent_id=claim.agent_id)
    data = {"agent_id": claim.agent_id, "attempt": response.first_try(runtime, claim.attempt), "text": hit.text}
    runtime.events.append(claim.job.job_id, [("response.delta", data)])
    return Outcome("ok", text=hit.text, **_of_cache(hit, began))


def _of_cache(hit: Hit, began: float) -> dict[str, Any]:
    return {
        "model": hit.model,
        "latency_ms": round((time.monotonic() - began) * 1000),
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": "0",
        "cached": True,
        "cached_from": hit.job_id,
    }


def _stored(store: Callable[[datetime], Stored], *, until: datetime) -> Stored:
    """Store what a model was paid for; a database that is away for a while must not cost it.

    Raises:
        Unavailable: it was away until the query's deadline.
    """
    while True:
        try:
            return store(utcnow())
        except Unavailable as error:
            if seconds_until(until) <= STORE_AGAIN_S:
                raise
            log.warning("an answer is not stored yet, to be tried again: %s", error.__cause__ or error)
        time.sleep(STORE_AGAIN_S)


def _response(claim: Claim, outcome: Outcome) -> ResponseResource:
    return ResponseResource(agent_id=claim.agent_id, role=claim.role, attempts=claim.attempt, **outcome.columns())


def conclude(runtime: Runtime, job_id: str) -> None:
    """Conclude a query: the first aggregator whose text can stand writes the consensus; else it fails with reasons."""
    began = time.monotonic()
    seek = synthesis.look_for(runtime, job_id)
    now = utcnow()
    conclusion = concluding.claim(
        runtime.db, job_id, now=now, lease_until=runtime.lease_until(now), attempts=runtime.settings.attempts, seek=seek
    )
    if conclusion is None:
        return
    logs.add(request_id=conclusion.job.request_id)
    figures.concluding(runtime, conclusion, now)
    log.info("concludes from %d responses%s", len(conclusion.responses), ", by the cache" if conclusion.hit else "")
    spent: list[Spent] = []
    try:
        with traces.resumed(conclusion.job.traceparent, "conclude", job_id=job_id):
            _conclude(runtime, conclusion, began, spent)
    finally:
        figures.spent(runtime, spent)
        if conclusion.hit is None:
            cache.wake(runtime, conclusion.key)


def _conclude(runtime: Runtime, conclusion: Conclusion, began: float, spent: list[Spent]) -> None:
    job_id = conclusion.job.job_id
    notes: list[str] = []
    try:
        if len(conclusion.responses) == 1:
            written, used = Synthesised(_of_one(conclusion, notes)), None
        else:
            written = (
                _concluded_before(runtime, conclusion, conclusion.hit, began)
                if conclusion.hit
                else synthesis.synthesise(runtime, conclusion, notes, spent)
            )
            used = written.consensus.agent_id
    except ClaimLost as lost:
        log.info("%s", lost)
        usage.count(runtime.db, job_id, spent)
        return
    except Interrupted:
        concluding.renew(runtime.db, conclusion, lease_until=utcnow())
        usage.count(runtime.db, job_id, spent)
        return
    except AgentError as error:
        notes.append(str(error))
        if concluding.fail(runtime.db, conclusion, notes=notes, now=utcnow(), spent=spent):
            log.warning("no consensus: no aggregator was left")
            tell_ended(runtime, job_id, "failed")
        return

    def store(now: datetime) -> bool:
        return concluding.conclude(
            runtime.db,
            conclusion,
            written.consensus,
            used=used,
            why_other=written.why_other,
            notes=notes,
            now=now,
            hint_due_at=runtime.hint_due(now),
            spent=spent,
            is_keepable=written.is_keepable,
        )

    if _stored(store, until=conclusion.job.deadline_at):
        figures.concluded(runtime, conclusion, written.consensus, took_s=time.monotonic() - began)
        log.info("consensus stored: by %s, %s ms", written.consensus.agent_id, written.consensus.latency_ms)
        runtime.events.append(job_id, [("consensus", written.consensus.as_json()), ("status", {"status": "done"})])
        runtime.publisher.hint(job_id, "analyse")
    else:
        before = synthesis.first_try(runtime, conclusion.fence + 1)
        calls.void_abandoned(runtime, job_id, "consensus", before=before)


def _concluded_before(runtime: Runtime, conclusion: Conclusion, hit: Hit, began: float) -> Synthesised:
    """A consensus from the cache, told whole; nothing was used for it."""
    job = conclusion.job
    if conclusion.fence > 1:
        calls.void_abandoned(runtime, job.job_id, "consensus")
    attempt = synthesis.first_try(runtime, conclusion.fence)
    data = {"agent_id": job.aggregator_requested, "attempt": attempt, "text": hit.text}
    runtime.events.append(job.job_id, [("consensus.delta", data)])
    return Synthesised(ConsensusResource(text=hit.text, agent_id=job.aggregator_requested, **_of_cache(hit, began)))


def _of_one(conclusion: Conclusion, notes: list[str]) -> ConsensusResource:
    """The only response, standing by itself: nothing is synthesised from one."""
    row = conclusion.responses[0]
    notes.append(f"Only {row.agent_id} answered: this is one agent's answer, not a consensus of several.")
    return ConsensusResource.model_validate(row, from_attributes=True)


def analyse(runtime: Runtime, job_id: str, analyser: Analyser) -> None:
    """Measure the responses of a concluded query, and store the result.

    Whatever the analysis does, the query keeps its consensus: one that breaks down is stored as failed.
    """
    found = concluding.to_analyse(runtime.db, job_id)
    if found is None:
        return
    logs.add(request_id=found.job.request_id)
    figures.analysing(runtime, found.job.finished_at)
    log.info("measures")
    with traces.resumed(found.job.traceparent, "analyse", job_id=job_id):
        _analyse(runtime, found, analyser)


def _analyse(runtime: Runtime, found: ToAnalyse, analyser: Analyser) -> None:
    began, job = time.monotonic(), found.job
    responses = [(row.agent_id, row.text) for row in found.responses]
    roles = {row.agent_id: row.role for row in found.responses}
    try:
        with traces.span("measure"):
            result = analyser(
                Measurable(job.query, job.question_type, responses, roles, found.consensus, job.job_id, job.user_id)
            )
    except Exception:
        log.exception("the analysis of job %s broke down", job.job_id)
        result = BROKE
    if concluding.finish_analysis(runtime.db, job.job_id, result, now=utcnow()):
        figures.analysed(runtime, took_s=time.monotonic() - began)
        log.info("analysis stored: %s", result.status)
        tell_analysis(runtime, job.job_id, result)


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
