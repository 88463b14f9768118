"""A job's event stream on a real valkey: in order, resumable anywhere, and never worth an error."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import RedisError

from folkmoot import events as module
from folkmoot.events import Event, Events, id_at
from folkmoot.tail import Tail

from .conftest import connected, valkey

JOB = "7e7e7e7e-0000-4000-8000-000000000001"
TTL_S = 100


@pytest.fixture
def stream(redis: Redis) -> Events:
    """The streams of all jobs on an empty Redis."""
    return Events(redis, ttl_s=TTL_S)


def told(stream: Events, job_id: str = JOB, *, after: int = 0) -> list[Event]:
    """All events after this id that are there now, as a reader finds them."""
    found: list[Event] = []
    with closing(Tail(stream._redis, job_id)) as tail:
        while events := tail.begin(after=after)[1]:
            found += events
            after = found[-1].id
    return found


def responses(stream: Events) -> int | None:
    """The number of responses that a whole stream will tell of; None when its first event is gone."""
    with closing(Tail(stream._redis, JOB)) as tail:
        return tail.begin(after=0)[0]


def read(stream: Events, *, after: int, block_ms: int) -> list[Event]:
    """What comes after this id within so many milliseconds."""
    with closing(Tail(stream._redis, JOB)) as tail:
        return tail.read(after=after, block_ms=block_ms)


def key(redis: Redis) -> str:
    """The key of the only stream there is."""
    names: Any = redis.keys("*")
    assert len(names) == 1
    return str(names[0])


def newest(stream: Events, job_id: str) -> Event | None:
    """The last event of a stream so far."""
    events = stream.until(job_id, 2**62)
    return events[-1] if events else None


def test_events_come_in_order_with_rising_ids(stream: Events) -> None:
    """Hundreds of events in one millisecond or many keep their order, and every id is above the one before."""
    stream.append(JOB, [("status", {"n": 0})], begins=1)
    stream.append(JOB, [("response.delta", {"n": n}) for n in range(1, 700)])
    for n in range(700, 800):
        stream.append(JOB, [("response.delta", {"n": n})])

    found = told(stream)
    assert [event.data["n"] for event in found] == list(range(800))
    assert all(earlier.id < later.id for earlier, later in pairwise(found))


def test_ids_are_times(stream: Events) -> None:
    """An event's id lies where the clock says, so that what is told from the database can lie beside it."""
    before = id_at(datetime.now(UTC))
    stream.append(JOB, [("status", {})], begins=1)

    assert before <= told(stream)[0].id < id_at(datetime.now(UTC)) + module.PER_MS


def test_resuming_after_any_id_gives_exactly_what_was_missed(stream: Events) -> None:
    """Whatever event was the last one seen, resuming there loses nothing and repeats nothing."""
    for n in range(20):
        stream.append(JOB, [("response.delta", {"n": n}), ("status", {"n": n})], begins=int(n == 0))
    whole = told(stream)

    for place, event in enumerate(whole):
        assert told(stream, after=event.id) == whole[place + 1 :]


def test_an_id_that_no_event_has_is_a_place_all_the_same(stream: Events) -> None:
    """Resuming between two events, before the first or far after the last works like anywhere else."""
    stream.append(JOB, [("status", {"n": 0})], begins=1)
    whole = told(stream)

    assert told(stream, after=whole[0].id - 1) == whole
    assert read(stream, after=whole[0].id + 1, block_ms=1) == []
    assert read(stream, after=10**20 - 1, block_ms=1) == []


def test_jobs_do_not_hear_each_other(stream: Events) -> None:
    """A job's stream holds its own events only."""
    stream.append(JOB, [("status", {"of": "this"})], begins=1)
    stream.append("another", [("status", {"of": "another"})], begins=1)

    assert [event.data for event in told(stream)] == [{"of": "this"}]


def test_two_writers_keep_each_their_order(stream: Events, valkey_socket: Path) -> None:
    """Workers of two pools append at the same time: ids still rise, and each one's events keep their order."""

    def write(name: str) -> None:
        with connected(valkey_socket) as client:
            writer = Events(client, ttl_s=TTL_S)
            for n in range(100):
                writer.append(JOB, [("response.delta", {"by": name, "n": n})])

    stream.append(JOB, [("status", {"by": "gateway", "n": 0})], begins=1)
    writers = [threading.Thread(target=write, args=(name,)) for name in ("qwen", "mistral")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    found = told(stream)
    assert all(earlier.id < later.id for earlier, later in pairwise(found))
    for name in ("qwen", "mistral"):
        assert [event.data["n"] for event in found if event.data["by"] == name] == list(range(100))


def test_a_reader_that_waits_hears_at_once(stream: Events, valkey_socket: Path) -> None:
    """A read that waits returns with the event as soon as it is appended, long before its time is over."""

    def write() -> None:
        with connected(valkey_socket) as client:
            Events(client, ttl_s=TTL_S).append(JOB, [("status", {"status": "accepted"})], begins=1)

    late = threading.Timer(0.1, write)
    late.start()
    started = time.monotonic()

    assert [event.type for event in read(stream, after=0, block_ms=4000)] == ["status"]
    assert time.monotonic() - started < 3
    late.join()


def test_a_reader_of_silence_gets_nothing(stream: Events) -> None:
    """A read of a stream without news ends when its time is over, empty."""
    assert read(stream, after=0, block_ms=20) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "a\nb\rc\u2028d\x85e\x0b",
        "👩🏽‍🚀 否 نعم \u202e",
        '"\\"}],{',
        "data: x\n\nevent: end\n\n",
        "x" * 100_000,
        "\U0010ffff\ufffe",
    ],
    ids=["empty", "NUL", "line breaks", "scripts", "JSON", "SSE", "100,000 characters", "noncharacters"],
)
def test_any_text_comes_back_as_it_was(text: str, stream: Events) -> None:
    """What a model wrote passes through unchanged, whatever it holds."""
    stream.append(JOB, [("response.delta", {"agent_id": "qwen", "text": text})], begins=1)

    assert told(stream)[0].data == {"agent_id": "qwen", "text": text}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=50), min_size=1, max_size=5))
def test_any_texts_come_back_in_order(stream: Events, texts: list[str]) -> None:
    """Pieces of any characters come back as they were, in order."""
    stream.forget(JOB)
    stream.append(JOB, [("response.delta", {"text": text}) for text in texts], begins=1)

    assert [event.data["text"] for event in told(stream)] == texts


@pytest.mark.parametrize("text", ["\ud83d", "half an emoji: \ude00", "\udcff"])
def test_half_a_character_costs_no_answer(text: str, stream: Events) -> None:
    """A provider that cuts an emoji in two sends lone surrogates as JSON escapes; appending them is no error."""
    assert json.loads(json.dumps(text)) == text
    stream.append(JOB, [("response.delta", {"text": text})], begins=1)
    stream.append(JOB, [("status", {"status": "done"})])

    assert told(stream)[-1].data == {"status": "done"}
    json.dumps([event.data for event in told(stream)], ensure_ascii=False).encode()


def test_a_stream_is_whole_while_it_holds_its_beginning(stream: Events) -> None:
    """A stream counts as whole from its first event on, and no other event makes it so."""
    assert responses(stream) is None
    stream.append(JOB, [("status", {"status": "accepted"}), ("response", {})], begins=1)
    assert responses(stream) == 1
    stream.append(JOB, [("response.delta", {"text": "x"})] * 50)
    assert responses(stream) == 1


def test_a_stream_that_was_lost_is_not_begun_again(stream: Events, redis: Redis) -> None:
    """After Redis lost its data, later events of the job are no stream: half a story passes for none."""
    stream.append(JOB, [("status", {"status": "accepted"})], begins=1)
    redis.flushall()
    stream.append(JOB, [("status", {"status": "asking"}), ("response", {})])
    stream.append(JOB, [("response.delta", {"text": "x"})])

    assert responses(stream) is None
    assert newest(stream, JOB) is None
    assert redis.keys("*") == []


def test_a_stream_without_its_first_event_is_not_whole(stream: Events, redis: Redis) -> None:
    """A stream that was cut off in front is known by it."""
    stream.append(JOB, [("status", {"n": n}) for n in range(10)], begins=1)
    redis.xtrim(key(redis), maxlen=9, approximate=False)

    assert responses(stream) is None
    assert len(told(stream)) == 9


def test_a_stream_has_a_bound(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that never stops does not fill Redis: beyond a length the stream loses its beginning, and says so."""
    monkeypatch.setattr(module, "LONGEST", 100)
    stream = Events(redis, ttl_s=TTL_S)
    stream.append(JOB, [("status", {})], begins=1)
    for _ in range(10):
        stream.append(JOB, [("response.delta", {"n": n}) for n in range(100)])

    assert len(told(stream)) <= 300
    assert responses(stream) is None


def test_newest_is_the_last_event_so_far(stream: Events) -> None:
    """The newest event ends what was told until now; of no stream there is none."""
    assert newest(stream, JOB) is None
    stream.append(JOB, [("status", {"status": "accepted"})], begins=1)
    stream.append(JOB, [("analysis", {}), ("end", {"status": "done"})])

    last = newest(stream, JOB)
    assert last is not None and last.id == told(stream)[-1].id


def test_a_stream_expires_after_its_last_state(stream: Events, redis: Redis) -> None:
    """Each state event gives the stream its whole time again; deltas need not."""
    stream.append(JOB, [("status", {})], begins=1)
    redis.expire(key(redis), 5)
    stream.append(JOB, [("response.delta", {"text": "x"})])
    assert 0 < _ttl_s(redis) <= 5

    stream.append(JOB, [("response.delta", {"text": "x"}), ("response", {})])
    assert TTL_S - 2 <= _ttl_s(redis) <= TTL_S


def _ttl_s(redis: Redis) -> int:
    left: Any = redis.ttl(key(redis))
    return int(left)


def test_an_expired_stream_is_gone(redis: Redis) -> None:
    """After its time nothing is left of a stream, in Redis or in any answer."""
    stream = Events(redis, ttl_s=1)
    stream.append(JOB, [("status", {})], begins=1)
    redis.pexpire(key(redis), 30)
    _until(lambda: not redis.keys("*"))

    assert responses(stream) is None
    assert newest(stream, JOB) is None
    assert told(stream) == []


def test_nothing_of_a_deleted_job_stays(stream: Events, redis: Redis) -> None:
    """A worker that still streams when its job is deleted leaves no words behind."""
    stream.append(JOB, [("status", {})], begins=1)
    stream.forget(JOB)
    stream.append(JOB, [("response.delta", {"text": "late"})])
    stream.append(JOB, [("reset", {"agent_id": "qwen"})])

    assert redis.keys("*") == []


def test_forgetting_what_is_not_there_is_fine(stream: Events) -> None:
    """A job without a stream can be forgotten."""
    stream.forget(JOB)

    assert told(stream) == []


def test_no_events_are_no_stream(stream: Events, redis: Redis) -> None:
    """Appending nothing makes nothing."""
    stream.append(JOB, [], begins=1)

    assert redis.keys("*") == []


def test_without_redis_appending_costs_nothing(absent_redis: Redis) -> None:
    """Redis away: thousands of tokens are dropped in a moment, without an error."""
    stream = Events(absent_redis, ttl_s=TTL_S)
    started = time.monotonic()
    for n in range(5000):
        stream.append(JOB, [("response.delta", {"n": n})])
    stream.forget(JOB)

    assert time.monotonic() - started < 1


def test_without_redis_a_reader_hears_of_it(absent_redis: Redis) -> None:
    """Whoever reads has another source, and so is told that this one is away."""
    stream = Events(absent_redis, ttl_s=TTL_S)

    with pytest.raises(RedisError):
        read(stream, after=0, block_ms=1)
    with pytest.raises(RedisError):
        newest(stream, JOB)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A valkey that a test may stop: its socket and pid."""
    with valkey(tmp_path) as (path, process):
        yield path, process.pid


def test_a_redis_that_hangs_is_waited_for_once(own_valkey: tuple[Path, int]) -> None:
    """A Redis that takes commands and never answers holds up one append, not every token."""
    path, pid = own_valkey
    with connected(path, timeout_s=0.3) as client:
        stream = Events(client, ttl_s=TTL_S)
        stream.append(JOB, [("status", {})], begins=1)
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        stream.append(JOB, [("response.delta", {"n": 0})])
        waited = time.monotonic() - started
        for n in range(1000):
            stream.append(JOB, [("response.delta", {"n": n})])
        os.kill(pid, signal.SIGCONT)

        assert time.monotonic() - started < waited + 0.5


def test_events_flow_again_when_redis_is_back(tmp_path: Path) -> None:
    """After Redis came back, the same process streams again what begins then."""
    with connected(tmp_path / "v.sock") as client:
        stream = Events(client, ttl_s=TTL_S)
        stream.append(JOB, [("status", {"lost": True})], begins=1)
        with valkey(tmp_path):
            _until(lambda: _appended(stream))

            assert all(event.data == {"lost": False} for event in told(stream))


def _appended(stream: Events) -> list[Event]:
    stream.append(JOB, [("status", {"lost": False})], begins=1)
    return told(stream)


def _until(condition: Any) -> None:
    ends = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends, "it did not come about within 5 s"
        time.sleep(0.02)


def test_what_goes_along_is_said_even_without_an_event(redis: Redis) -> None:
    """When all words of an answer have been told already, its endpoint is still known to be well."""
    stream = Events(redis, ttl_s=TTL_S)
    stream.append(JOB, [], also=[("LPUSH", "latencies", 7)])
    stream.append(JOB, [("status", {"n": 0})], begins=1, also=[("LPUSH", "latencies", 8)])
    stream.append(JOB, [])

    assert redis.lrange("latencies", 0, -1) == ["8", "7"]
    assert [(event.type, event.data) for event in told(stream)] == [("status", {"n": 0})]


def test_a_stream_stays_when_what_went_alone_was_not_said(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches has missed nothing: the stream is not taken for torn, and goes on."""
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    stream = Events(redis, ttl_s=TTL_S)
    stream.append(JOB, [("status", {"n": 0})], begins=1)
    stream.append(JOB, [], also=[("INCR", f"folkmoot:events:{JOB}")])
    stream.append(JOB, [("status", {"n": 1})])

    assert [event.data for event in told(stream)] == [{"n": 0}, {"n": 1}]


def test_both_versions_of_the_protocol_are_read_alike(valkey_socket: Path, redis: Redis) -> None:
    """Events read the same over the second and the third version of Redis' protocol."""
    Events(redis, ttl_s=TTL_S).append(JOB, [("status", {"n": n}) for n in range(3)], begins=1)
    found = []
    for version in (2, 3):
        with Redis(unix_socket_path=str(valkey_socket), protocol=version, decode_responses=True) as client:
            stream = Events(client, ttl_s=TTL_S)
            found.append((told(stream), newest(stream, JOB), responses(stream)))

    assert found[0] == found[1]
    assert len(found[0][0]) == 3
