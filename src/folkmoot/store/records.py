"""Rows as the resources that the outside sees."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from folkmoot.models import Analysis, Interaction, Response
from folkmoot.resources import (
    ENDED,
    AggregatorResource,
    AnalysisResource,
    ConsensusResource,
    CostResource,
    QueryResource,
    ResponseResource,
)
from folkmoot.statements import Record, Statement
from folkmoot.store import usage

#: Statuses of a response that make an answer degraded.
LOST = ("failed", "timed_out", "skipped")

#: Of a query that has not ended.
PENDING = AnalysisResource(status="pending", consensus_score=None, reason=None)

_JOB = Statement(select(Interaction).where(Interaction.job_id == bindparam("of_job")))
_rows = select(Response).where(Response.job_id == bindparam("of_job")).order_by(Response.id)
#: What is shown of responses: the times of a row take longer to read than all else of it.
_SHOWN = Statement(
    _rows.with_only_columns(*(Response.__table__.c[name] for name in ("is_aggregator", *ResponseResource.model_fields)))
)
_ANSWERED = Statement(_rows.where(Response.is_aggregator.is_(False), Response.status == "ok"))
_ANALYSIS = Statement(select(Analysis).where(Analysis.job_id == bindparam("of_job")))


def query(connection: Connection, job: Record) -> QueryResource:
    """The whole query resource of an interactions row."""
    rows = _SHOWN.all(connection, of_job=job.job_id)
    return told(job, rows, analysis=analysis(connection, job), cost=usage.cost(connection, job.job_id))


def told(
    job: Record, rows: Sequence[Record], *, analysis: AnalysisResource, cost: CostResource | None
) -> QueryResource:
    """The resource that an interactions row and its responses, in their order, stand for."""
    panel = [response(row) for row in rows if not row.is_aggregator]
    failed_over = job.aggregator_used is not None and job.aggregator_used != job.aggregator_requested
    return QueryResource(
        job_id=job.job_id,
        status=job.status,
        query=job.query,
        domain=job.domain,
        question_type=job.question_type,
        parent_job_id=job.parent_job_id,
        created_at=job.created_at,
        ask_deadline_at=job.ask_deadline_at,
        deadline_at=job.deadline_at,
        finished_at=job.finished_at,
        panel=[one.agent_id for one in panel],
        aggregator=AggregatorResource(
            requested=job.aggregator_requested, used=job.aggregator_used, failed_over=failed_over
        ),
        responses=panel,
        consensus=next((consensus(row) for row in rows if row.is_aggregator), None),
        degraded=failed_over or job.status == "failed" or any(one.status in LOST for one in panel),
        notes=[*(f"{one.agent_id}: {one.error}" for one in panel if one.error), *job.notes],
        analysis=analysis,
        cost=cost,
    )


def response(row: Record) -> ResponseResource:
    """The resource of a panel row."""
    return ResponseResource.model_validate(row, from_attributes=True)


def consensus(row: Record) -> ConsensusResource:
    """The resource of the aggregator's row."""
    return ConsensusResource.model_validate(row, from_attributes=True)


def analysis(connection: Connection, job: Record) -> AnalysisResource:
    """The resource of a job's analysis row, or what stands for it while there is none."""
    # Only a query that is done is measured.
    row = _ANALYSIS.first(connection, of_job=job.job_id) if job.status == "done" else None
    if row is not None:
        more = row.data or {}
        return AnalysisResource(
            status=row.status,
            consensus_score=row.consensus_score,
            reason=row.reason,
            report=more.get("report"),
            charts=more.get("charts", []),
        )
    if job.status in ENDED:
        return AnalysisResource(status="skipped", consensus_score=None, reason=f"the query ended as {job.status}")
    return PENDING


def answered(connection: Connection, job_id: str) -> Sequence[Record]:
    """The rows of a job's panel that hold an answer, in the panel's order."""
    return _ANSWERED.all(connection, of_job=job_id)


def job_of(connection: Connection, job_id: str) -> Record | None:
    """The interactions row of a job."""
    return _JOB.first(connection, of_job=job_id)
