"""Rates: one bucket for each name in Redis, counted by all who know it, and no refusal without Redis."""

from redis import Redis

from folkmoot.rates import Rates

NOW = 1_795_350_709.25


def test_a_full_bucket_refuses_and_fills_again(redis: Redis) -> None:
    """As many as the limit may come at once, the next has to wait, and after that wait exactly one more may."""
    rates = Rates(redis)

    assert [rates.wait_s("a", per_minute=30, now=NOW) for _ in range(30)] == [0] * 30
    wait_s = rates.wait_s("a", per_minute=30, now=NOW)
    assert 1.9 < wait_s <= 2.001
    assert rates.wait_s("a", per_minute=30, now=NOW + wait_s) == 0
    assert rates.wait_s("a", per_minute=30, now=NOW + wait_s) > 1.9


def test_who_is_refused_does_not_push_the_moment_away(redis: Redis) -> None:
    """A client that keeps asking while it is refused may go on as soon as one that waits."""
    rates = Rates(redis)
    assert rates.wait_s("a", per_minute=1, now=NOW) == 0

    assert all(rates.wait_s("a", per_minute=1, now=NOW + second) > 0 for second in range(59))
    assert rates.wait_s("a", per_minute=1, now=NOW + 60) == 0


def test_buckets_are_apart_and_shared_by_all_processes(redis: Redis) -> None:
    """Another name has a bucket of its own; another process sees the same one."""
    one, other = Rates(redis), Rates(redis)
    assert one.wait_s("a", per_minute=1, now=NOW) == 0

    assert other.wait_s("a", per_minute=1, now=NOW) > 0
    assert other.wait_s("b", per_minute=1, now=NOW) == 0


def test_a_bucket_is_forgotten_when_it_is_full(redis: Redis) -> None:
    """What is kept of a name expires by itself within a minute."""
    Rates(redis).wait_s("a", per_minute=10, now=NOW)

    assert 0 < redis.pttl("folkmoot:rate:a") <= 6001


def test_no_limit_asks_nobody_and_no_redis_refuses_nobody(redis: Redis, absent_redis: Redis) -> None:
    """A limit of 0 leaves no trace, and without Redis every request goes on."""
    assert Rates(redis).wait_s("a", per_minute=0, now=NOW) == 0 and redis.keys() == []
    assert [Rates(absent_redis).wait_s("a", per_minute=1, now=NOW) for _ in range(3)] == [0, 0, 0]


def test_what_is_counted_ahead_is_counted_once_and_used_within_a_second(redis: Redis) -> None:
    """Of ten counted at once the other nine need no Redis; all processes together never get more than the limit."""
    one, other = Rates(redis), Rates(redis)

    assert [one.wait_s("a", per_minute=20, now=NOW, at_once=10) for _ in range(10)] == [0] * 10
    assert [other.wait_s("a", per_minute=20, now=NOW, at_once=10) for _ in range(10)] == [0] * 10
    assert one.wait_s("a", per_minute=20, now=NOW, at_once=10) > 0

    assert other.wait_s("b", per_minute=20, now=NOW, at_once=20) == 0
    assert other.wait_s("b", per_minute=20, now=NOW + 0.9, at_once=20) == 0
    assert other.wait_s("b", per_minute=20, now=NOW + 1.1, at_once=20) > 0
