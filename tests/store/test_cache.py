"""The cache of answers: one call for equal ones, whoever leads them, and nothing kept that should not be."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select, update

from folkmoot import council, dispatch, response, submission
from folkmoot.asks import Ask
from folkmoot.models import Cache, Response
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import asking, cache, outbox, queries
from folkmoot.sweep import sweep
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.pool import MakeRuntime, events, sweep_until_ended, taken, work
from tests.store.test_council import background, speaking

QUESTION = "Should voting be compulsory? #case-cache"
PANEL = ("qwen", "mistral", "deephermes")
EVERYBODY = (*PANEL, "llama3")


@pytest.fixture
def runtime(make_runtime: MakeRuntime) -> Runtime:
    """A real runtime with short times and a cache."""
    return make_runtime(lease_s=0.6, resend_s=0.2, deadline_s=20, cache_hours=1)


def submit(runtime: Runtime, user_id: int, key: str, **more: Any) -> str:
    """Accept the question of these tests."""
    return submission.submit(runtime, user_id, Ask(QUESTION, **more), idempotency_key=key)[0].job_id


def asked(runtime: Runtime, user_id: int, key: str, **more: Any) -> QueryResource:
    """The query after all that its hints bring about."""
    job_id = submit(runtime, user_id, key, **more)
    work(runtime)
    return queries.find(runtime.db, job_id)


def calls(model: ScriptedModel) -> list[int]:
    """How often each seat was called."""
    return [len(model.calls(f"scripted/{seat}")) for seat in EVERYBODY]


def entries(runtime: Runtime) -> int:
    """How many answers could be given again."""
    with runtime.db.read() as connection:
        return connection.scalar(select(func.count()).where(Cache.ready_at.is_not(None))) or 0


def test_the_same_query_again_costs_no_call(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Panel and consensus come from the cache, marked with their source and charged with nothing."""
    first, again = asked(runtime, user_id, "1"), asked(runtime, user_id, "2")

    assert calls(model) == [1, 1, 1, 1] and again.status == "done" and not again.degraded
    for one, before in zip(again.responses, first.responses, strict=True):
        assert (one.cached, one.cached_from, one.text) == (True, first.job_id, before.text)
        assert one.cost_usd == "0" and one.completion_tokens == 0 and not before.cached
    assert again.consensus and first.consensus and again.consensus.text == first.consensus.text
    assert again.consensus.cached_from == first.job_id
    assert again.cost and again.cost.total_tokens == 0 and again.cost.stages == []
    assert {event.data["text"] for event in events(runtime, again.job_id) if event.type == "consensus.delta"} == {
        first.consensus.text
    }


def test_a_refresh_asks_anew_and_replaces(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Without the cache everybody is asked; the next one gets the newer answers."""
    asked(runtime, user_id, "1")
    fresh = asked(runtime, user_id, "2", use_cache=False)
    third = asked(runtime, user_id, "3")

    assert calls(model) == [2, 2, 2, 2] and not any(one.cached for one in fresh.responses)
    assert {one.cached_from for one in third.responses} == {fresh.job_id}


def test_users_share_nothing(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """Another user's equal query is asked by itself."""
    asked(runtime, user_id, "1")
    other = asked(runtime, rows.user(runtime.db, "ada"), "1")

    assert calls(model) == [2, 2, 2, 2] and not any(one.cached for one in other.responses)


def test_a_deleted_query_takes_its_answers_along(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """What came of a deleted query is given to nobody any more."""
    first = asked(runtime, user_id, "1")
    assert entries(runtime) == 4
    submission.delete(runtime, user_id, first.job_id)

    assert entries(runtime) == 0
    asked(runtime, user_id, "2")
    assert calls(model) == [2, 2, 2, 2]


def test_failures_and_degraded_answers_are_not_kept(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """A seat that failed is asked again, and a consensus without it is written again."""
    model.script("scripted/qwen", {"status": 400}, {})
    first, second = asked(runtime, user_id, "1"), asked(runtime, user_id, "2")

    assert first.degraded and not second.degraded
    assert [one.cached for one in second.responses] == [False, True, True]
    assert second.consensus and not second.consensus.cached


def test_one_asks_and_the_others_wait(runtime: Runtime, user_id: int, model: ScriptedModel) -> None:
    """While a call is under way the same one is not made; who waits holds no claim, and is woken at its end."""
    jobs = [submit(runtime, user_id, str(number)) for number in range(5)]
    led = _claimed(runtime, jobs[0])

    assert led is not None and all(_claimed(runtime, job) is None for job in jobs[1:])
    assert led.key
    with runtime.db.look() as connection:
        assert {job for job, _, _ in outbox.waiting(connection, led.key)} == set(jobs[1:])
    sweep_until_ended(runtime, jobs[1], within_s=15)
    assert len(model.calls("scripted/qwen")) == 1, "the lease ran out, then another led for all"


@pytest.mark.parametrize("end", ["answered", "failed", "interrupted"])
@pytest.mark.parametrize("stage", ["response", "consensus"])
def test_whoever_waits_is_woken_when_the_call_ends(
    runtime: Runtime, make_runtime: MakeRuntime, user_id: int, model: ScriptedModel, stage: str, end: str
) -> None:
    """However a call ends, the work that has waited for it is sent on at once: nobody sweeps here."""
    leading, waiting = (submit(runtime, user_id, key) for key in "12")
    if stage == "consensus":
        for job_id, agent_id in product((leading, waiting), PANEL):
            council.ask(runtime, job_id, agent_id)
    seat = "qwen" if stage == "response" else "llama3"
    slow = {"text": "word " * 40, "token_delay_s": 0.02}
    model.script(f"scripted/{seat}", {**slow, "cut_after_tokens": 20} if end == "failed" else slow, stage=stage)
    for other in PANEL if stage == "consensus" and end == "failed" else ():
        model.script(f"scripted/{other}", {"status": 500}, stage=stage)
    leader = make_runtime(lease_s=60, cache_hours=1)

    def perform(by: Runtime, job_id: str) -> None:
        if stage == "response":
            council.ask(by, job_id, seat)
        else:
            council.conclude(by, job_id)

    with background(lambda: perform(leader, leading)):
        speaking(model, stage, seat)
        perform(runtime, waiting)
        taken(runtime)
        if end == "interrupted":
            leader.provider.interrupt()

    hint = (dispatch.ASK, [waiting, seat]) if stage == "response" else (dispatch.CONCLUDE, [waiting])
    assert taken(runtime).count(hint) == 1
    assert len(model.calls(f"scripted/{seat}", stage)) == 1


@pytest.mark.parametrize("how", ["died", "cancelled", "deleted"])
def test_another_leads_when_the_first_is_gone(runtime: Runtime, user_id: int, how: str) -> None:
    """A leader whose claim is over keeps nobody waiting."""
    jobs = [submit(runtime, user_id, str(number)) for number in range(3)]
    assert _claimed(runtime, jobs[0]) is not None and _claimed(runtime, jobs[1]) is None
    if how == "died":
        with runtime.db.write() as connection:
            connection.execute(update(Response).where(Response.job_id == jobs[0]).values(lease_until=utcnow()))
    elif how == "cancelled":
        submission.cancel(runtime, user_id, jobs[0])
    else:
        submission.delete(runtime, user_id, jobs[0])

    assert _claimed(runtime, jobs[1]) is not None and _claimed(runtime, jobs[2]) is None


def test_old_and_surplus_entries_are_pruned(make_runtime: MakeRuntime, user_id: int) -> None:
    """The sweep keeps so many of the newest, and none when they are too old."""
    runtime = make_runtime(cache_hours=1, cache_entries=2)
    asked(runtime, user_id, "1")
    sweep(runtime)
    assert entries(runtime) == 2
    assert cache.prune(runtime.db, before=utcnow(), most=2) == 2 and entries(runtime) == 0


def _claimed(runtime: Runtime, job_id: str) -> asking.Claim | None:
    now, seek = utcnow(), response.Plan(runtime, "qwen").look_for
    until = runtime.lease_until(now)
    return asking.claim(runtime.db, job_id, "qwen", now=now, lease_until=until, attempts=3, seek=seek)
