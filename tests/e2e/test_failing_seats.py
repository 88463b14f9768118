"""A seat that fails: the others answer in time, the query says what happened, no prompt holds an error."""

from datetime import datetime
from typing import Any

import pytest

from tests.client import Client, folded
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.timeout(90)

#: Words that only the failing endpoint says.
REASON = "the disk of node 7f3a is full"
HALF = "Half of an answer about node 7f3a that never came to its end, for the connection broke first."
DEADLINE_S = 6
NOT_IN_TIME = ("no answer", "no whole answer", "in time", "deadline")
#: What the endpoint does, the status of its response, and what the note must say (one of these words).
FAULTS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "status 500": ({"status": 500, "error": REASON}, "failed", (REASON,)),
    "status 401": ({"status": 401, "error": REASON}, "failed", (REASON,)),
    "status 429": ({"status": 429, "error": REASON, "retry_after": 60}, "failed", (REASON,)),
    "hangs": ({"hang": True}, "timed_out", NOT_IN_TIME),
    "hangs midway": ({"text": HALF, "hang_after_tokens": 4}, "timed_out", NOT_IN_TIME),
    "cut midway": ({"text": HALF, "cut_after_tokens": 4}, "failed", ("cut", "closed", "connection", "broke")),
    "error midway": ({"text": HALF, "error_after_tokens": 4}, "failed", ("scripted failure in mid-stream",)),
    "empty": ({"empty": True}, "failed", ("nothing", "empty")),
    "html": ({"content_type_html": True}, "failed", ("could not be read", "unexpected")),
    "broken json": ({"broken_json": True}, "failed", ("could not be read", "unexpected")),
    "error as text": ({"text": f"Error: {REASON}"}, "failed", (REASON,)),
}


def end(client: Client, **body: Any) -> dict[str, Any]:
    """Ask with a short deadline, and return the query once it has ended; it must keep the deadline."""
    job = client.ask(deadline_s=DEADLINE_S, **body)
    ended = client.wait_done(job["job_id"], DEADLINE_S + 5)
    late = datetime.fromisoformat(ended["finished_at"]) - datetime.fromisoformat(ended["deadline_at"])
    assert late.total_seconds() <= 2.5, f"ended {late} after its deadline"
    return ended


def response_of(query: dict[str, Any], agent_id: str) -> dict[str, Any]:
    """The response of one seat."""
    [response] = [response for response in query["responses"] if response["agent_id"] == agent_id]
    return dict(response)


def assert_told(query: dict[str, Any], agent_id: str, words: tuple[str, ...]) -> None:
    """A note must name the seat and say one of the words; its response must hold an error and no text."""
    notes = [note.lower() for note in query["notes"] if note.startswith(agent_id)]
    assert any(word.lower() in note for note in notes for word in words), query["notes"]
    response = response_of(query, agent_id)
    assert response["error"] and not response["text"], response


def assert_no_prompt_holds(model: ScriptedModel, *texts: str) -> None:
    """None of the texts may have reached a model."""
    for call in model.calls():
        assert not [text for text in texts if text in call.prompt], call.prompt


@pytest.mark.parametrize("fault", FAULTS)
def test_one_failing_seat_does_not_stop_the_others(client: Client, model: ScriptedModel, fault: str) -> None:
    """One bad seat of three: done in time with the others, degraded, and a note with seat and real error."""
    step, status, words = FAULTS[fault]
    model.script("scripted/mistral", step)

    ended = end(client)

    assert ended["status"] == "done" and ended["consensus"]["text"], ended["notes"]
    assert ended["degraded"] is True
    assert response_of(ended, "mistral")["status"] == status
    assert {response_of(ended, agent)["status"] for agent in ("qwen", "deephermes")} == {"ok"}
    assert_told(ended, "mistral", words)
    assert_no_prompt_holds(model, REASON, response_of(ended, "mistral")["error"], "7f3a", "mid-stream", "502")


def test_seat_that_is_not_there(client: Client, model: ScriptedModel) -> None:
    """A seat whose endpoint refuses connections: done with the others, and the note says so."""
    model.refuse("mistral")

    ended = end(client)

    assert ended["status"] == "done" and ended["degraded"] is True
    assert response_of(ended, "mistral")["status"] == "failed"
    assert_told(ended, "mistral", ("refused", "connect", "reach"))
    assert_no_prompt_holds(model, response_of(ended, "mistral")["error"])


@pytest.mark.parametrize("fault", ["cut midway", "error midway", "hangs midway"])
def test_half_an_answer_is_voided(client: Client, model: ScriptedModel, fault: str) -> None:
    """Who adds up deltas keeps nothing of an answer that failed halfway: a reset voids it."""
    model.script("scripted/mistral", FAULTS[fault][0])

    job = client.ask(deadline_s=DEADLINE_S)
    events = list(client.events(job["job_id"]))

    kept = folded(events)
    assert ("response", "mistral") not in kept, kept
    assert kept["response", "qwen"].strip() == response_of(client.query(job["job_id"]), "qwen")["text"]


def test_below_quorum_fails_with_every_reason(client: Client, model: ScriptedModel) -> None:
    """Two bad seats of three: the query fails, names both reasons, and keeps the one response."""
    model.script("scripted/mistral", {"status": 500, "error": REASON})
    model.script("scripted/qwen", {"hang": True})

    ended = end(client)

    assert ended["status"] == "failed" and ended["consensus"] is None
    assert_told(ended, "mistral", (REASON,))
    assert_told(ended, "qwen", FAULTS["hangs"][2])
    assert response_of(ended, "deephermes")["status"] == "ok"
    assert not model.calls(stage="consensus")


def test_every_seat_failing_is_an_explained_failure(client: Client, model: ScriptedModel) -> None:
    """When nobody answers, the query fails with each seat's own reason."""
    reasons = {seat: f"{REASON} ({seat})" for seat in ("qwen", "mistral", "deephermes")}
    for seat, reason in reasons.items():
        model.script(f"scripted/{seat}", {"status": 400, "error": reason})

    ended = end(client)

    assert ended["status"] == "failed" and ended["consensus"] is None and ended["degraded"] is True
    for seat, reason in reasons.items():
        assert_told(ended, seat, (reason,))
