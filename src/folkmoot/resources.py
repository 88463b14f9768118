"""The shapes that the outside sees, in the API and in events alike; contract.md fixes them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

QueryStatus = Literal["accepted", "asking", "aggregating", "done", "failed", "cancelled"]
ResponseStatus = Literal["pending", "ok", "failed", "timed_out", "cancelled", "skipped"]
AnalysisStatus = Literal["pending", "ready", "skipped", "failed"]
ChartName = Literal["heatmap", "sentiment", "emotion", "radar", "claims"]
ChartFormat = Literal["png", "svg"]
#: What can happen to a seat: its state changed; it had failed, so that another was asked in its place or nobody was;
#: another seat concluded instead; an admin had its errors forgotten.
IncidentKind = Literal["state", "replaced", "skipped", "failed_over", "reset"]

#: Whose calls are counted: the panel's, the aggregator's, and those of hosted models that judge conflicts.
Stage = Literal["response", "consensus", "analysis"]

#: How a query stands, for a search: it ended in one of these ways, or it is still open.
Standing = Literal["open", "done", "failed", "cancelled"]

#: Statuses in which a query has ended.
ENDED: tuple[QueryStatus, ...] = ("done", "failed", "cancelled")


class Resource(BaseModel):
    """Base of all shapes: frozen, and as JSON with times in UTC."""

    model_config = ConfigDict(frozen=True)

    def as_json(self) -> dict[str, Any]:
        """The resource as plain JSON values."""
        return self.model_dump(mode="json")

    def as_text(self) -> str:
        """The resource as a JSON document."""
        return self.model_dump_json()


class ResponseResource(Resource):
    """What one agent said, or why it did not."""

    agent_id: str
    model: str
    role: str
    status: ResponseStatus
    text: str | None
    error: str | None
    latency_ms: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached: bool
    attempts: int
    cost_usd: str | None = None
    #: The query that a cached answer came from.
    cached_from: str | None = None


class ConsensusResource(Resource):
    """What the aggregator concluded, and which model that was."""

    text: str
    agent_id: str
    model: str
    latency_ms: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: str | None = None
    cached: bool = False
    cached_from: str | None = None


class AggregatorResource(Resource):
    """Who was to conclude, and who did."""

    requested: str
    used: str | None
    failed_over: bool


class ChartResource(Resource):
    """A chart that can be had as `charts/{name}.png` and `.svg`; `alt` tells what it shows in words."""

    name: ChartName
    alt: str


class AnalysisResource(Resource):
    """What was measured about the responses; `reason` says why it was skipped or failed.

    `report` is all of it, as `python -m folkmoot.analysis` writes it, lists in the order of the responses that are ok.
    """

    status: AnalysisStatus
    consensus_score: float | None
    reason: str | None
    report: dict[str, Any] | None = None
    charts: list[ChartResource] = []


class StageCost(Resource):
    """What the calls of one stage have used, those that failed or were given up included.

    `cost_usd` is in dollars, with every digit, and null when a model's price is unknown. Of `estimated_calls` the
    endpoint did not say how many tokens they took; they are counted by a careful estimate.
    """

    stage: Stage
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: str | None
    estimated_calls: int


class CostResource(Resource):
    """What a query has used so far, in all and by stage."""

    total_tokens: int
    cost_usd: str | None
    estimated_calls: int
    stages: list[StageCost]


class QueryResource(Resource):
    """A query with all that has come of it so far."""

    job_id: str
    status: QueryStatus
    query: str
    domain: str
    question_type: str
    parent_job_id: str | None
    created_at: datetime
    ask_deadline_at: datetime
    deadline_at: datetime
    finished_at: datetime | None
    panel: list[str]
    aggregator: AggregatorResource
    responses: list[ResponseResource]
    consensus: ConsensusResource | None
    degraded: bool
    notes: list[str]
    analysis: AnalysisResource
    cost: CostResource | None = None


class QuerySummary(Resource):
    """A query in the history: enough to recognise it and to open it."""

    job_id: str
    status: QueryStatus
    query: str
    domain: str
    question_type: str
    created_at: datetime
    finished_at: datetime | None


class EarlierQuery(Resource):
    """A query of the user's own that asked the same, perhaps in other words."""

    job_id: str
    query: str
    asked_at: datetime


class SuggestionResource(Resource):
    """The newest earlier query that asked the same, to be opened by whoever wants to; null where there is none."""

    suggestion: EarlierQuery | None


class QueryPage(Resource):
    """One page of the history, newest first; `next_cursor` asks for the page after it."""

    queries: list[QuerySummary]
    next_cursor: str | None


class AgentResource(Resource):
    """A seat's health, as the heartbeat service last saw it."""

    agent_id: str
    model: str
    is_aggregator: bool
    state: Literal["healthy", "unhealthy", "failed"]
    reason: str | None
    since: datetime | None
    last_heartbeat: datetime | None
    consecutive_errors: int
    next_probe: datetime | None
    workers_alive: int
    p50_latency_ms: int | None
    p95_latency_ms: int | None


class IncidentResource(Resource):
    """Something that happened to a seat; of the query it happened in nothing is shown, for it may be anybody's."""

    at: datetime
    agent_id: str
    kind: IncidentKind
    state: Literal["healthy", "unhealthy", "failed"] | None
    stand_in: str | None
    reason: str | None


class IncidentPage(Resource):
    """One page of what happened to the seats, newest first; `next_cursor` asks for the page after it."""

    incidents: list[IncidentResource]
    next_cursor: str | None
