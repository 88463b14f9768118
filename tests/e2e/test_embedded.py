"""The product as it comes: a question, three roles, the embedded language model, a consensus that stays."""

import time
from typing import Any

import pytest

from tests.client import Client, new_user
from tests.stack import Stack

pytestmark = pytest.mark.timeout(300)

ROLES = {"qwen": "Utilitarian", "mistral": "Deontologist", "deephermes": "Rawlsian"}
QUESTION = "Should vaccination be compulsory for people who work in hospitals?"
#: Seconds that a question may take on two cores.
ANSWER_S = 60
#: Seconds for the longest question, with room for a machine that does other things too.
LONG_S = 200


@pytest.fixture(scope="module")
def user(embedded_stack: Stack) -> Client:
    """Somebody who has just signed up."""
    return new_user(embedded_stack.url)


@pytest.fixture(scope="module")
def answered(user: Client) -> dict[str, Any]:
    """A Healthcare Yes/No question under three roles, as it ended.

    Now and then so small a model repeats its prompt where it should conclude, and another seat does it,
    which is a degraded answer, as it should be; it is asked once more then.
    """
    for _ in range(2):
        job = user.ask(QUESTION, domain="Healthcare", question_type="Yes/No", roles=ROLES)
        ended = user.wait_done(job["job_id"], ANSWER_S + 5)
        if not any("repeated its prompt" in note for note in ended["notes"]):
            break
    return ended


def seconds(query: dict[str, Any]) -> float:
    """How long the query took by its own times."""
    ends, began = (
        time.mktime(time.strptime(query[name][:19], "%Y-%m-%dT%H:%M:%S")) for name in ("finished_at", "created_at")
    )
    return ends - began


def test_three_roles_give_three_responses_and_a_consensus(answered: dict[str, Any]) -> None:
    """A question under three roles ends done within 60 s, with three different responses and a consensus."""
    assert answered["status"] == "done", answered["notes"]
    assert seconds(answered) <= ANSWER_S
    assert {response["agent_id"]: response["role"] for response in answered["responses"]} == ROLES
    assert [response["status"] for response in answered["responses"]] == ["ok"] * 3
    assert len({response["text"] for response in answered["responses"]}) == 3
    assert len(answered["consensus"]["text"].split()) >= 5
    assert not answered["degraded"], answered["notes"]


def test_model_is_named_as_what_it_is(answered: dict[str, Any], user: Client) -> None:
    """Responses, consensus, catalogue and agents name SmolLM2, and never a model that did not answer."""
    models = [response["model"] for response in answered["responses"]] + [answered["consensus"]["model"]]
    models += [agent["model"] for agent in user.catalogue()["agents"]]
    models += [agent["model"] for agent in user.agents().values()]

    assert all("SmolLM2" in model for model in models), models


def test_record_survives_a_stop_and_a_start(answered: dict[str, Any], user: Client, embedded_stack: Stack) -> None:
    """After the stack was stopped and started, session, record and history are as they were."""
    before, history = user.wait_settled(answered["job_id"]), user.history()

    embedded_stack.stop()
    embedded_stack.start()

    assert user.query(answered["job_id"]) == before
    assert user.history() == history


@pytest.mark.parametrize(
    "query",
    [(QUESTION + " ") * 200, "Ist Impfpflicht gerecht? ÄÖÜß 是否公平?" * 300],
    ids=["ascii", "non-ascii"],
)
def test_longest_question_works(user: Client, query: str) -> None:
    """A question of 8,000 characters, whatever bytes they take, ends done and is stored whole."""
    query = query[:7999] + "?"

    job = user.ask(query, question_type="Yes/No", deadline_s=LONG_S)
    ended = user.wait_done(job["job_id"], LONG_S + 5)

    assert ended["status"] == "done", ended["notes"]
    assert ended["query"] == query and len(query) == 8000
