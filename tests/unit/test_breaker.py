"""Circuits on a real valkey: when they open, for how long, who may try, and what closes them."""

import threading
from collections.abc import Callable

import pytest
from redis import Redis

from folkmoot.breaker import CLEAN_S, JITTER, Breaker, Permit, backoff_s

NOW = 1_000_000.0
CLOSED = Permit("qwen", is_trial=False)


@pytest.fixture
def breaker(redis: Redis) -> Breaker:
    """Circuits that open at the third error in a row."""
    return Breaker(redis, opens_after=3)


def fail(breaker: Breaker, *, now: float = NOW, times: int = 1, permit: Permit = CLOSED) -> None:
    """Record calls that failed."""
    for _ in range(times):
        breaker.erred(permit, "HTTP 500", now=now)


def paused(breaker: Breaker, *, now: float = NOW) -> float:
    """How long the circuit is left alone from now on."""
    open_until = breaker.read("qwen").open_until
    assert open_until is not None
    return open_until - now


def trial(breaker: Breaker, *, now: float) -> Permit:
    """The leave to try a circuit whose pause is over."""
    permit = breaker.permit("qwen", now=now, hold_s=30)
    assert permit is not None and permit.is_trial
    return permit


@pytest.mark.parametrize(
    ("trials", "seconds"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (10**9, 60)]
)
def test_backoff_doubles_up_to_a_minute(trials: int, seconds: float) -> None:
    """Each trial that fails doubles the pause, and no pause is longer than a minute."""
    assert backoff_s(trials) == seconds


def test_circuit_stays_closed_below_the_limit(breaker: Breaker) -> None:
    """Two errors in a row keep nobody from calling."""
    fail(breaker, times=2)

    assert breaker.permit("qwen", now=NOW, hold_s=30) == CLOSED


def test_circuit_opens_at_the_limit_for_its_pause(breaker: Breaker) -> None:
    """After three errors in a row nobody may call for a second and its jitter; then one may."""
    fail(breaker, times=3)

    assert 1 <= paused(breaker) <= 1 + JITTER
    assert breaker.permit("qwen", now=NOW + 0.9, hold_s=30) is None
    assert breaker.permit("qwen", now=NOW + 1.3, hold_s=30) == Permit("qwen", is_trial=True)


def test_one_trial_at_a_time(breaker: Breaker, redis: Redis) -> None:
    """Of thirty processes that would try a half-open circuit at once, one may."""
    fail(breaker, times=3)
    permits: list[Permit | None] = []
    together = threading.Barrier(30)

    def ask() -> None:
        together.wait()
        permits.append(Breaker(redis, opens_after=3).permit("qwen", now=NOW + 5, hold_s=30))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(permit is not None for permit in permits) == [False] * 29 + [True]


def test_trial_of_a_process_that_died_runs_out(breaker: Breaker, redis: Redis) -> None:
    """A trial holds the circuit for as long as its call may take, and no longer."""
    fail(breaker, times=3)
    breaker.permit("qwen", now=NOW + 5, hold_s=30)

    assert 29_000 < redis.pttl("folkmoot:trial:qwen") <= 30_000


def test_trials_that_fail_are_further_and_further_apart(breaker: Breaker) -> None:
    """In three minutes of failing a circuit is called ten times at most: three times before it opens, then seven."""
    fail(breaker, times=3)
    now, calls = NOW, 3
    while (now := now + paused(breaker, now=now)) < NOW + 180:
        fail(breaker, now=now, permit=trial(breaker, now=now))
        calls += 1

    assert 8 <= calls <= 10


def test_errors_of_calls_begun_earlier_make_no_pause_longer(breaker: Breaker) -> None:
    """When a hundred calls under way fail at once, the pause is that of one failure."""
    fail(breaker, times=100)

    assert paused(breaker) <= 1 + JITTER
    assert breaker.read("qwen").errors == 100


def test_clean_circuit_is_not_looked_up_again_for_a_while(breaker: Breaker, redis: Redis) -> None:
    """What another process learns meanwhile counts after it; an error in the process itself counts at once."""
    other = Breaker(redis, opens_after=3)
    clean = breaker.permit("qwen", now=NOW, hold_s=30)
    assert clean is not None and clean.is_clean

    other.erred(CLOSED, "HTTP 429", now=NOW, retry_after_s=60)
    assert breaker.permit("qwen", now=NOW + CLEAN_S / 2, hold_s=30) == CLOSED
    assert breaker.permit("qwen", now=NOW + CLEAN_S, hold_s=30) is None

    other.reset("qwen")
    assert breaker.permit("qwen", now=NOW + 2, hold_s=30) == CLOSED
    breaker.erred(CLOSED, "HTTP 429", now=NOW + 2, retry_after_s=60)
    assert breaker.permit("qwen", now=NOW + 2, hold_s=30) is None


def test_an_answer_closes_the_circuit(breaker: Breaker) -> None:
    """One whole answer forgets all errors, and the next failure begins anew."""
    fail(breaker, times=3)
    breaker.succeeded(trial(breaker, now=NOW + 5))
    fail(breaker, times=2, now=NOW + 5)

    assert breaker.permit("qwen", now=NOW + 5, hold_s=30) == CLOSED
    assert breaker.read("qwen").errors == 2


def test_a_trial_without_a_verdict_leaves_the_next_to_another(breaker: Breaker) -> None:
    """A trial that was cancelled says nothing: another may try at once."""
    fail(breaker, times=3)
    breaker.release(trial(breaker, now=NOW + 5))

    assert trial(breaker, now=NOW + 5) is not None


@pytest.mark.parametrize(("asked_s", "expected_s"), [(0, 0), (40, 40), (90_000, 3600)])
def test_an_endpoint_that_asks_for_it_is_left_alone(breaker: Breaker, asked_s: float, expected_s: float) -> None:
    """`Retry-After` opens a circuit at the first error, for as long as it says, and an hour at most."""
    breaker.erred(CLOSED, "HTTP 429", now=NOW, retry_after_s=asked_s)

    assert paused(breaker) == expected_s
    assert asked_s == 0 or breaker.permit("qwen", now=NOW + expected_s - 0.1, hold_s=30) is None
    assert trial(breaker, now=NOW + expected_s + 0.1) is not None


def test_no_other_error_shortens_what_was_asked_for(breaker: Breaker) -> None:
    """What fails beside it, also without the wish, leaves the longer pause as it is."""
    breaker.erred(CLOSED, "HTTP 429", now=NOW, retry_after_s=100)
    fail(breaker, times=5)
    breaker.erred(CLOSED, "HTTP 429", now=NOW, retry_after_s=5)

    assert paused(breaker) == 100


def test_a_reset_closes_the_circuit(breaker: Breaker) -> None:
    """By hand a circuit is closed at once, and its errors are forgotten."""
    fail(breaker, times=7)
    breaker.reset("qwen")

    assert breaker.permit("qwen", now=NOW, hold_s=30) == CLOSED
    assert breaker.read("qwen").errors == 0


def test_circuits_are_apart(breaker: Breaker) -> None:
    """One endpoint's errors are not another's."""
    fail(breaker, times=3)

    assert breaker.permit("qwen.1", now=NOW, hold_s=30) == Permit("qwen.1", is_trial=False)


@pytest.mark.parametrize(
    "act",
    [
        lambda breaker: breaker.succeeded(CLOSED),
        lambda breaker: breaker.erred(CLOSED, "HTTP 500", now=NOW),
        lambda breaker: breaker.release(Permit("qwen", is_trial=True)),
    ],
)
def test_without_redis_every_call_is_allowed(absent_redis: Redis, act: Callable[[Breaker], None]) -> None:
    """Redis away: nothing is remembered, nothing is raised, and calls go on."""
    breaker = Breaker(absent_redis, opens_after=3)
    act(breaker)

    assert breaker.permit("qwen", now=NOW, hold_s=30) == CLOSED
