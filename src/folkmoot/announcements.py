"""What is told of a query: to whoever watches its events, in the shapes of the contract, and to whoever goes on."""

from collections.abc import Sequence

from folkmoot import calls
from folkmoot.errors import NotFound
from folkmoot.redis_client import Command
from folkmoot.resources import AnalysisResource, ConsensusResource, QueryResource, QueryStatus, ResponseResource
from folkmoot.runtime import Runtime
from folkmoot.store import queries
from folkmoot.store.asking import Moved

#: Events to be told together, in order.
Told = Sequence[calls.Event]


def tell_begun(runtime: Runtime, query: QueryResource) -> None:
    """Begin a query's events: accepted, with the seats that are not asked; over at once when nobody is, else hinted."""
    skipped = [("response", one.as_json()) for one in query.responses if one.status == "skipped"]
    told: Told = [("status", {"status": "accepted"}), *skipped]
    if query.status == "failed":
        told = [*told, *_of_end(runtime, "failed")]
    asked = [one.agent_id for one in query.responses if one.status == "pending"]
    _tell_and_hint(runtime, query.job_id, told, "ask" if asked else None, asked, begins=len(query.responses))


def tell_response(
    runtime: Runtime, job_id: str, response: ResponseResource, moved: Moved | None, untold: calls.Untold
) -> None:
    """Append a response to the job's events, after its last words, with what follows when asking is over."""
    told: Told = [*untold.events, ("response", response.as_json())]
    if moved is not None:
        told = [*told, *_of_move(runtime, job_id, moved)]
    is_over = moved is not None and moved.status == "aggregating"
    _tell_and_hint(runtime, job_id, told, "conclude" if is_over else None, also=untold.also)


def tell_consensus(
    runtime: Runtime,
    job_id: str,
    consensus: ConsensusResource,
    analysis: AnalysisResource | None,
    untold: calls.Untold,
) -> None:
    """Append the consensus to the job's events, after its last words, with the analysis where nothing is measured."""
    told: Told = [*untold.events, ("consensus", consensus.as_json()), ("status", {"status": "done"})]
    if analysis is not None:
        told = [*told, *of_analysis(analysis)]
    _tell_and_hint(runtime, job_id, told, "analyse" if analysis is None else None, also=untold.also)


def _tell_and_hint(
    runtime: Runtime,
    job_id: str,
    told: Told,
    task: str | None,
    agent_ids: Sequence[str] = ("",),
    *,
    begins: int = 0,
    also: Sequence[Command] = (),
) -> None:
    """Append events, and hint at this work after them: in one round trip where both go to one Redis."""
    hints = runtime.publisher.commands(job_id, task, agent_ids) if task else []
    are_told = runtime.events.append(job_id, told, begins=begins, also=[*also, *hints])
    if hints and are_told:
        runtime.publisher.was_sent()
    elif task:
        runtime.publisher.hint(job_id, task, agent_ids)


def tell_moved(runtime: Runtime, job_id: str, moved: Moved) -> None:
    """Append to the job's events that asking is over, with the responses that came too late."""
    runtime.events.append(job_id, _of_move(runtime, job_id, moved))


def _of_move(runtime: Runtime, job_id: str, moved: Moved) -> Told:
    late = _given_up(runtime, job_id, moved.late) if moved.late else ()
    if moved.status == "failed":
        return [*late, *_of_end(runtime, "failed")]
    return [*late, ("status", {"status": moved.status})]


def tell_responses(runtime: Runtime, job_id: str, agent_ids: Sequence[str]) -> None:
    """Append the responses of agents that gave none in the end, and void what their workers have left."""
    runtime.events.append(job_id, _given_up(runtime, job_id, agent_ids))


def _given_up(runtime: Runtime, job_id: str, agent_ids: Sequence[str]) -> Told:
    try:
        query = queries.find(runtime.db, job_id)
    except NotFound:
        return ()
    for agent_id in agent_ids:
        calls.void_abandoned(runtime, job_id, "response", agent_id=agent_id)
    return [("response", one.as_json()) for one in query.responses if one.agent_id in agent_ids]


def tell_analysis(runtime: Runtime, job_id: str, result: AnalysisResource) -> None:
    """Append the analysis to the job's events, which end with it."""
    runtime.events.append(job_id, of_analysis(result))


def of_analysis(result: AnalysisResource) -> Told:
    """The events of an analysis, which are a query's last."""
    return [("analysis", result.as_json()), ("end", {"status": "done"})]


def tell_ended(runtime: Runtime, job_id: str, status: QueryStatus) -> None:
    """Append to the job's events that it has ended without a consensus."""
    runtime.events.append(job_id, _of_end(runtime, status))


def _of_end(runtime: Runtime, status: QueryStatus) -> Told:
    runtime.tallies.count("folkmoot_queries_ended", status)
    return [("status", {"status": status}), ("end", {"status": status})]
