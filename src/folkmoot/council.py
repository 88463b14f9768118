"""The story of a query's council, in the order it happens: each agent is asked, then one of them concludes.

Before it comes `submission`, after it `measurement`. The database is the truth. What goes to the broker is a hint that
may come late, twice or never; what goes to the event stream is for whoever watches. So each step first commits, then
tells, and hints last, or in the same breath: whoever takes the hint tells what comes after.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from folkmoot import cache, calls, figures, logs, response, synthesis, traces
from folkmoot.announcements import tell_consensus, tell_ended, tell_response
from folkmoot.calls import Untold
from folkmoot.errors import AgentError, ClaimLost, Interrupted, Unavailable
from folkmoot.resources import AnalysisResource, ConsensusResource, ResponseResource
from folkmoot.runtime import Runtime, seconds_until, utcnow
from folkmoot.store import asking, concluding, usage
from folkmoot.store.asking import Claim, Finished, Outcome
from folkmoot.store.cache import Hit
from folkmoot.store.concluding import Conclusion
from folkmoot.store.outbox import Work
from folkmoot.store.usage import Spent
from folkmoot.synthesis import Synthesised

#: Between two tries to store what a model has answered, in seconds.
STORE_AGAIN_S = 0.5

#: What is stored in place of an analysis where nobody wants one.
NOT_WANTED = AnalysisResource(
    status="skipped", consensus_score=None, reason="this Folkmoot measures nothing (FOLKMOOT_ANALYSIS is false)"
)

Stored = TypeVar("Stored")

log = logging.getLogger(__name__)


def ask(runtime: Runtime, job_id: str, agent_id: str) -> None:
    """Ask one agent of the panel and store its response; the last one, or the deadline, moves the query on."""
    began, now = time.monotonic(), utcnow()
    plan = response.Plan(runtime, agent_id)
    claim = asking.claim(
        runtime.db,
        job_id,
        agent_id,
        now=now,
        lease_until=runtime.lease_until(now),
        attempts=runtime.settings.attempts,
        seek=plan.look_for,
    )
    if claim is None:
        return
    logs.add(request_id=claim.job.request_id)
    spent: list[Spent] = []
    waiting: Sequence[Work] | None = None
    try:
        with traces.resumed(claim.job.traceparent, "ask", job_id=job_id, agent_id=agent_id):
            meanwhile = partial(_tell_claimed, runtime, claim, now)
            waiting = _ask(runtime, claim, plan, began=began, spent=spent, meanwhile=meanwhile)
    finally:
        figures.spent(runtime, spent)
        if claim.hit is None:
            cache.wake(runtime, claim.key, waiting)


def _ask(
    runtime: Runtime,
    claim: Claim,
    plan: response.Plan,
    *,
    began: float,
    spent: list[Spent],
    meanwhile: Callable[[], None],
) -> Sequence[Work] | None:
    """Returns the work that has waited for this answer, when it was stored."""
    job_id, agent_id = claim.job.job_id, claim.agent_id
    try:
        if claim.hit:
            meanwhile()
            outcome, untold = _outcome_of(runtime, claim, claim.hit, began)
        else:
            outcome, untold = response.answer(runtime, claim, plan, spent, meanwhile)
    except ClaimLost as lost:
        log.info("%s", lost)
        usage.count(runtime.db, job_id, spent)
        return None
    except Interrupted:
        # The claim has run out, so the sweeper has it asked again.
        asking.renew(runtime.db, claim, lease_until=utcnow())
        usage.count(runtime.db, job_id, spent)
        return None

    def finish(now: datetime) -> Finished | None:
        return asking.finish(runtime.db, claim, outcome, now=now, hint_due_at=runtime.hint_due(now), spent=spent)

    finished = _stored(finish, until=claim.job.deadline_at)
    if finished is None:
        # Somebody else has the claim, or nobody: what this one said does not count, what comes after it does.
        before = response.first_try(runtime, claim.attempt + 1)
        calls.void_abandoned(runtime, job_id, "response", agent_id=agent_id, before=before)
        return None
    tell_response(runtime, job_id, _response(claim, outcome), finished.moved, untold)
    figures.answered(runtime, claim, outcome, took_s=time.monotonic() - began)
    log.info("response stored: %s%s", outcome.status, f", {outcome.latency_ms} ms" if outcome.latency_ms else "")
    return finished.waiting


def _tell_claimed(runtime: Runtime, claim: Claim, now: datetime) -> None:
    figures.claimed(runtime, claim, now)
    log.info("asks, attempt %d%s", claim.attempt, ", answered by the cache" if claim.hit else "")
    if claim.is_first:
        runtime.events.append(claim.job.job_id, [("status", {"status": "asking"})])


def _outcome_of(runtime: Runtime, claim: Claim, hit: Hit, began: float) -> tuple[Outcome, Untold]:
    """An answer from the cache, to be told whole; nothing was used for it."""
    if claim.attempt > 1:
        calls.void_abandoned(runtime, claim.job.job_id, "response", agent_id=claim.agent_id)
    data = {"agent_id": claim.agent_id, "attempt": response.first_try(runtime, claim.attempt), "text": hit.text}
    return Outcome("ok", text=hit.text, **_of_cache(hit, began)), Untold([("response.delta", data)])


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
    found = concluding.to_conclude(runtime.db, job_id)
    if found is None:
        return
    plan = synthesis.Plan(runtime, found)
    seek, now = plan.look_for(), utcnow()
    conclusion = concluding.claim(
        runtime.db, found, now=now, lease_until=runtime.lease_until(now), attempts=runtime.settings.attempts, seek=seek
    )
    if conclusion is None:
        return
    logs.add(request_id=conclusion.job.request_id)
    figures.concluding(runtime, conclusion, now)
    log.info("concludes from %d responses%s", len(conclusion.responses), ", by the cache" if conclusion.hit else "")
    spent: list[Spent] = []
    waiting: Sequence[Work] | None = None
    try:
        with traces.resumed(conclusion.job.traceparent, "conclude", job_id=job_id):
            waiting = _conclude(runtime, conclusion, plan, began, spent)
    finally:
        figures.spent(runtime, spent)
        if conclusion.hit is None:
            cache.wake(runtime, conclusion.key, waiting)


def _conclude(
    runtime: Runtime, conclusion: Conclusion, plan: synthesis.Plan, began: float, spent: list[Spent]
) -> Sequence[Work] | None:
    """Returns the work that has waited for this consensus, when it was stored."""
    job_id = conclusion.job.job_id
    notes: list[str] = []
    try:
        if len(conclusion.responses) == 1:
            written, used = Synthesised(_of_one(conclusion, notes)), None
        else:
            written = (
                _concluded_before(runtime, conclusion, conclusion.hit, began)
                if conclusion.hit
                else synthesis.synthesise(runtime, conclusion, plan, notes, spent)
            )
            used = written.consensus.agent_id
    except ClaimLost as lost:
        log.info("%s", lost)
        usage.count(runtime.db, job_id, spent)
        return None
    except Interrupted:
        concluding.renew(runtime.db, conclusion, lease_until=utcnow())
        usage.count(runtime.db, job_id, spent)
        return None
    except AgentError as error:
        notes.append(str(error))
        if concluding.fail(runtime.db, conclusion, notes=notes, now=utcnow(), spent=spent):
            log.warning("no consensus: no aggregator was left")
            tell_ended(runtime, job_id, "failed")
        return None

    analysis = None if runtime.settings.analysis else NOT_WANTED

    def store(now: datetime) -> Sequence[Work] | None:
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
            analysis=analysis,
        )

    waiting = _stored(store, until=conclusion.job.deadline_at)
    if waiting is None:
        before = synthesis.first_try(runtime, conclusion.fence + 1)
        calls.void_abandoned(runtime, job_id, "consensus", before=before)
        return None
    tell_consensus(runtime, job_id, written.consensus, analysis, written.untold)
    figures.concluded(runtime, conclusion, written.consensus, took_s=time.monotonic() - began)
    log.info("consensus stored: by %s, %s ms", written.consensus.agent_id, written.consensus.latency_ms)
    return waiting


def _concluded_before(runtime: Runtime, conclusion: Conclusion, hit: Hit, began: float) -> Synthesised:
    """A consensus from the cache, to be told whole; nothing was used for it."""
    job = conclusion.job
    if conclusion.fence > 1:
        calls.void_abandoned(runtime, job.job_id, "consensus")
    attempt = synthesis.first_try(runtime, conclusion.fence)
    data = {"agent_id": job.aggregator_requested, "attempt": attempt, "text": hit.text}
    consensus = ConsensusResource(text=hit.text, agent_id=job.aggregator_requested, **_of_cache(hit, began))
    return Synthesised(consensus, untold=Untold([("consensus.delta", data)]))


def _of_one(conclusion: Conclusion, notes: list[str]) -> ConsensusResource:
    """The only response, standing by itself: nothing is synthesised from one."""
    row = conclusion.responses[0]
    notes.append(f"Only {row.agent_id} answered: this is one agent's answer, not a consensus of several.")
    return ConsensusResource.model_validate(row, from_attributes=True)
