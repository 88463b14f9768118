"""What is counted of each step of a query, for Prometheus."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from folkmoot.panel import Loss
from folkmoot.resources import ConsensusResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store.asking import Claim, Outcome
from folkmoot.store.concluding import Conclusion
from folkmoot.store.usage import Spent

NANO = 1e-9


def seated(runtime: Runtime, losses: Iterable[Loss]) -> None:
    """Count the seats of a panel that had failed."""
    for loss in losses:
        runtime.tallies.count("folkmoot_failovers", loss.agent_id, "response")


def claimed(runtime: Runtime, claim: Claim, now: datetime) -> None:
    """Count that an agent is about to be asked."""
    if claim.attempt == 1:
        _observe(runtime, "response_wait", now - claim.job.created_at)
    _looked_up(runtime, "response", claim.key, is_hit=claim.hit is not None)


def answered(runtime: Runtime, claim: Claim, outcome: Outcome, *, took_s: float) -> None:
    """Count a response that was stored."""
    runtime.tallies.count("folkmoot_responses", claim.agent_id, outcome.status)
    runtime.tallies.observe("folkmoot_stage_seconds", "response", seconds=took_s)


def concluding(runtime: Runtime, conclusion: Conclusion, now: datetime) -> None:
    """Count that a query is about to be concluded."""
    ends = [row.finished_at for row in conclusion.responses if row.finished_at is not None]
    if conclusion.fence == 1 and ends:
        _observe(runtime, "consensus_wait", now - max(ends))
    _looked_up(runtime, "consensus", conclusion.key, is_hit=conclusion.hit is not None)


def concluded(runtime: Runtime, conclusion: Conclusion, consensus: ConsensusResource, *, took_s: float) -> None:
    """Count a consensus that was stored, and what the product took beside the models."""
    job = conclusion.job
    runtime.tallies.count("folkmoot_queries_ended", "done")
    runtime.tallies.observe("folkmoot_stage_seconds", "consensus", seconds=took_s)
    is_written = len(conclusion.responses) > 1
    if is_written and consensus.agent_id != job.aggregator_requested:
        runtime.tallies.count("folkmoot_failovers", job.aggregator_requested, "consensus")
    models_ms = max((row.latency_ms or 0 for row in conclusion.responses), default=0)
    models_ms += (consensus.latency_ms or 0) if is_written else 0
    overhead_s = (utcnow() - job.created_at).total_seconds() - models_ms / 1000
    runtime.tallies.observe("folkmoot_overhead_seconds", seconds=max(0.0, overhead_s))


def analysing(runtime: Runtime, concluded_at: datetime | None) -> None:
    """Count that responses are about to be measured."""
    if concluded_at is not None:
        _observe(runtime, "analysis_wait", utcnow() - concluded_at)


def analysed(runtime: Runtime, *, took_s: float) -> None:
    """Count an analysis that was stored."""
    runtime.tallies.observe("folkmoot_stage_seconds", "analysis", seconds=took_s)


def spent(runtime: Runtime, calls: Iterable[Spent]) -> None:
    """Count what calls have used, whatever came of them."""
    for call in calls:
        runtime.tallies.count("folkmoot_tokens", call.stage, "prompt", by=call.prompt_tokens)
        runtime.tallies.count("folkmoot_tokens", call.stage, "completion", by=call.completion_tokens)
        if call.nano_usd is not None:
            runtime.tallies.count("folkmoot_cost_usd", call.stage, by=call.nano_usd * NANO)


def _looked_up(runtime: Runtime, stage: str, key: str | None, *, is_hit: bool) -> None:
    if is_hit or key is not None:
        runtime.tallies.count("folkmoot_cache_lookups", stage, "hit" if is_hit else "miss")


def _observe(runtime: Runtime, stage: str, waited: timedelta) -> None:
    runtime.tallies.observe("folkmoot_stage_seconds", stage, seconds=max(0.0, waited.total_seconds()))
