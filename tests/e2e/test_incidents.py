"""The record of what happened to the agents, as the API gives it."""

from datetime import datetime
from typing import Any

import pytest

from tests.client import Client
from tests.e2e.test_bad_input import named, problem
from tests.scripted_model import ScriptedModel
from tests.stack import eventually

pytestmark = pytest.mark.timeout(90)

#: Words of an endpoint about somebody's query.
REASON = "flagged: Should voting be compulsory?"


def newest(client: Client, *, since: str, **wanted: str) -> dict[str, Any] | None:
    """The newest incident since this time that has these values."""
    found = client.incidents(agent_id=wanted["agent_id"], limit=100)["incidents"]
    return next((one for one in found if one["at"] >= since and wanted.items() <= one.items()), None)


def test_failing_aggregator_is_on_record(client: Client, stranger: Client, model: ScriptedModel) -> None:
    """A failover is on record for everybody once the query is done, with seat and reason, and nothing of the query."""
    model.script("scripted/llama3", {"status": 400, "error": REASON})

    job = client.ask(deadline_s=8)
    ended = client.wait_done(job["job_id"])

    assert ended["status"] == "done" and ended["aggregator"]["failed_over"] is True
    [incident, *_] = stranger.incidents(agent_id="llama3")["incidents"]
    assert incident == {
        "at": ended["finished_at"],
        "agent_id": "llama3",
        "kind": "failed_over",
        "state": None,
        "stand_in": ended["aggregator"]["used"],
        "reason": "its endpoint answered HTTP 400",
    }


def test_change_of_state_and_what_follows_are_on_record(client: Client, admin: Client, model: ScriptedModel) -> None:
    """A seat that fails, a query that goes round it and its reset by hand are on record in this order."""
    model.script("scripted/qwen", {"status": 500, "error": "the disk is full"})
    jobs = [client.ask(agents=["qwen"], deadline_s=8) for _ in range(5)]
    since = jobs[0]["created_at"]

    def recorded(**wanted: str) -> dict[str, Any]:
        found = eventually(lambda: newest(client, since=since, agent_id="qwen", **wanted), 15, f"{wanted} on record")
        assert found is not None
        return found

    failed = recorded(kind="state", state="failed")
    client.wait_done(client.ask(agents=["qwen", "mistral"], deadline_s=8)["job_id"])
    replaced = recorded(kind="replaced", stand_in="deephermes")
    model.reset()
    assert admin.reset_agent("qwen").status_code == 202
    reset = recorded(kind="reset")
    back = recorded(kind="state", state="healthy")

    for told in (failed["reason"], replaced["reason"]):
        assert "HTTP 500" in told and "the disk is full" not in told, "a provider's words, which may quote a query"
    assert back["reason"] is None and reset["state"] is None
    times = [datetime.fromisoformat(one["at"]) for one in (failed, replaced, reset, back)]
    assert times == sorted(times)


def test_pages_of_the_record(client: Client, admin: Client) -> None:
    """Turning pages shows each incident once, newest first, of one seat where one is named."""
    for seat in ("qwen", "mistral", "qwen"):
        assert admin.reset_agent(seat).status_code == 202
    first = client.incidents(agent_id="qwen", limit=1)
    second = client.incidents(agent_id="qwen", limit=1, cursor=first["next_cursor"])

    pages = [*first["incidents"], *second["incidents"]]
    assert [(one["agent_id"], one["kind"]) for one in pages] == [("qwen", "reset")] * 2
    assert datetime.fromisoformat(pages[0]["at"]) > datetime.fromisoformat(pages[1]["at"])
    assert client.incidents(limit=2)["incidents"][0] == pages[0] != client.incidents(limit=2)["incidents"][1]


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "many"), ("cursor", "nonsense"), ("cursor", "\0"), ("cursor", "-1")],
)
def test_wrong_page(stranger: Client, name: str, value: str) -> None:
    """A page that cannot be is refused with 422 and the parameter's name."""
    assert name in named(problem(stranger.call("GET", "/agents/incidents", params={name: value}), 422))


@pytest.mark.parametrize("agent_id", ["nobody", "", "\0", "QWEN"])
def test_unknown_agent(stranger: Client, agent_id: str) -> None:
    """An agent that is not there answers 404 with the ones that are."""
    content = problem(stranger.call("GET", "/agents/incidents", params={"agent_id": agent_id}), 404)

    assert "qwen" in content["detail"]
