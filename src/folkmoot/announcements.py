"""What is told of a query to whoever watches its events, in the shapes of the contract."""

from collections.abc import Sequence

from folkmoot import calls
from folkmoot.errors import NotFound
from folkmoot.resources import AnalysisResource, QueryResource, QueryStatus
from folkmoot.runtime import Runtime
from folkmoot.store import queries
from folkmoot.store.asking import Moved


def tell_begun(runtime: Runtime, query: QueryResource) -> None:
    """Begin a query's events: accepted, with the seats that are not asked; over at once when nobody is."""
    skipped = [("response", one.as_json()) for one in query.responses if one.status == "skipped"]
    runtime.events.append(query.job_id, [("status", {"status": "accepted"}), *skipped], begins=True)
    if query.status == "failed":
        tell_ended(runtime, query.job_id, "failed")


def tell_moved(runtime: Runtime, job_id: str, moved: Moved) -> None:
    """Append to the job's events that asking is over, with the responses that came too late."""
    if moved.late:
        tell_responses(runtime, job_id, moved.late)
    if moved.status == "failed":
        tell_ended(runtime, job_id, "failed")
    else:
        runtime.events.append(job_id, [("status", {"status": moved.status})])


def tell_responses(runtime: Runtime, job_id: str, agent_ids: Sequence[str]) -> None:
    """Append the responses of agents that gave none in the end, and void what their workers have left."""
    try:
        query = queries.find(runtime.db, job_id)
    except NotFound:
        return
    for agent_id in agent_ids:
        calls.void_abandoned(runtime, job_id, "response", agent_id=agent_id)
    told = [("response", one.as_json()) for one in query.responses if one.agent_id in agent_ids]
    runtime.events.append(job_id, told)


def tell_analysis(runtime: Runtime, job_id: str, result: AnalysisResource) -> None:
    """Append the analysis to the job's events, which end with it."""
    runtime.events.append(job_id, [("analysis", result.as_json()), ("end", {"status": "done"})])


def tell_ended(runtime: Runtime, job_id: str, status: QueryStatus) -> None:
    """Append to the job's events that it has ended without a consensus."""
    runtime.tallies.count("folkmoot_queries_ended", status)
    runtime.events.append(job_id, [("status", {"status": status}), ("end", {"status": status})])
