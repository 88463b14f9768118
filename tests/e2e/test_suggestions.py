"""Suggestions: an earlier query is offered only where asking again would ask the same council the same question."""

from typing import Any

import pytest

from tests.client import Client
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.timeout(90)

ASKED, AGAIN = "Should fireworks be banned in cities?", "Do you think we should prohibit fireworks in cities?"
FAULT = {"status": 500, "error": "out of memory"}


def suggested(client: Client, query: str = AGAIN, **body: Any) -> str | None:
    """The `job_id` of the query that is suggested, if any."""
    answer = client.call("POST", "/suggestions", json={"query": query, **body})
    assert answer.status_code == 200, answer.text
    found = answer.json()["suggestion"]
    return None if found is None else str(found["job_id"])


def asked(client: Client, query: str = ASKED, **body: Any) -> str:
    """The `job_id` of a query that has been asked and answered."""
    job = client.wait_settled(client.ask(query, **body)["job_id"])
    assert job["status"] == "done", job
    return str(job["job_id"])


def test_the_newest_of_the_same_is_suggested(client: Client) -> None:
    """Of two that asked the same the later is offered; a question in other words that asks another thing has none."""
    asked(client)
    newest = asked(client, AGAIN)

    assert suggested(client, ASKED) == suggested(client) == newest
    assert suggested(client, "Should fireworks not be banned in cities?") is None


def test_a_degraded_answer_is_not_suggested(client: Client, model: ScriptedModel) -> None:
    """One seat had failed: the council would now say more, so that the whole answer before it is offered instead."""
    whole = asked(client)
    model.script("scripted/mistral", FAULT)
    degraded = client.wait_settled(client.ask(ASKED, use_cache=False)["job_id"])
    assert degraded["status"] == "done" and degraded["degraded"] is True

    assert suggested(client) == whole
    client.delete(whole)
    assert suggested(client) is None


def test_a_failed_query_is_not_suggested(client: Client, model: ScriptedModel) -> None:
    """Below the quorum there is no answer to offer."""
    for seat in ("mistral", "qwen"):
        model.script(f"scripted/{seat}", FAULT)
    failed = client.wait_settled(client.ask(ASKED)["job_id"])
    assert failed["status"] == "failed"

    assert suggested(client) is None


def test_a_follow_up_is_not_suggested(client: Client) -> None:
    """A follow-up means something only behind what it follows."""
    first = asked(client, "Should dogs be banned from parks?")
    asked(client, parent_job_id=first)

    assert suggested(client) is None


def test_roles_that_were_dealt_are_compared(client: Client) -> None:
    """A list of roles is the same in any order; fewer, more or others are not, nor is none."""
    dealt = asked(client, roles=["Utilitarian", "Rawlsian"])

    assert suggested(client, roles=["Rawlsian", "Utilitarian"]) == dealt
    for roles in (["Utilitarian"], ["Utilitarian", "Rawlsian", "Libertarian"], ["Utilitarian", "Libertarian"], []):
        assert suggested(client, roles=roles) is None, roles


@pytest.mark.parametrize(
    "other", [{"domain": "Policy"}, {"question_type": "Yes/No"}, {"roles": {"qwen": "Rawlsian"}}], ids=str
)
def test_another_kind_of_query_is_not_suggested(client: Client, other: dict[str, Any]) -> None:
    """Another domain, question type or role asks something else in the same words, in either direction."""
    plain = asked(client)
    assert suggested(client, **other) is None
    kind = asked(client, **other)

    assert (suggested(client), suggested(client, **other)) == (plain, kind)


def test_what_another_user_asked_is_not_suggested(client: Client, stranger: Client) -> None:
    """Neither that it was asked nor what came of it is told to anybody else."""
    asked(client)

    assert suggested(stranger) is None and suggested(stranger, ASKED) is None
