"""The aggregator's half of a query: the claim with its fencing token, the one consensus, and the analysis after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from folkmoot.db import Database
from folkmoot.models import Analysis, Interaction, Response
from folkmoot.prompts import Question
from folkmoot.resources import AnalysisResource, ConsensusResource, QueryStatus
from folkmoot.statements import Record, Statement
from folkmoot.store import cache, incidents, outbox, queries, records, usage
from folkmoot.store.cache import Hit, Look, Place
from folkmoot.store.incidents import NewIncident
from folkmoot.store.outbox import Work
from folkmoot.store.usage import Spent

_AGGREGATING = Statement(
    select(Interaction).where(Interaction.job_id == bindparam("of_job"), Interaction.status == "aggregating")
)
_held = update(Interaction).where(
    Interaction.job_id == bindparam("of_job"),
    Interaction.status == "aggregating",
    Interaction.fence == bindparam("of_fence"),
)
_HELD = Statement(_held)
_TAKE = Statement(_held.where(or_(Interaction.lease_until.is_(None), Interaction.lease_until <= bindparam("now"))))
_PANEL = Statement(
    select(Response.agent_id).where(Response.job_id == bindparam("of_job"), Response.is_aggregator.is_(False))
)
_PENDING = Statement(
    select(Analysis.job_id).where(Analysis.job_id == bindparam("of_job"), Analysis.status == "pending")
)
_CONSENSUS = Statement(select(Response.text).where(Response.job_id == bindparam("of_job"), Response.is_aggregator))
_ADD_CONSENSUS, _ADD_ANALYSIS = Statement(insert(Response)), Statement(insert(Analysis))


@dataclass(frozen=True)
class Conclusion:
    """The right to conclude a query; no write succeeds once somebody holds a newer `fence`.

    Attributes:
        question: what it asks, with what was said before.
        responses: the rows that count. They are final: a query that is aggregating takes no more.
        panel: agent_ids of all rows, asked or not.
    """

    job: Record
    question: Question
    responses: tuple[Record, ...]
    panel: tuple[str, ...]
    fence: int
    #: The consensus that the same call got before, if it did.
    hit: Hit | None = None
    #: What the consensus is to be kept by.
    key: str | None = None

    @property
    def place(self) -> Place:
        """Whose consensus this will be."""
        return Place(self.job.user_id, self.job.job_id, self.job.aggregator_requested, is_aggregator=True)


def to_conclude(db: Database, job_id: str) -> Conclusion | None:
    """A query that is to be concluded, as `claim` would give it, without the right to."""
    with db.read() as connection:
        job = _AGGREGATING.first(connection, of_job=job_id)
        if job is None:
            return None
        panel = tuple(row.agent_id for row in _PANEL.all(connection, of_job=job_id))
        answered = records.answered(connection, job_id)
        return Conclusion(job, queries.question(connection, job), tuple(answered), panel, job.fence)


def claim(
    db: Database,
    found: Conclusion,
    *,
    now: datetime,
    lease_until: datetime,
    attempts: int,
    seek: Look | None = None,
) -> Conclusion | None:
    """Take the right to conclude what was found, unless somebody has or had it since, or it was tried enough.

    With `seek` it is not taken either while the same call is under way: the work waits in the outbox for that to end.
    """
    job_id, fence = found.job.job_id, found.fence + 1
    if found.fence >= attempts:
        return None
    with db.write("claim-conclusion", synced=False) as connection:
        if not _TAKE.change(
            connection, of_job=job_id, of_fence=found.fence, now=now, fence=fence, lease_until=lease_until
        ):
            return None
        before = None if seek is None else cache.look(db, connection, seek, found.place, now=now)
        if seek is not None and before == "under way":
            # Nobody has tried: the claim is taken back.
            _HELD.change(connection, of_job=job_id, of_fence=fence, fence=found.fence, lease_until=None)
            outbox.park(connection, job_id, "conclude", "", awaits=seek.key, due_at=seek.park_until)
            return None
        outbox.take(connection, job_id, "conclude")
        hit = before if isinstance(before, Hit) else None
        return replace(found, fence=fence, hit=hit, key=None if seek is None else seek.key)


def renew(db: Database, conclusion: Conclusion, *, lease_until: datetime) -> bool:
    """Hold the claim a while longer; False when it is lost or the query has ended, so the call can stop."""
    with db.write(synced=False) as connection:
        return _HELD.change(connection, **_token(conclusion), lease_until=lease_until) == 1


def conclude(
    db: Database,
    conclusion: Conclusion,
    consensus: ConsensusResource,
    *,
    used: str | None,
    notes: list[str],
    now: datetime,
    hint_due_at: datetime,
    why_other: str | None = None,
    spent: Sequence[Spent] = (),
    is_keepable: bool = False,
    analysis: AnalysisResource | None = None,
) -> Sequence[Work] | None:
    """Store the consensus and end the query as done, with its analysis to follow.

    Args:
        used: the seat that acted as aggregator; None when one agent's response stands by itself.
        why_other: why it is another than the requested one, for everybody to read.
        spent: what the calls have used; it is counted whether the claim holds or not.
        is_keepable: whether the same call may get this consensus again.
        analysis: what stands for one where none is to follow.
    Returns:
        The work that has waited for this consensus; None when the claim is lost.
    """
    job_id = conclusion.job.job_id
    ended = _ended(conclusion, "done", notes, now) | {"aggregator_used": used}
    with db.write("store-consensus") as connection:
        usage.add(connection, job_id, spent)
        if _HELD.change(connection, **ended) == 0:
            return None
        _ADD_CONSENSUS.change(connection, **_consensus(job_id, consensus, now))
        if conclusion.key is not None and is_keepable:
            cache.keep(db, connection, conclusion.key, conclusion.place, now=now)
        elif conclusion.key is not None and conclusion.hit is None:
            cache.drop(connection, conclusion.key, job_id)
        outbox.clear(connection, job_id)
        if analysis is not None:
            _ADD_ANALYSIS.change(connection, job_id=job_id, created_at=now, **_measured(analysis, now))
        else:
            _ADD_ANALYSIS.change(connection, job_id=job_id, status="pending", created_at=now)
            outbox.add(connection, job_id, "analyse", [""], due_at=hint_due_at)
        incidents.record(connection, _failover(conclusion.job, used, why_other, now))
        if conclusion.key is None or conclusion.hit is not None:
            return ()
        return outbox.waiting(connection, conclusion.key)


def fail(db: Database, conclusion: Conclusion, *, notes: list[str], now: datetime, spent: Sequence[Spent] = ()) -> bool:
    """End the query as failed, with the reasons; False when the claim is lost."""
    with db.write("fail-conclusion") as connection:
        usage.add(connection, conclusion.job.job_id, spent)
        ended = _HELD.change(connection, **_ended(conclusion, "failed", notes, now)) == 1
        if conclusion.key is not None:
            cache.drop(connection, conclusion.key, conclusion.job.job_id)
        if ended:
            outbox.clear(connection, conclusion.job.job_id)
        return ended


@dataclass(frozen=True)
class ToAnalyse:
    """What there is to measure. The consensus is held against the responses, and is never one of them."""

    job: Record
    responses: tuple[Record, ...]
    consensus: str


def to_analyse(db: Database, job_id: str) -> ToAnalyse | None:
    """A query with its panel's answers and its consensus, when its analysis is pending."""
    with db.read() as connection:
        job = records.job_of(connection, job_id)
        if job is None or _PENDING.scalar(connection, of_job=job_id) is None:
            return None
        consensus = _CONSENSUS.scalar(connection, of_job=job_id)
        return ToAnalyse(job, tuple(records.answered(connection, job_id)), consensus or "")


def finish_analysis(db: Database, job_id: str, result: AnalysisResource, *, now: datetime) -> bool:
    """Store what was measured; False when it was stored before, or the query is gone."""
    with db.write("store-analysis", synced=False) as connection:
        connection.execute(db.locked(select(Interaction.id).where(Interaction.job_id == job_id)))
        stored = connection.execute(
            update(Analysis)
            .where(Analysis.job_id == job_id, Analysis.status == "pending")
            .values(**_measured(result, now))
        )
        outbox.take(connection, job_id, "analyse")
        return stored.rowcount == 1


def _measured(result: AnalysisResource, now: datetime) -> dict[str, Any]:
    """What an analysis' row holds once it has ended."""
    return {
        "status": result.status,
        "consensus_score": result.consensus_score,
        "reason": result.reason,
        "data": result.model_dump(mode="json", include={"report", "charts"}),
        "finished_at": now,
    }


def _consensus(job_id: str, consensus: ConsensusResource, now: datetime) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "is_aggregator": True,
        "role": "None",
        "status": "ok",
        "attempts": 1,
        "created_at": now,
        "finished_at": now,
        **consensus.model_dump(),
    }


def _failover(job: Record, used: str | None, why_other: str | None, now: datetime) -> list[NewIncident]:
    """What happened to the requested aggregator when another seat has concluded."""
    requested = job.aggregator_requested
    if used in (None, requested):
        return []
    return [NewIncident(now, requested, "failed_over", stand_in=used, reason=why_other, job_id=job.job_id)]


def _ended(conclusion: Conclusion, status: QueryStatus, notes: list[str], now: datetime) -> dict[str, Any]:
    """The parameters of `_HELD` that end the query."""
    told = [*conclusion.job.notes, *notes]
    return {**_token(conclusion), "status": status, "notes": told, "lease_until": None, "finished_at": now}


def _token(conclusion: Conclusion) -> dict[str, Any]:
    """What `_HELD` asks of the row, so that only the holder of the claim writes."""
    return {"of_job": conclusion.job.job_id, "of_fence": conclusion.fence}
