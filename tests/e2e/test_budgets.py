"""Limits from outside: a budget under twenty queries at once, places, rates, and what a user is told of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from openai import OpenAI, RateLimitError

from tests.client import Client, new_user
from tests.conftest import SETTINGS, scripted_roster
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

pytestmark = [pytest.mark.timeout(120), pytest.mark.make_up]

#: Holds a few queries, and not twenty.
TOKENS = 20_000
AT_ONCE = 20


@pytest.fixture(scope="module")
def strict(scripted_model: ScriptedModel) -> Iterator[Stack]:
    """A stack with a budget in tokens, a few places and a rate, on scripted models."""
    limits = {"BUDGET_USER_TOKENS": str(TOKENS), "CONCURRENT_JOBS": "12", "RATE_PER_MINUTE": "30"}
    own = {f"FOLKMOOT_{name}": value for name, value in limits.items()}
    with Stack(scripted_roster(scripted_model), {**SETTINGS, "FOLKMOOT_ANALYSIS": "false", **own}) as running:
        yield running


@pytest.fixture
def user(strict: Stack, scripted_model: ScriptedModel) -> Client:
    """A new user of it, with models on their best behaviour."""
    scripted_model.reset()
    return new_user(strict.url)


def refusal(answer: requests.Response, kind: str) -> str:
    """The sentence of a refusal by a limit."""
    assert answer.status_code == 429 and answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert answer.json()["type"] == f"urn:folkmoot:problem:{kind}", answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    return str(answer.json()["detail"])


def usage(client: Client) -> dict[str, Any]:
    """The user's own figures of today."""
    answer = client.call("GET", "/usage")
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_a_budget_holds_against_twenty_queries_at_once(user: Client, scripted_model: ScriptedModel) -> None:
    """Of twenty queries in parallel those that fit are answered; the budget is overrun by no query's worth."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda number: user.submit(query=f"Question {number}?"), range(AT_ONCE)))

    accepted = [answer.json()["job_id"] for answer in answers if answer.status_code == 202]
    refused = [refusal(answer, "budget-spent") for answer in answers if answer.status_code != 202]
    assert accepted and refused and len(user.history(limit=100)["queries"]) == len(accepted)
    assert all(
        f"{TOKENS:,} tokens" in sentence and "reserved for queries under way" in sentence for sentence in refused
    )
    used = [user.wait_done(job_id)["cost"]["total_tokens"] for job_id in accepted]
    calls = [call for call in scripted_model.calls() if call.finished_at]
    assert len(calls) == 4 * len(accepted)
    assert sum(used) <= TOKENS + max(used)
    figures = usage(user)["tokens"]
    assert figures == {"spent": sum(used), "reserved": 0, "limit": TOKENS}
    # What was reserved and not used is free again.
    assert user.wait_done(user.ask("And one more?")["job_id"])["status"] == "done"


def test_a_budget_that_is_spent_stays_so(user: Client, scripted_model: ScriptedModel) -> None:
    """A deleted query has been paid for: its tokens count until midnight, which the refusal tells as time to wait."""
    scripted_model.script("scripted/qwen", {"text": "word " * 400})
    spent = 0
    while (answer := user.submit(query="Why? " * 300, agents=["qwen"])).status_code == 202:
        job_id = answer.json()["job_id"]
        spent += user.wait_done(job_id)["cost"]["total_tokens"]
        assert user.delete(job_id).status_code == 204

    assert f"{spent:,} tokens spent, 0 tokens reserved" in refusal(answer, "budget-spent")
    midnight = datetime.fromisoformat(usage(user)["resets_at"])
    left = midnight - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(days=1)
    assert abs(int(answer.headers["Retry-After"]) - left.total_seconds()) < 30
    assert usage(user)["tokens"]["spent"] == spent and user.history()["queries"] == []


def test_openais_clients_are_told_in_their_words(strict: Stack, user: Client) -> None:
    """The official client raises its own error for a budget that is spent, with its code, and does not try again."""
    with OpenAI(base_url=f"{strict.url}/v1", api_key=str(user.token)) as openai, pytest.raises(RateLimitError) as told:
        while True:
            text = "Should voting be compulsory? " * 200
            openai.chat.completions.create(model="folkmoot", messages=[{"role": "user", "content": text}])

    assert told.value.code == told.value.type == "insufficient_quota"
    assert "Your budget for today" in told.value.message and "budget-spent" not in told.value.message


def test_a_rate_that_is_reached_says_when(user: Client) -> None:
    """Queries beyond thirty a minute are refused for a moment; looking is not."""
    sent = [user.submit(query="Why?", agents=["qwen"], headers={"Idempotency-Key": "one"}) for _ in range(35)]
    assert {answer.status_code for answer in sent} == {202}

    # One comes back every two seconds, so a slow machine may send some more.
    answers = (user.submit(query="?!", deadline_s=2) for _ in range(90))
    # Before that, the places and the budget of this user are taken.
    refused = next(answer for answer in answers if "queries a minute" in answer.text)

    assert "30 queries a minute" in refusal(refused, "limit-reached")
    assert int(refused.headers["Retry-After"]) <= 2
    assert usage(user)["rate_per_minute"] == 30


def test_a_stranger_without_a_token_learns_nothing(strict: Stack) -> None:
    """Figures are for whoever is signed in."""
    assert Client(strict.url).call("GET", "/usage").status_code == 401
