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
from folkmoot.breaker import Circuit, Permit
from folkmoot.health import Entry, Health, Signs, judge, utc
from folkmoot.settings import Settings

from .conftest import connected, valkey

NOW = 1_000_000.0
CLOSED = Permit("qwen", is_trial=False)
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


def failing(errors: int, *, is_open: bool = False) -> Circuit:
    """The circuit of an endpoint with this many errors in a row."""
    return Circuit(errors, "HTTP 500" if errors else None, NOW + 4 if is_open else None)


@pytest.mark.parametrize(("errors", "expected"), [(0, "healthy"), (1, "healthy"), (2, "unhealthy"), (9, "unhealthy")])
def test_errors_in_a_row_make_unhealthy(errors: int, expected: str) -> None:
    """From two errors in a row on a seat is unhealthy, and still asked while its circuit is closed."""
    assert state(beating(0, circuits=(failing(errors),))) == expected


@pytest.mark.parametrize("later_s", [0, 3, 5, 9999])
def test_open_circuit_is_failed_until_an_answer_closes_it(later_s: float) -> None:
    """A seat whose circuit is open has failed, also when its pause is over: only an answer says that it is well."""
    signs = Signs({"w": NOW + later_s}, (failing(3, is_open=True),))

    assert judge(signs, now=NOW + later_s, started_at=0, settings=LIMITS) == (
        "failed",
        "3 errors in a row, the last: HTTP 500",
    )


@pytest.mark.parametrize(
    ("circuits", "expected"),
    [
        ((failing(3, is_open=True), failing(0)), "unhealthy"),
        ((failing(0), failing(3, is_open=True)), "healthy"),
        ((failing(3, is_open=True), failing(4, is_open=True)), "failed"),
    ],
)
def test_fallback_keeps_a_seat_in_use(circuits: tuple[Circuit, ...], expected: str) -> None:
    """A seat has failed only when none of its endpoints may be called."""
    assert state(beating(0, circuits=circuits)) == expected


def test_a_probe_that_fails_makes_unhealthy_only() -> None:
    """An endpoint that does not name its models may still answer: it is not failed for that."""
    assert judge(beating(0, probe_error="no connection"), now=NOW, started_at=0, settings=LIMITS) == (
        "unhealthy",
        "no connection",
    )


def test_a_dead_pool_is_failed_whatever_else_is_known() -> None:
    """Silence outweighs everything: nobody is there to be tried again."""
    signs = beating(61, circuits=(failing(3),), probe_error="y")

    assert state(signs) == "failed"


@given(
    st.lists(st.floats(0, 500), max_size=3),
    st.integers(0, 50),
    st.booleans(),
    st.none() | st.just("no connection"),
    st.floats(0, 500),
)
def test_a_reason_is_given_exactly_when_something_is_wrong(
    ages_s: list[float], errors: int, is_open: bool, probe_error: str | None, listened_s: float
) -> None:
    """Whatever the signs, a healthy seat has no reason and every other has one in a line."""
    signs = beating(*ages_s, circuits=(failing(errors, is_open=is_open),), probe_error=probe_error)
    judged, reason = judge(signs, now=NOW, started_at=NOW - listened_s, settings=LIMITS)

    assert (reason is None) == (judged == "healthy")
    assert reason is None or (reason and "\n" not in reason)


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


def fail(store: Health, seat: str, reason: str = "HTTP 500", *, times: int = 3) -> None:
    """Record calls of a seat's endpoint that failed."""
    for _ in range(times):
        store.breaker.erred(Permit(seat, is_trial=False), reason, now=NOW)


def refreshed(store: Health, *seats: str, now: float = NOW, started_at: float = 0.0) -> dict[str, Entry]:
    """The board after one look at these seats, as every process sees it."""
    signs = {seat: store.signs(seat, [seat], now=now, probe_error=None) for seat in seats}
    store.refresh(signs, now=now, started_at=started_at)
    return store.board(now=now)


def test_the_board_says_what_was_seen(store: Health) -> None:
    """Heartbeats, errors and latencies of real calls stand on the board with the state that follows."""
    store.beat("qwen", "w1", now=NOW - 1)
    store.beat("qwen", "w2", now=NOW - 5)
    store.beat("qwen", "w3", now=NOW - 50)
    for latency_ms in (300, 100, 200):
        store.answered("qwen", CLOSED, latency_ms)
    fail(store, "qwen", times=1)

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
    fail(store, "qwen")
    failed = refreshed(store, "qwen")["qwen"]
    store.answered("qwen", Permit("qwen", is_trial=True), 100)
    healed = refreshed(store, "qwen")["qwen"]

    assert (failed.state, failed.consecutive_errors) == ("failed", 3)
    assert failed.next_probe is not None and NOW + 1 <= failed.next_probe <= NOW + 1.25
    assert failed.reason == "3 errors in a row, the last: HTTP 500"
    assert (healed.state, healed.consecutive_errors, healed.next_probe) == ("healthy", 0, None)


def test_an_error_of_one_seat_is_not_anothers(store: Health) -> None:
    """Seats are judged apart."""
    for seat in ("qwen", "mistral"):
        store.beat(seat, "w1", now=NOW)
    fail(store, "qwen")

    assert {seat: entry.state for seat, entry in refreshed(store, "qwen", "mistral").items()} == {
        "qwen": "failed",
        "mistral": "healthy",
    }


def test_a_reset_forgets_the_errors(store: Health) -> None:
    """A seat that was reset by hand starts with no error and no latency, and its pool still lives."""
    store.beat("qwen", "w1", now=NOW)
    store.answered("qwen", CLOSED, 100)
    fail(store, "qwen")
    store.reset("qwen", ["qwen"])
    entry = refreshed(store, "qwen")["qwen"]

    assert (entry.state, entry.consecutive_errors, entry.p50_latency_ms) == ("healthy", 0, None)
    assert entry.workers_alive == 1


def test_since_is_when_the_state_began(store: Health) -> None:
    """A state that lasts keeps its beginning; only a change is reported."""
    store.beat("qwen", "w1", now=NOW)
    changes = []
    for age in (0, 10, 30, 40):
        signs = {"qwen": store.signs("qwen", ["qwen"], now=NOW + age, probe_error=None)}
        changes.append([entry.state for entry in store.refresh(signs, now=NOW + age, started_at=0)])

    assert changes == [["healthy"], [], ["unhealthy"], []]
    assert store.board(now=NOW + 40)["qwen"].since == NOW + 30


def test_workers_long_gone_are_dropped(store: Health, redis: Redis) -> None:
    """Heartbeats of workers that went long ago do not pile up; the newest is still judged by."""
    store.beat("qwen", "old", now=NOW - 121)
    store.beat("qwen", "new", now=NOW)
    store.signs("qwen", ["qwen"], now=NOW, probe_error=None)

    assert set(store.signs("qwen", ["qwen"], now=NOW, probe_error=None).beats) == {"new"}


def test_only_the_newest_latencies_count(store: Health, redis: Redis) -> None:
    """What is remembered of a seat's latencies has a bound."""
    store.beat("qwen", "w1", now=NOW)
    for latency_ms in [9000] * 50 + [10] * health.LATENCIES:
        store.answered("qwen", CLOSED, latency_ms)
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
    fail(store, "qwen", reason)

    assert refreshed(store, "qwen")["qwen"].reason == f"3 errors in a row, the last: {reason}"


def test_without_redis_every_seat_counts_as_healthy(absent_redis: Redis) -> None:
    """Redis away: calls are allowed, their outcome is not recorded, and nothing is raised."""
    store = Health(absent_redis, LIMITS)
    store.answered("qwen", CLOSED, 100)
    fail(store, "qwen", times=1)

    assert store.board(now=NOW) == {}


def test_without_redis_a_beat_and_a_reset_say_so(absent_redis: Redis) -> None:
    """Whoever has to know that a heartbeat or a reset was not taken hears of it."""
    store = Health(absent_redis, LIMITS)

    with pytest.raises(RedisError):
        store.beat("qwen", "w1", now=NOW)
    with pytest.raises(RedisError):
        store.reset("qwen", ["qwen"])


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
