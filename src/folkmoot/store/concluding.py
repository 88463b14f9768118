"""The aggregator's half of a query: the claim with its fencing token, the one consensus, and the analysis after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Update, insert, select, update

from folkmoot.db import Database
from folkmoot.models import Analysis, Interaction, Response
from folkmoot.resources import AnalysisResource, ConsensusResource
from folkmoot.store import incidents, outbox, records, usage
from folkmoot.store.incidents import NewIncident
from folkmoot.store.usage import Spent


@dataclass(frozen=True)
class Conclusion:
    """The right to conclude a query; no write succeeds once somebody holds a newer `fence`.

    Attributes:
        responses: the rows that count. They are final: a query that is aggregating takes no more.
        panel: agent_ids of all rows, asked or not.
    """

    job: Row[Any]
    responses: tuple[Row[Any], ...]
    panel: tuple[str, ...]
    fence: int


def claim(db: Database, job_id: str, *, now: datetime, lease_until: datetime, attempts: int) -> Conclusion | None:
    """Take the right to conclude, unless somebody holds it, the query is elsewhere, or it was tried enough."""
    with db.write("claim-conclusion") as connection:
        job = connection.execute(db.locked(_aggregating(job_id))).first()
        if job is None or job.fence >= attempts or (job.lease_until is not None and job.lease_until > now):
            return None
        fence = job.fence + 1
        connection.execute(
            update(Interaction).where(Interaction.id == job.id).values(fence=fence, lease_until=lease_until)
        )
        outbox.take(connection, job_id, "conclude")
        answered = records.responses(connection, job_id, status="ok")
        panel = connection.scalars(
            select(Response.agent_id).where(Response.job_id == job_id, Response.is_aggregator.is_(False))
        )
        return Conclusion(job, tuple(answered), tuple(panel), fence)


def renew(db: Database, conclusion: Conclusion, *, lease_until: datetime) -> bool:
    """Hold the claim a while longer; False when it is lost or the query has ended, so the call can stop."""
    with db.write() as connection:
        return connection.execute(_held(conclusion).values(lease_until=lease_until)).rowcount == 1


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
) -> bool:
    """Store the consensus and end the query as done, with its analysis to follow; False when the claim is lost.

    Args:
        used: the seat that acted as aggregator; None when one agent's response stands by itself.
        why_other: why it is another than the requested one, for everybody to read.
        spent: what the calls have used; it is counted whether the claim holds or not.
    """
    job_id = conclusion.job.job_id
    with db.write("store-consensus") as connection:
        usage.add(connection, job_id, spent)
        ended = connection.execute(
            _held(conclusion).values(
                status="done",
                aggregator_used=used,
                notes=[*conclusion.job.notes, *notes],
                lease_until=None,
                finished_at=now,
            )
        )
        if ended.rowcount == 0:
            return False
        connection.execute(insert(Response).values(**_consensus(job_id, consensus, now)))
        connection.execute(insert(Analysis).values(job_id=job_id, status="pending", created_at=now))
        outbox.clear(connection, job_id)
        outbox.add(connection, job_id, "analyse", [""], due_at=hint_due_at)
        incidents.record(connection, _failover(conclusion.job, used, why_other, now))
        return True


def fail(db: Database, conclusion: Conclusion, *, notes: list[str], now: datetime, spent: Sequence[Spent] = ()) -> bool:
    """End the query as failed, with the reasons; False when the claim is lost."""
    with db.write("fail-conclusion") as connection:
        usage.add(connection, conclusion.job.job_id, spent)
        ended = connection.execute(
            _held(conclusion).values(
                status="failed", notes=[*conclusion.job.notes, *notes], lease_until=None, finished_at=now
            )
        )
        if ended.rowcount == 1:
            outbox.clear(connection, conclusion.job.job_id)
        return ended.rowcount == 1


@dataclass(frozen=True)
class ToAnalyse:
    """What there is to measure. The consensus is held against the responses, and is never one of them."""

    job: Row[Any]
    responses: tuple[Row[Any], ...]
    consensus: str


def to_analyse(db: Database, job_id: str) -> ToAnalyse | None:
    """A query with its panel's answers and its consensus, when its analysis is pending."""
    with db.read() as connection:
        job = records.job_of(connection, job_id)
        pending = select(Analysis.job_id).where(Analysis.job_id == job_id, Analysis.status == "pending")
        if job is None or connection.scalar(pending) is None:
            return None
        consensus = connection.scalar(select(Response.text).where(Response.job_id == job_id, Response.is_aggregator))
        return ToAnalyse(job, tuple(records.responses(connection, job_id, status="ok")), consensus or "")


def finish_analysis(db: Database, job_id: str, result: AnalysisResource, *, now: datetime) -> bool:
    """Store what was measured; False when it was stored before, or the query is gone."""
    with db.write("store-analysis") as connection:
        connection.execute(db.locked(select(Interaction.id).where(Interaction.job_id == job_id)))
        stored = connection.execute(
            update(Analysis)
            .where(Analysis.job_id == job_id, Analysis.status == "pending")
            .values(
                status=result.status,
                consensus_score=result.consensus_score,
                reason=result.reason,
                data=result.model_dump(mode="json", include={"report", "charts"}),
                finished_at=now,
            )
        )
        outbox.take(connection, job_id, "analyse")
        return stored.rowcount == 1


def _consensus(job_id: str, consensus: ConsensusResource, now: datetime) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "is_aggregator": True,
        "role": "None",
        "status": "ok",
        "cached": False,
        "attempts": 1,
        "created_at": now,
        "finished_at": now,
        **consensus.model_dump(),
    }


def _failover(job: Row[Any], used: str | None, why_other: str | None, now: datetime) -> list[NewIncident]:
    """What happened to the requested aggregator when another seat has concluded."""
    requested = job.aggregator_requested
    if used in (None, requested):
        return []
    return [NewIncident(now, requested, "failed_over", stand_in=used, reason=why_other, job_id=job.job_id)]


def _aggregating(job_id: str) -> Any:
    return select(Interaction).where(Interaction.job_id == job_id, Interaction.status == "aggregating")


def _held(conclusion: Conclusion) -> Update:
    return update(Interaction).where(
        Interaction.job_id == conclusion.job.job_id,
        Interaction.status == "aggregating",
        Interaction.fence == conclusion.fence,
    )
