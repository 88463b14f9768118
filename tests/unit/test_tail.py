"""One reader's way along a job's stream, on a real valkey."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from folkmoot import redis_client
from folkmoot.events import Event, Events
from folkmoot.tail import Tail

JOB = "7e7e7e7e-0000-4000-8000-000000000001"


@pytest.fixture(params=[2, 3])
def shared(request: pytest.FixtureRequest, redis: Redis, valkey_socket: Path) -> Iterator[Redis]:
    """A process' client, by each version of Redis' protocol, of an empty Redis."""
    client = redis_client.connect(f"unix://{valkey_socket}?db=0&protocol={request.param}")
    yield client
    client.close()


def test_it_reads_what_is_there_and_what_comes(shared: Redis) -> None:
    """The first look has all that is there and tells a whole stream by its first event; each read has what is new."""
    stream = Events(shared, ttl_s=100)
    with closing(Tail(shared, JOB)) as tail:
        assert tail.begin(after=0) == (None, [])
        stream.append(JOB, [("status", {"status": "accepted"}), ("response", {"text": 'ä "\n'})], begins=3)
        responses, there = tail.begin(after=0)
        assert responses == 3 and _told(there) == _told(stream.until(JOB, 2**70))
        assert tail.begin(after=there[0].id) == (3, there[1:])

        stream.append(JOB, [("end", {})])
        assert [(event.type, event.data) for event in tail.read(after=there[-1].id, block_ms=10)] == [("end", {})]
        assert tail.read(after=2**70, block_ms=10) == []


def _told(events: Iterable[Event]) -> list[tuple[int, str, dict[str, Any]]]:
    return [(event.id, event.type, event.data) for event in events]


def test_a_connection_that_is_gone_is_made_anew(shared: Redis) -> None:
    """A reader whose connection was closed hears all that it would have heard, and others are not kept from Redis."""
    stream = Events(shared, ttl_s=100)
    stream.append(JOB, [("status", {"n": 0})], begins=1)
    with closing(Tail(shared, JOB)) as tail:
        _, (first,) = tail.begin(after=0)
        stream.append(JOB, [("status", {"n": 1})])
        shared.client_kill_filter(_type="normal", skipme=True)

        assert [event.data for event in tail.read(after=first.id, block_ms=10)] == [{"n": 1}]
        assert shared.ping()


def test_what_redis_refuses_leaves_nothing_behind(shared: Redis) -> None:
    """After an answer that is an error, none that belongs to it is taken for that of the next question."""
    with closing(Tail(shared, JOB)) as tail:
        shared.set(f"folkmoot:events:{JOB}", "no stream")
        with pytest.raises(RedisError):
            tail.begin(after=0)
        shared.delete(f"folkmoot:events:{JOB}")
        Events(shared, ttl_s=100).append(JOB, [("status", {})], begins=2)

        responses, events = tail.begin(after=0)
        assert responses == 2 and len(events) == 1


def test_the_connection_is_given_back(shared: Redis) -> None:
    """Many readers after one another need no more than the one that whoever asked before them had."""
    before = len(shared.client_list())
    for _ in range(5):
        with closing(Tail(shared, JOB)) as tail:
            tail.begin(after=0)

    assert len(shared.client_list()) <= before
