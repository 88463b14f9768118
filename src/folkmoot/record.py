"""Pure: a query's record as Markdown, for people; the texts of users and models stand in it as they came."""

from collections.abc import Iterator
from typing import Any

from folkmoot.resources import CostResource, QueryResource, ResponseResource

CAUTION = "Agreement is not correctness: the score says how much the responses share, not whether it is true."


def markdown(query: QueryResource) -> str:
    """The whole record; what is missing is left out or said in words."""
    return "\n\n".join(part for part in _parts(query) if part)


def _parts(query: QueryResource) -> Iterator[str]:
    yield "# Folkmoot record"
    yield _quoted(query.query)
    yield _facts(query)
    if query.notes:
        yield "Notes:\n\n" + "\n".join(f"- {note}" for note in query.notes)
    yield "## Consensus"
    if query.consensus is None:
        yield f"There is none: the query is {query.status}."
    else:
        yield f"Written by {query.consensus.agent_id} ({query.consensus.model}){_source(query.consensus.cached_from)}."
        yield query.consensus.text
    yield from _measured(query)
    yield "## Responses"
    for response in query.responses:
        yield f"### {response.agent_id}"
        yield _about(response)
        yield response.text or f"No answer: {response.error or response.status}."


def _facts(query: QueryResource) -> str:
    finished = query.finished_at.isoformat(timespec="seconds") if query.finished_at else "not yet"
    facts = {
        "Job": f"`{query.job_id}`",
        "Follows up": f"`{query.parent_job_id}`" if query.parent_job_id else "",
        "Domain": query.domain,
        "Question type": query.question_type,
        "Status": query.status + (" (degraded)" if query.degraded else ""),
        "Asked": query.created_at.isoformat(timespec="seconds"),
        "Ended": finished,
        "Used": _cost(query.cost) if query.cost else "",
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items() if value)


def _cost(cost: CostResource) -> str:
    """Tokens and dollars, of which stages, and what of it is not known."""
    stages = ", ".join(f"{one.stage} {_dollars(one.cost_usd)}" for one in cost.stages)
    estimated = f"; {cost.estimated_calls} calls estimated" if cost.estimated_calls else ""
    return f"{cost.total_tokens} tokens, {_dollars(cost.cost_usd)}{f' ({stages})' if stages else ''}{estimated}"


def _dollars(cost_usd: str | None) -> str:
    return "cost unknown" if cost_usd is None else f"${cost_usd}"


def _about(response: ResponseResource) -> str:
    facts = [response.model]
    if response.role != "None":
        facts.append(f"as {response.role}")
    if response.latency_ms is not None:
        facts.append(f"{response.latency_ms} ms")
    if response.completion_tokens is not None:
        facts.append(f"{response.prompt_tokens or 0} + {response.completion_tokens} tokens")
    if response.cost_usd is not None:
        facts.append(f"${response.cost_usd}")
    return ", ".join(facts) + _source(response.cached_from)


def _source(job_id: str | None) -> str:
    return f", from the cache (job `{job_id}`)" if job_id else ""


def _measured(query: QueryResource) -> Iterator[str]:
    yield "## Agreement"
    report = query.analysis.report
    if query.analysis.status != "ready" or report is None:
        reason = f": {query.analysis.reason}" if query.analysis.reason else ""
        yield f"Not measured ({query.analysis.status}{reason})."
        return
    yield _score(report)
    yield _votes(report.get("votes"))
    yield _points("What everybody says:", report["report"]["agreements"])
    yield _points("What several say, but not all:", report["report"]["partial"])
    yield _conflicts(report["report"]["conflicts"])


def _score(report: dict[str, Any]) -> str:
    score = report["score"]
    if score is None:
        return f"There is no consensus score: {report['reason']}."
    shares = f"{score['agreed']} % agreed, {score['contested']} % contested, {score['unique']} % said by one alone"
    return f"{score['label']}: {shares}. {CAUTION}"


def _votes(votes: dict[str, Any] | None) -> str:
    if votes is None:
        return ""
    given = "\n".join(f"- {agent}: {answer}" for agent, answer in votes["by_agent"].items())
    return f"Votes, with the majority for {votes['majority'] or 'nothing'}:\n\n{given}"


def _points(title: str, points: list[dict[str, Any]]) -> str:
    if not points:
        return ""
    said = "\n".join(f"- {_inline(point['quotes'][0]['text'])} ({', '.join(point['agent_ids'])})" for point in points)
    return f"{title}\n\n{said}"


def _conflicts(conflicts: list[dict[str, Any]]) -> str:
    conflicts = [one for one in conflicts if one["standing"] != "dismissed" and not one.get("is_vote")]
    if not conflicts:
        return ""
    said = "\n".join(
        f"- {one['agent_id']}: {_inline(one['text'])} ↔ {other['agent_id']}: {_inline(other['text'])}"
        for one, other in ((conflict["one"], conflict["other"]) for conflict in conflicts)
    )
    return f"What does not go together:\n\n{said}"


def _inline(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
