"""Who may be asked: the judgement from signs alone, and the store of signs on a real valkey."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import RedisError

from folkmoot import health
from folkmoot.health import Entry, Health, Signs, backoff_s, judge, utc
from folkmoot.settings import Settings

from .conftest import connected, valkey

NOW = 1_000_000.0
#: Heartbeats every 10 s: unhealthy after 20 s of silence, failed after 60 s; 2 and 3 errors.
LIMITS = Settings(heartbeat_s=10, failed_after_s=60)


def state(signs: Signs, *, now: float = NOW, started_at: float = 0.0) -> str:
    """The state alone."""
    return judge(signs, now=now, started_at=started_at, settings=LIMITS)[0]


def beating(*ages_s: float, **more: object) -> Signs:
    """Signs of a pool whose workers were heard this many seconds ago."""
    beats = {f"worker-{number}": NOW - age for number, age in enumerate(ages_s)}
    return Signs(beats=beats, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(0, "healthy"), (10, "healthy"), (20, "healthy"), (20.1, "unhealthy"), (59.9, "unhealthy"), (60, "failed")],
)
def test_silence_of_a_pool_makes_it_unhealthy_then_failed(age_s: float, expected: str) -> None:
    """A seat's state follows the age of its newest heartbeat."""
    assert state(beating(age_s)) == expected


def test_one_living_worker_is_enough() -> None:
    """A pool lives as long as any of its workers does."""
    assert state(beating(500, 3, 90)) == "healthy"


@pytest.mark.parametrize(("listened_s", "expected"), [(5, "healthy"), (30, "unhealthy"), (60, "failed")])
def test_silence_counts_from_when_somebody_listened(listened_s: float, expected: str) -> None:
    """A heartbeat service that has just started does not take its own absence for a pool's death."""
    assert state(beating(), started_at=NOW - listened_s) == expected
    assert state(beating(9000), started_at=NOW - listened_s) == expected


def test_a_clock_that_went_back_hurts_nobody() -> None:
    """Heartbeats from the future are heartbeats."""
    assert state(beating(-3600)) == "healthy"


@pytest.mark.parametrize(
    ("errors", "age_s", "expected"),
    [
        (0, 0, "healthy"),
        (1, 0, "healthy"),
        (2, 0, "unhealthy"),
        (2, 9999, "unhealthy"),
        (3, 0, "failed"),
        (3, 3.9, "failed"),
        (3, 4.1, "unhealthy"),
        (4, 7.9, "failed"),
        (4, 8.1, "unhealthy"),
        (100, 59, "failed"),
        (100, 61, "unhealthy"),
    ],
)
def test_errors_in_a_row_open_the_breaker_for_its_backoff(errors: int, age_s: float, expected: str) -> None:
    """From three errors in a row on a seat is out for a growing while, and then may be tried again."""
    signs = beating(0, consecutive_errors=errors, last_error="HTTP 500", last_error_at=NOW - age_s)

    assert state(signs) == expected


def test_a_probe_that_fails_makes_unhealthy_only() -> None:
    """An endpoint that does not name its models may still answer: it is not failed for that."""
    assert judge(beating(0, probe_error="no connection"), now=NOW, started_at=0, settings=LIMITS) == (
        "unhealthy",
        "no connection",
    )


def test_a_dead_pool_is_failed_whatever_else_is_known() -> None:
    """Silence outweighs everything: nobody is there to be tried again."""
    signs = beating(61, consecutive_errors=3, last_error="x", last_error_at=NOW - 50, probe_error="y")

    assert state(signs) == "failed"


@given(
    st.lists(st.floats(0, 500), max_size=3),
    st.integers(0, 50),
    st.none() | st.floats(0, 500),
    st.none() | st.just("no connection"),
    st.floats(0, 500),
)
def test_a_reason_is_given_exactly_when_something_is_wrong(
    ages_s: list[float], errors: int, error_age_s: float | None, probe_error: str | None, listened_s: float
) -> None:
    """Whatever the signs, a healthy seat has no reason and every other has one in a line."""
    signs = beating(
        *ages_s,
        consecutive_errors=errors,
        last_error="HTTP 500",
        last_error_at=None if error_age_s is None else NOW - error_age_s,
        probe_error=probe_error,
    )
    judged, reason = judge(signs, now=NOW, started_at=NOW - listened_s, settings=LIMITS)

    assert (reason is None) == (judged == "healthy")
    assert reason is None or (reason and "\n" not in reason)


@pytest.mark.parametrize(
    ("errors", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (1000, 60)]
)
def test_backoff_doubles_up_to_a_minute(errors: int, seconds: float) -> None:
    """Each error in a row doubles the pause, and no pause is longer than a minute."""
    assert backoff_s(errors) == seconds


@pytest.mark.parametrize("errors", [1025, 5000, 10**9])
def test_backoff_knows_no_number_too_large(errors: int) -> None:
    """A seat that has failed for days still has a backoff, and a state."""
    signs = beating(0, consecutive_errors=errors, last_error="HTTP 500", last_error_at=NOW)

    assert backoff_s(errors) == 60
    assert state(signs) == "failed"


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=150))
@example(list(range(20)))
@example(list(range(health.LATENCIES)))
def test_percentiles_are_by_nearest_rank(latencies_ms: list[int]) -> None:
    """The p-th percentile is the smallest latency that at least p per cent of the calls do not exceed."""

    def rank(share: float) -> int:
        return sorted(latencies_ms)[math.ceil(round(share * len(latencies_ms), 6)) - 1]

    assert health._percentiles(latencies_ms) == (rank(0.50), rank(0.95))


def test_percentiles_of_nothing_are_unknown() -> None:
    """A seat that has never answered has no latency, not one of zero."""
    assert health._percentiles([]) == (None, None)


def test_times_of_the_board_are_points_in_time() -> None:
    """Seconds since 1970 become aware UTC; unknown stays unknown."""
    assert utc(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert utc(None) is None


@pytest.fixture
def store(redis: Redis) -> Health:
    """A health store on an empty Redis."""
    return Health(redis, LIMITS)


def refreshed(store: Health, *seats: str, now: float = NOW, started_at: float = 0.0) -> dict[str, Entry]:
    """The board after one look at these seats, as every process sees it."""
    signs = {seat: store.signs(seat, now=now, probe_error=None) for seat in seats}
    store.refresh(signs, now=now, started_at=started_at)
    return store.board(now=now)


def test_the_board_says_what_was_seen(store: Health) -> None:
    """Heartbeats, errors and latencies of real calls stand on the board with the state that follows."""
    store.beat("qwen", "w1", now=NOW - 1)
    store.beat("qwen", "w2", now=NOW - 5)
    store.beat("qwen", "w3", now=NOW - 50)
    for latency_ms in (300, 100, 200):
        store.succeeded("qwen", latency_ms)
    store.erred("qwen", "HTTP 500", now=NOW)

    assert refreshed(store, "qwen") == {
        "qwen": Entry(
            agent_id="qwen",
            state="healthy",
            reason=None,
            since=NOW,
            last_heartbeat=NOW - 1,
            consecutive_errors=1,
            next_probe=None,
            workers_alive=2,
            p50_latency_ms=200,
            p95_latency_ms=300,
        )
    }


def test_reading_the_board_makes_nobody_alive(store: Health) -> None:
    """Looking at a seat again and again never refreshes its heartbeat: a silent pool goes stale."""
    store.beat("qwen", "w1", now=NOW)
    seen = [refreshed(store, "qwen", now=NOW + age)["qwen"] for age in (0, 15, 30, 45, 61)]

    assert [entry.state for entry in seen] == ["healthy", "healthy", "unhealthy", "unhealthy", "failed"]
    assert {entry.last_heartbeat for entry in seen} == {NOW}
    assert seen[-1].workers_alive == 0


def test_errors_in_a_row_fail_a_seat_and_one_answer_heals_it(store: Health) -> None:
    """Three failed calls take a seat out until its next probe is due; one answer ends the row."""
    store.beat("qwen", "w1", now=NOW)
    for _ in range(3):
        store.erred("qwen", "HTTP 500", now=NOW)
    failed = refreshed(store, "qwen")["qwen"]
    store.succeeded("qwen", 100)
    healed = refreshed(store, "qwen")["qwen"]

    assert (failed.state, failed.consecutive_errors, failed.next_probe) == ("failed", 3, NOW + 4)
    assert failed.reason == "3 errors in a row, the last: HTTP 500"
    assert (healed.state, healed.consecutive_errors, healed.next_probe) == ("healthy", 0, None)


def test_an_error_of_one_seat_is_not_anothers(store: Health) -> None:
    """Seats are judged apart."""
    for seat in ("qwen", "mistral"):
        store.beat(seat, "w1", now=NOW)
    for _ in range(3):
        store.erred("qwen", "HTTP 500", now=NOW)

    assert {seat: entry.state for seat, entry in refreshed(store, "qwen", "mistral").items()} == {
        "qwen": "failed",
        "mistral": "healthy",
    }


def test_a_reset_forgets_the_errors(store: Health) -> None:
    """A seat that was reset by hand starts with no error and no latency, and its pool still lives."""
    store.beat("qwen", "w1", now=NOW)
    store.succeeded("qwen", 100)
    for _ in range(3):
        store.erred("qwen", "HTTP 500", now=NOW)
    store.reset("qwen")
    entry = refreshed(store, "qwen")["qwen"]

    assert (entry.state, entry.consecutive_errors, entry.p50_latency_ms) == ("healthy", 0, None)
    assert entry.workers_alive == 1


def test_since_is_when_the_state_began(store: Health) -> None:
    """A state that lasts keeps its beginning; only a change is reported."""
    store.beat("qwen", "w1", now=NOW)
    changes = []
    for age in (0, 10, 30, 40):
        signs = {"qwen": store.signs("qwen", now=NOW + age, probe_error=None)}
        changes.append([entry.state for entry in store.refresh(signs, now=NOW + age, started_at=0)])

    assert changes == [["healthy"], [], ["unhealthy"], []]
    assert store.board(now=NOW + 40)["qwen"].since == NOW + 30


def test_workers_long_gone_are_dropped(store: Health, redis: Redis) -> None:
    """Heartbeats of workers that went long ago do not pile up; the newest is still judged by."""
    store.beat("qwen", "old", now=NOW - 121)
    store.beat("qwen", "new", now=NOW)
    store.signs("qwen", now=NOW, probe_error=None)

    assert set(store.signs("qwen", now=NOW, probe_error=None).beats) == {"new"}


def test_only_the_newest_latencies_count(store: Health, redis: Redis) -> None:
    """What is remembered of a seat's latencies has a bound."""
    store.beat("qwen", "w1", now=NOW)
    for latency_ms in [9000] * 50 + [10] * health.LATENCIES:
        store.succeeded("qwen", latency_ms)
    entry = refreshed(store, "qwen")["qwen"]

    assert (entry.p50_latency_ms, entry.p95_latency_ms) == (10, 10)
    assert redis.llen("folkmoot:latencies:qwen") == health.LATENCIES


def test_a_board_that_nobody_keeps_says_nothing(store: Health) -> None:
    """When the heartbeat service is gone, an old board does not keep a seat out for ever."""
    refreshed(store, "qwen", now=NOW)

    assert store.board(now=NOW + 30)["qwen"].state == "failed"
    assert store.board(now=NOW + 30.1) == {}


def test_unknown_seats_have_no_entry(store: Health) -> None:
    """Nothing is made up about a seat that nobody has looked at."""
    refreshed(store, "qwen", now=NOW)

    assert store.board(now=NOW).keys() == {"qwen"}


def test_a_seat_that_left_the_roster_leaves_the_board(store: Health) -> None:
    """The board holds the seats of the last look only."""
    refreshed(store, "qwen", "mistral")

    assert refreshed(store, "mistral").keys() == {"mistral"}


def test_two_processes_see_one_board(store: Health, redis: Redis) -> None:
    """What one process records, another reads."""
    other = Health(redis, LIMITS)
    store.beat("qwen", "w1", now=NOW)
    refreshed(other, "qwen")

    assert store.board(now=NOW)["qwen"].state == "healthy"


@pytest.mark.parametrize("reason", ["", "no\nconnection\u2028", "👍 否 \x00 \u202e", "x" * 100_000])
def test_any_reason_survives_the_board(reason: str, store: Health) -> None:
    """What a provider said is kept as it was, whatever it holds."""
    store.beat("qwen", "w1", now=NOW)
    for _ in range(3):
        store.erred("qwen", reason, now=NOW)

    assert refreshed(store, "qwen")["qwen"].reason == f"3 errors in a row, the last: {reason}"


def test_without_redis_every_seat_counts_as_healthy(absent_redis: Redis) -> None:
    """Redis away: calls are allowed, their outcome is not recorded, and nothing is raised."""
    store = Health(absent_redis, LIMITS)
    store.succeeded("qwen", 100)
    store.erred("qwen", "HTTP 500", now=NOW)

    assert store.board(now=NOW) == {}


def test_without_redis_a_beat_and_a_reset_say_so(absent_redis: Redis) -> None:
    """Whoever has to know that a heartbeat or a reset was not taken hears of it."""
    store = Health(absent_redis, LIMITS)

    with pytest.raises(RedisError):
        store.beat("qwen", "w1", now=NOW)
    with pytest.raises(RedisError):
        store.reset("qwen")


def test_a_redis_that_comes_back_is_used_again(tmp_path: Path) -> None:
    """A store that lost its Redis needs no new process once there is one again."""
    with valkey(tmp_path) as (path, _), connected(path) as client:
        store = Health(client, LIMITS)
        store.beat("qwen", "w1", now=NOW)
        assert refreshed(store, "qwen").keys() == {"qwen"}
    with connected(path) as client:
        store = Health(client, LIMITS)
        assert store.board(now=NOW) == {}
        with valkey(tmp_path):
            store.beat("qwen", "w1", now=NOW)
            assert refreshed(store, "qwen")["qwen"].state == "healthy"
