"""Pure: parts of a query in words."""

from datetime import datetime

from ..client.job import moment
from ..client.rest import Json

#: A response's status as it is told.
STATES = {
    "ok": "done",
    "pending": "thinking",
    "failed": "failed",
    "timed_out": "out of time",
    "cancelled": "cancelled",
    "skipped": "skipped",
}


def duration(latency_ms: int) -> str:
    """How long an answer took."""
    return f"{latency_ms} ms" if latency_ms < 1000 else f"{latency_ms / 1000:.1f} s"


def clock(stamp: str | None) -> str:
    """A time of the API, in the reader's own zone."""
    return datetime.astimezone(moment(stamp)).strftime("%Y-%m-%d %H:%M") if stamp else "never"


def spoken(response: Json) -> str:
    """What is to be known of a response or a consensus beside its text."""
    facts = [response["model"]]
    if response.get("role", "None") != "None":
        facts.append(f"as {response['role']}")
    if response.get("latency_ms") is not None:
        facts.append(duration(response["latency_ms"]))
    if response.get("completion_tokens") is not None:
        facts.append(f"{response['completion_tokens']} tokens")
    if response.get("cost_usd") is not None:
        facts.append(f"${response['cost_usd']}")
    if response.get("cached"):
        facts.append("from the cache")
    return ", ".join(facts)


def used(cost: Json) -> str:
    """What a query has used."""
    price = "its price is not known" if cost["cost_usd"] is None else f"${cost['cost_usd']}"
    return f"{cost['total_tokens']} tokens, {price}"


def outcome(query: Json) -> str:
    """How a query stands, in a sentence."""
    status, aggregator = query["status"], query["aggregator"]
    if status == "cancelled":
        return "The query was cancelled."
    if status == "failed":
        return "There is no consensus."
    if status != "done":
        return f"The query is not done yet: {status}."
    if query["degraded"]:
        return "This answer is degraded: part of the panel is missing."
    if aggregator["failed_over"]:
        return f"{aggregator['used']} concluded in the place of {aggregator['requested']}."
    return ""


def majority(votes: Json) -> str:
    """The outcome of the votes, and who dissents."""
    if votes["majority"] is None:
        return "There is no majority."
    dissent = f"; {' and '.join(votes['dissenters'])} dissents" if votes["dissenters"] else "; nobody dissents"
    pivots = [agent for agent, answer in votes["without"].items() if answer != votes["majority"]]
    pivotal = f". Without {' or without '.join(pivots)} there would be another outcome" if pivots else ""
    return f"The majority answers {votes['majority']}{dissent}{pivotal}."
