"""The tools: one asks the council and tells how it goes, one reads what came of a question."""

import uuid
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from ..client.job import Job
from ..client.rest import Gateway, GatewayError, Json
from ..client.watch import watch
from .identity import Identity, NotSignedIn

INSTRUCTIONS = (
    "Folkmoot asks several language models the same question and gives one answer that says where they agree. "
    "Agreement is not correctness."
)

Question = Annotated[str, Field(description="The question, whole: the agents know nothing else.")]
Domain = Annotated[str | None, Field(description="Such as Healthcare, Policy or Technology.")]
QuestionType = Annotated[str | None, Field(description="Such as Yes/No; then votes are counted.")]
Roles = Annotated[
    dict[str, str] | list[str] | None,
    Field(description="Ethical roles such as Utilitarian: by agent, or a list to be dealt out."),
]
Deadline = Annotated[float | None, Field(description="Seconds until the question has ended; default: the server's.")]
JobId = Annotated[str, Field(description="The job_id that ask_council gave.")]


def serve(gateway: Gateway, identity: Identity) -> MCPServer[Any]:
    """The server with its tools, not running yet."""
    mcp: MCPServer[Any] = MCPServer("folkmoot", title="Folkmoot", instructions=INSTRUCTIONS, log_level="WARNING")

    @mcp.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True))
    async def ask_council(  # noqa: PLR0917 # a tool is called by names alone
        question: Question,
        ctx: Context[Any, Any],
        domain: Domain = None,
        question_type: QuestionType = None,
        roles: Roles = None,
        deadline_s: Deadline = None,
    ) -> dict[str, Any]:
        """Ask several language models at once; returns their consensus, where they agree and where not."""
        token = _token(identity, ctx)
        given = {"domain": domain, "question_type": question_type, "roles": roles, "deadline_s": deadline_s}
        body = {"query": question} | {name: value for name, value in given.items() if value is not None}
        return await _asked(gateway, token, body, ctx)

    @mcp.tool(annotations=ToolAnnotations(read_only_hint=True))
    async def read_result(job_id: JobId, ctx: Context[Any, Any]) -> dict[str, Any]:
        """Read what came of a question that was asked before, by its job_id."""
        token = _token(identity, ctx)
        try:
            return answer(await anyio.to_thread.run_sync(gateway.query, token, job_id))
        except GatewayError as error:
            raise ToolError(_sentence(error)) from error

    return mcp


def answer(query: Json) -> dict[str, Any]:
    """What a caller needs of a query: the consensus, each response, where they agree and where not."""
    taken = ("job_id", "status", "query", "consensus", "degraded", "notes", "panel", "aggregator", "responses")
    report = query["analysis"].get("report") or {}
    points = report.get("report") or {}
    return {name: query[name] for name in taken} | {
        "agreement": {
            "status": query["analysis"]["status"],
            "score": report.get("score"),
            "votes": report.get("votes"),
            "everybody_says": points.get("agreements", []),
            "conflicts": [one for one in points.get("conflicts", []) if one["standing"] != "dismissed"],
        },
    }


async def _asked(gateway: Gateway, token: str, body: Json, ctx: Context[Any, Any]) -> dict[str, Any]:
    """Ask and follow to the end; a caller that gives up cancels the query."""
    job_id = ""
    key = str(uuid.uuid4())
    try:
        query = await anyio.to_thread.run_sync(gateway.ask, token, body, key)
        job_id = query["job_id"]
        return answer(await _followed(gateway, token, query, ctx))
    except GatewayError as error:
        tail = f" The question goes on; read it later as {job_id}." if job_id else ""
        raise ToolError(_sentence(error) + tail) from error
    except anyio.get_cancelled_exc_class():
        if job_id:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(gateway.cancel, token, job_id)
        raise


async def _followed(gateway: Gateway, token: str, query: Json, ctx: Context[Any, Any]) -> Json:
    """The query as it is at its end, each step of it told as progress."""
    # Accepted, each seat, the consensus: of so many steps progress is told.
    steps = len(query["responses"]) + 2
    told = 1
    await ctx.report_progress(told, steps, f"Accepted as {query['job_id']}")
    seen: set[str] = set()
    concluding = False
    async for job in watch(gateway, token, query["job_id"]):
        query = job.resource
        for seat in query["responses"]:
            if seat["status"] != "pending" and seat["agent_id"] not in seen:
                seen.add(seat["agent_id"])
                told += 1
                await ctx.report_progress(told, steps, f"{seat['agent_id']}: {_state(seat)}")
        if job.status == "aggregating" and not concluding:
            concluding = True
            await ctx.report_progress(told + 0.5, steps, "The consensus is being written")
    await ctx.report_progress(steps, steps, f"The question is {Job(query).status}")
    return query


def _state(seat: Json) -> str:
    return "answered" if seat["status"] == "ok" else f"no answer ({seat['status']})"


def _token(identity: Identity, ctx: Context[Any, Any]) -> str:
    try:
        return identity.token(ctx.headers)
    except NotSignedIn as error:
        raise ToolError(str(error)) from error


def _sentence(error: GatewayError) -> str:
    if error.fields:
        return " ".join(f"{field}: {detail}" for field, detail in error.fields)
    return str(error)
