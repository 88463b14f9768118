"""A query's record as Markdown holds all that is known of it, in words."""

from datetime import UTC, datetime
from typing import Any

from folkmoot.record import CAUTION, markdown
from folkmoot.resources import (
    AggregatorResource,
    AnalysisResource,
    ConsensusResource,
    CostResource,
    QueryResource,
    ResponseResource,
    StageCost,
)

AT = datetime(2030, 1, 1, tzinfo=UTC)
REPORT: dict[str, Any] = {
    "score": {"agreed": 60, "contested": 30, "unique": 10, "label": "contested"},
    "reason": None,
    "votes": {"by_agent": {"qwen": "Yes", "mistral": "No"}, "majority": None},
    "report": {
        "agreements": [{"agent_ids": ["qwen", "mistral"], "quotes": [{"agent_id": "qwen", "text": "Duties\nmatter."}]}],
        "partial": [],
        "conflicts": [
            {
                "one": {"agent_id": "qwen", "text": "It helps."},
                "other": {"agent_id": "mistral", "text": "It harms."},
                "standing": "possible",
            },
            {
                "one": {"agent_id": "qwen", "text": "It costs."},
                "other": {"agent_id": "mistral", "text": "It pays."},
                "standing": "dismissed",
            },
        ],
    },
}


def response(agent_id: str, **changes: Any) -> ResponseResource:
    """A response that is there."""
    said: dict[str, Any] = {"role": "Rawlsian", "status": "ok", "text": f"{agent_id} says so.", "error": None}
    figures = {"latency_ms": 812, "prompt_tokens": 61, "completion_tokens": 204, "cached": False, "attempts": 1}
    return ResponseResource.model_validate({"agent_id": agent_id, "model": "m-7b", **said, **figures, **changes})


def query(**changes: Any) -> QueryResource:
    """A query of two agents that is done and analysed."""
    consensus = ConsensusResource(
        text="Both.", agent_id="llama3", model="m-8b", latency_ms=9, prompt_tokens=None, completion_tokens=None
    )
    given: dict[str, Any] = {
        "job_id": "j1",
        "status": "done",
        "query": "Should we?\nWhy?",
        "domain": "Policy",
        "question_type": "Yes/No",
        "parent_job_id": None,
        **dict.fromkeys(("created_at", "ask_deadline_at", "deadline_at", "finished_at"), AT),
        "panel": ["qwen", "mistral"],
        "aggregator": AggregatorResource(requested="llama3", used="llama3", failed_over=False),
        "responses": [response("qwen"), response("mistral")],
        "consensus": consensus,
        "degraded": False,
        "notes": [],
        "analysis": AnalysisResource(status="ready", consensus_score=60, reason=None, report=REPORT),
    }
    return QueryResource.model_validate(given | changes)


def test_everything_known_stands_in_the_record() -> None:
    """Question, facts, consensus, score with its caution, votes, points and responses are all there."""
    record = markdown(query())

    for said in ("> Should we?\n> Why?", "- Domain: Policy", "Written by llama3 (m-8b).\n\nBoth.", CAUTION):
        assert said in record
    for said in ("contested: 60 % agreed, 30 % contested, 10 % said by one alone", "- qwen: Yes", "- mistral: No"):
        assert said in record
    assert "- Duties matter. (qwen, mistral)" in record
    assert "- qwen: It helps. ↔ mistral: It harms." in record
    assert "It costs." not in record
    assert "### qwen\n\nm-7b, as Rawlsian, 812 ms, 61 + 204 tokens\n\nqwen says so." in record


def test_what_is_missing_is_said() -> None:
    """A failed query's record gives the reasons where text would stand."""
    lost = response("qwen", status="failed", text=None, error="the endpoint answered 500", latency_ms=None)
    skipped = AnalysisResource(status="skipped", consensus_score=None, reason="nobody answered")
    record = markdown(
        query(status="failed", consensus=None, responses=[lost], analysis=skipped, notes=["qwen: no answer"])
    )

    assert "There is none: the query is failed." in record
    assert "No answer: the endpoint answered 500." in record
    assert "Not measured (skipped: nobody answered)." in record
    assert "- qwen: no answer" in record


def test_cost_stands_in_the_record() -> None:
    """Tokens and dollars of the whole, of each stage and of each response stand there; what is unknown is said."""
    stages = [
        StageCost(stage="response", calls=2, prompt_tokens=5, completion_tokens=5, cost_usd="0.01", estimated_calls=1),
        StageCost(stage="consensus", calls=1, prompt_tokens=1, completion_tokens=1, cost_usd=None, estimated_calls=0),
    ]
    cost = CostResource(total_tokens=12, cost_usd=None, estimated_calls=1, stages=stages)

    record = markdown(query(cost=cost, responses=[response("qwen", cost_usd="0.004")]))

    assert "- Used: 12 tokens, cost unknown (response $0.01, consensus cost unknown); 1 calls estimated" in record
    assert "61 + 204 tokens, $0.004" in record
