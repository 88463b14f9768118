"""A seat with several endpoints: the next when one fails, a second beside one that is slow, and who may be called."""

from typing import Any

import pytest

from folkmoot import submission
from folkmoot.asks import Ask
from folkmoot.breaker import Permit
from folkmoot.health import Signs
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import queries
from tests.scripted_model import ScriptedModel
from tests.stack import eventually
from tests.store import rows
from tests.store.pool import MakeRuntime, events, work
from tests.store.test_council import deltas

CLOSED = Permit("qwen", is_trial=False)
FIRST, SECOND = "scripted/qwen", "spare/qwen"
FAILURES: dict[str, dict[str, Any]] = {
    "error status": {"status": 500},
    "cut off": {"cut_after_tokens": 3},
    "error as text": {"text": "Error: upstream timed out"},
    "empty": {"text": ""},
}


@pytest.fixture
def seated(make_runtime: MakeRuntime, model: ScriptedModel) -> Runtime:
    """A runtime whose seat qwen has a fallback."""
    return with_fallback(make_runtime, model)


def with_fallback(make_runtime: MakeRuntime, model: ScriptedModel, **settings: Any) -> Runtime:
    """A runtime whose seat qwen has a fallback on the same server."""

    def add(roster: dict[str, Any]) -> None:
        roster["seats"]["qwen"]["fallbacks"] = [{"model": SECOND, "base_url": model.url}]

    return make_runtime(add, **{"lease_s": 5, "deadline_s": 20, **settings})


def asked(runtime: Runtime, **more: Any) -> QueryResource:
    """A query to the one seat after all that its hints bring about."""
    user_id = rows.user(runtime.db)
    job_id = submission.submit(runtime, user_id, Ask("Whom?", agents=("qwen",), **more), idempotency_key="k")[0].job_id
    work(runtime)
    return queries.find(runtime.db, job_id)


@pytest.mark.parametrize("kind", FAILURES)
def test_next_endpoint_answers_for_one_that_fails(seated: Runtime, model: ScriptedModel, kind: str) -> None:
    """A fallback is asked when the first endpoint gives no usable answer, and the response says what answered."""
    model.script(FIRST, FAILURES[kind])

    query = asked(seated)

    [response] = query.responses
    assert (response.status, response.model, response.attempts) == ("ok", SECOND, 1)
    assert query.status == "done" and not query.degraded
    assert len(model.calls(FIRST)) == len(model.calls(SECOND)) == 1
    assert deltas(events(seated, query.job_id), "response") == {"qwen": response.text}


def test_seat_fails_when_every_endpoint_does(seated: Runtime, model: ScriptedModel) -> None:
    """The reason is that of the last endpoint, and nothing that was streamed counts."""
    model.script(FIRST, {"cut_after_tokens": 3})
    model.script(SECOND, {"status": 503})

    query = asked(seated)

    [response] = query.responses
    assert response.status == "failed" and "503" in str(response.error)
    assert deltas(events(seated, query.job_id), "response") == {}


def test_slow_endpoint_is_overtaken(seated: Runtime, model: ScriptedModel) -> None:
    """A fallback is asked beside a slow endpoint; the first whole answer counts, and the other call is closed."""
    seated.health.answered("qwen", CLOSED, 200)
    now = utcnow().timestamp()
    signs = {"qwen": Signs({"w": now}), "llama3": Signs({"w": now})}
    seated.health.refresh(signs, now=now, started_at=now)
    model.script(FIRST, {"text": "slow " * 200, "token_delay_s": 0.1})

    query = asked(seated)

    [response] = query.responses
    assert (response.status, response.model) == ("ok", SECOND)
    assert (response.latency_ms or 0) < 3000
    eventually(lambda: model.calls(FIRST)[0].disconnected_at, 2, "the slow call is closed")
    told = events(seated, query.job_id)
    assert deltas(told, "response") == {"qwen": response.text}
    assert {event.data["attempt"] for event in told if event.type == "response.delta"} == {1, 2}


def test_hedge_comes_after_a_third_of_the_time_at_the_latest(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """Without any latency known, a fallback is asked after a third of the time for asking."""
    runtime = with_fallback(make_runtime, model, deadline_s=10)
    model.script(FIRST, {"hang": True})

    query = asked(runtime)

    assert query.responses[0].model == SECOND
    first, second = model.calls(FIRST)[0], model.calls(SECOND)[0]
    # How late the first call arrived says nothing about when the second was due.
    assert second.at - query.created_at.timestamp() >= 1.9
    assert second.at - first.at <= 3


def test_first_endpoint_may_still_win(seated: Runtime, model: ScriptedModel) -> None:
    """A hedge that fails, or is slower, takes nothing from the endpoint that it was asked beside."""
    seated.health.answered("qwen", CLOSED, 100)
    now = utcnow().timestamp()
    seated.health.refresh({"qwen": Signs({"w": now})}, now=now, started_at=now)
    model.script(FIRST, {"delay_s": 1})
    model.script(SECOND, {"status": 500})

    query = asked(seated)

    assert query.responses[0].status == "ok" and query.responses[0].model == FIRST
    assert len(model.calls(SECOND)) == 1


def test_without_hedging_a_slow_endpoint_gets_its_share(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """When the setting forbids a second call beside the first, the fallback comes after it, in time."""
    runtime = with_fallback(make_runtime, model, hedge=False, deadline_s=10)
    model.script(FIRST, {"hang_after_tokens": 2})

    query = asked(runtime)

    first, second = model.calls(FIRST)[0], model.calls(SECOND)[0]
    assert query.responses[0].model == SECOND and query.status == "done"
    assert first.disconnected_at is not None and first.disconnected_at <= second.at + 0.5


def test_resting_endpoint_is_passed_over(seated: Runtime, model: ScriptedModel) -> None:
    """An endpoint whose circuit is open is not called: its fallback answers at once."""
    model.script(FIRST, {"status": 500})
    for number in range(3):
        user_id = rows.user(seated.db, f"u{number}")
        submission.submit(seated, user_id, Ask("Whom?", agents=("qwen",)), idempotency_key="k")
        work(seated)
    assert len(model.calls(FIRST)) == 3

    query = asked(seated)

    assert query.responses[0].model == SECOND and len(model.calls(FIRST)) == 3


def test_seat_whose_endpoints_all_rest_fails_at_once(make_runtime: MakeRuntime, model: ScriptedModel) -> None:
    """A seat that is left alone is not called and not waited for; its response says why."""
    runtime = make_runtime(lease_s=5, deadline_s=20)
    model.script(FIRST, {"status": 429, "retry_after": 60})
    asked_before = rows.user(runtime.db, "before")
    submission.submit(runtime, asked_before, Ask("Whom?", agents=("qwen",)), idempotency_key="k")
    work(runtime)

    query = asked(runtime)

    [response] = query.responses
    assert response.status == "failed" and "left alone for now" in str(response.error)
    assert len(model.calls(FIRST)) == 1
