"""A job's event stream in Redis: append, and read from a place on. It is for watching; the database is the truth."""

import json
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from folkmoot import traces
from folkmoot.redis_client import Command, ask

#: Ids in a millisecond, and from one event of it to the next: states that were never told find room between them.
PER_MS, APART = 1_000_000, 100
#: A stream is cut off in front beyond about this many entries; what is gone is told from the database.
LONGEST = 100_000
#: After a failed append, events are dropped for this long instead of waiting for Redis at every token.
PAUSE_S = 1.0
#: Streams that one command removes.
FORGOTTEN_AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One event of a job. `id` strictly increases within the job."""

    id: int
    type: str
    data: dict[str, Any]


def id_at(moment: datetime) -> int:
    """The smallest id of an event that happened at this time."""
    return int(moment.timestamp() * 1000) * PER_MS


class Events:
    """Appends to and reads from the streams of all jobs; a loss of Redis costs liveliness, never a result."""

    def __init__(self, redis: Redis, *, ttl_s: int) -> None:
        """Keep each stream for `ttl_s` after its last state event."""
        self._redis = redis
        self._ttl_s = ttl_s
        self._paused_until = 0.0
        self._torn: set[str] = set()

    def append(
        self,
        job_id: str,
        events: Sequence[tuple[str, dict[str, Any]]],
        *,
        begins: int = 0,
        also: Sequence[Command] = (),
    ) -> bool:
        """Append events in order, in one round trip; False when they, or what goes with them, may not have been taken.

        A stream that may have missed an event is removed as soon as Redis answers again: its job is told from the
        database.

        Args:
            job_id: whose events these are.
            events: their types, and what they say.
            begins: marks the first of a job, to tell a whole stream by: the number of responses that there will be.
            also: what else is to be said to Redis in the same round trip, after the events.
        """
        if not events and not also:
            return True
        missed = {job_id} if events else set()
        if time.monotonic() < self._paused_until:
            self._torn |= missed
            return False
        key, torn = key_of(job_id), list(self._torn)
        commands: list[Command] = [("DEL", *map(key_of, torn))] if torn else []
        for type_, data in events:
            # Only a job's first event makes a stream: one that was lost or deleted is not begun anew in the middle.
            anew, mark = ((), ("b", begins)) if begins else (("NOMKSTREAM",), ())
            commands.append(("XADD", key, *anew, "MAXLEN", "~", LONGEST, "*", "e", type_, "d", _encoded(data), *mark))
            begins = 0
        has_state = any(not type_.endswith(".delta") for type_, _ in events)
        if has_state:
            commands.append(("EXPIRE", key, self._ttl_s))
        try:
            # A span for each token would be a trace of nothing else.
            with traces.span("tell") if has_state else traces.NOTHING:
                answers = ask(self._redis, [*commands, *also], must=len(commands))
            self._torn.difference_update(torn)
        except (RedisError, OSError) as error:
            self._torn |= missed
            self._paused_until = time.monotonic() + PAUSE_S
            log.warning("events of job %s not streamed: %s", job_id, error)
            return False
        refused = next((answer for answer in answers[len(commands) :] if isinstance(answer, ResponseError)), None)
        if refused is not None:
            log.warning("what was said with the events of job %s was refused: %s", job_id, refused)
        return refused is None

    def until(self, job_id: str, last: int) -> list[Event]:
        """The events of the stream up to this id.

        Raises:
            RedisError: Redis does not answer.
        """
        return [event for event in self._all(job_id) if event.id <= last]

    def unvoided(self, job_id: str, stage: str) -> list[tuple[str, int]]:
        """The agents and attempts whose deltas of this stage stand in the stream, and were not reset."""
        spoken: dict[tuple[str, int], None] = {}
        try:
            for event in self._all(job_id):
                attempt = (event.data.get("agent_id", ""), event.data.get("attempt", 0))
                if event.type == f"{stage}.delta":
                    spoken[attempt] = None
                elif event.type == "reset" and event.data.get("stage") == stage:
                    spoken.pop(attempt, None)
        except (RedisError, OSError) as error:
            log.warning("events of job %s could not be read: %s", job_id, error)
        return list(spoken)

    def _all(self, job_id: str) -> Iterable[Event]:
        entries: Any = self._redis.xrange(key_of(job_id))
        return (_event(entry) for entry in entries)

    def forget(self, *job_ids: str) -> None:
        """Remove the streams of jobs that were deleted."""
        try:
            for start in range(0, len(job_ids), FORGOTTEN_AT_ONCE):
                self._redis.delete(*map(key_of, job_ids[start : start + FORGOTTEN_AT_ONCE]))
        except (RedisError, OSError) as error:
            log.warning("streams of deleted jobs stay until they expire: %s", error)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _encoded(data: dict[str, Any]) -> bytes:
    # Half a character, which no encoding can hold, becomes a question mark.
    return _ENCODER.encode(data).encode("utf-8", "replace")


def _event(entry: Any) -> Event:
    place, fields = entry
    milliseconds, _, number = place.partition("-")
    return Event(int(milliseconds) * PER_MS + int(number) * APART, fields["e"], json.loads(fields["d"]))


def key_of(job_id: str) -> str:
    """Where Redis has a job's stream."""
    return f"folkmoot:events:{job_id}"
