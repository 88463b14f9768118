"""The agents, their health, and what happened to them."""

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from redis.exceptions import RedisError

from folkmoot.agents import circuits_of
from folkmoot.errors import NotFound, Unavailable
from folkmoot.health import Entry, utc
from folkmoot.resources import IncidentPage
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import incidents
from folkmoot.store.incidents import NewIncident
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import AgentAnswer, AgentPath, AgentsAnswer, IncidentsQuery

api = APIBlueprint("agents", __name__, url_prefix="/api/v1/agents")

UNKNOWN = "nobody has reported on this seat lately"
BY_HAND = "an admin had its errors forgotten"


@api.get("", security=SIGNED_IN, responses={200: AgentsAnswer, **problems(401)})
def list_agents() -> Response:
    """Each seat's state, its reason, and the figures behind it."""
    runtime = identity.runtime()
    board = runtime.health.board(now=utcnow().timestamp())
    agents = [_agent(runtime, agent_id, board.get(agent_id)) for agent_id in runtime.roster.seats]
    return jsonify(AgentsAnswer(agents=agents).model_dump(mode="json"))


def _agent(runtime: Runtime, agent_id: str, entry: Entry | None) -> AgentAnswer:
    return AgentAnswer(
        agent_id=agent_id,
        seat=agent_id,
        model=runtime.roster.seats[agent_id].model,
        is_aggregator=agent_id == runtime.roster.aggregator,
        state=entry.state if entry else "healthy",
        reason=entry.reason if entry else UNKNOWN,
        since=utc(entry.since) if entry else None,
        last_heartbeat=utc(entry.last_heartbeat) if entry else None,
        consecutive_errors=entry.consecutive_errors if entry else 0,
        next_probe=utc(entry.next_probe) if entry else None,
        workers_alive=entry.workers_alive if entry else 0,
        p50_latency_ms=entry.p50_latency_ms if entry else None,
        p95_latency_ms=entry.p95_latency_ms if entry else None,
    )


@api.get("/incidents", security=SIGNED_IN, responses={200: IncidentPage, **problems(401, 404, 422)})
def list_incidents(query: IncidentsQuery) -> Response:
    """What happened to the seats, newest first: changes of state, seats that others stood in for, resets."""
    runtime = identity.runtime()
    if query.agent_id is not None:
        _check_seat(runtime, query.agent_id)
    page = incidents.page(
        runtime.db,
        agent_id=query.agent_id,
        limit=query.limit,
        cursor=None if query.cursor is None else int(query.cursor),
    )
    return jsonify(page.as_json())


def _check_seat(runtime: Runtime, agent_id: str) -> None:
    if agent_id not in runtime.roster.seats:
        raise NotFound(f"There is no such agent. Choose from: {', '.join(runtime.roster.seats)}.")


@api.post("/<agent_id>/reset", security=SIGNED_IN, responses={202: AgentAnswer, **problems(401, 403, 404)})
def reset(path: AgentPath) -> tuple[Response, int]:
    """Forget a seat's errors, so that it is asked again at once; for admins."""
    identity.admin()
    runtime = identity.runtime()
    _check_seat(runtime, path.agent_id)
    try:
        runtime.health.reset(path.agent_id, circuits_of(path.agent_id, runtime.roster.seats[path.agent_id]))
    except (RedisError, OSError) as error:
        raise Unavailable("The health store does not answer. Please try again in a moment.") from error
    with runtime.db.write() as connection:
        incidents.record(connection, [NewIncident(utcnow(), path.agent_id, "reset", reason=BY_HAND)])
    entry = runtime.health.board(now=utcnow().timestamp()).get(path.agent_id)
    return jsonify(_agent(runtime, path.agent_id, entry).model_dump(mode="json")), 202
