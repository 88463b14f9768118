"""Who may be asked: heartbeats of the pools, circuits of the endpoints, and the state that follows from them."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from redis import Redis
from redis.exceptions import RedisError

from folkmoot.breaker import Breaker, Circuit, Permit, keys_of
from folkmoot.redis_client import Command, ask
from folkmoot.settings import Settings

State = Literal["healthy", "unhealthy", "failed"]

BOARD = "folkmoot:health"
#: A board that nobody has written for this long says nothing about now.
BOARD_STALE_S = 30.0
#: Latencies of a seat that are remembered.
LATENCIES = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signs:
    """What is known of a seat, all that its state follows from; `circuits` in the order of its endpoints."""

    beats: Mapping[str, float]
    circuits: Sequence[Circuit] = (Circuit(),)
    probe_error: str | None = None


@dataclass(frozen=True)
class Entry:
    """A seat's line on the health board; times in seconds since 1970."""

    agent_id: str
    state: State
    reason: str | None
    since: float
    last_heartbeat: float | None
    consecutive_errors: int
    next_probe: float | None
    workers_alive: int
    p50_latency_ms: int | None
    p95_latency_ms: int | None


def judge(signs: Signs, *, now: float, started_at: float, settings: Settings) -> tuple[State, str | None]:
    """A seat's state and its reason, from the signs alone.

    Args:
        signs: what is known of the seat.
        now: seconds since 1970.
        started_at: since when anybody has listened for heartbeats; silence is counted from then at the earliest.
        settings: the limits.
    """
    silence_s = now - max([*signs.beats.values(), started_at])
    if silence_s >= settings.failed_after_s:
        return "failed", f"no worker of its pool has been heard for {silence_s:.0f} s"
    first = signs.circuits[0]
    errors = f"{first.errors} error{'' if first.errors == 1 else 's'} in a row, the last: {first.last_error}"
    if all(circuit.open_until is not None for circuit in signs.circuits):
        return "failed", errors
    if first.open_until is not None:
        return "unhealthy", f"a fallback answers for it after {errors}"
    if first.errors >= settings.unhealthy_after_errors:
        return "unhealthy", errors
    if signs.probe_error is not None:
        return "unhealthy", signs.probe_error
    if silence_s > settings.unhealthy_after_beats * settings.heartbeat_s:
        return "unhealthy", f"no heartbeat of its pool for {silence_s:.0f} s"
    return "healthy", None


class Health:
    """The health store in Redis. Without Redis every seat counts as healthy: calls are allowed, queries still end."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        """Share one store between all processes of a stack."""
        self._redis = redis
        self._settings = settings
        #: The board as it was last read, and what it says: it is read more often than written.
        self._read: tuple[str | bytes, float, dict[str, Entry]] = ("", 0.0, {})
        self.breaker = Breaker(redis, opens_after=settings.failed_after_errors)

    def beat(self, agent_id: str, worker_id: str, *, now: float) -> None:
        """Say that a worker of the seat's pool lives.

        Raises:
            RedisError: it could not be said.
        """
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(_beats(agent_id), worker_id, now)
        pipeline.expire(_beats(agent_id), int(4 * self._settings.failed_after_s) + 1)
        pipeline.execute()

    def answered(self, agent_id: str, permit: Permit, latency_ms: int) -> None:
        """A whole answer came: the circuit is closed, and how long it took is remembered."""
        try:
            ask(self._redis, self.praise(agent_id, permit, latency_ms))
        except (RedisError, OSError) as error:
            log.warning("an answer's circuit is not closed, and its latency not remembered: %s", error)

    def praise(self, agent_id: str, permit: Permit, latency_ms: int) -> list[Command]:
        """What `answered` says, to be said in a round trip of somebody else."""
        closed: list[Command] = [] if permit.is_clean else [("DEL", *keys_of(permit.circuit))]
        latencies = _latencies(agent_id)
        return [*closed, ("LPUSH", latencies, latency_ms), ("LTRIM", latencies, 0, LATENCIES - 1)]

    def reset(self, agent_id: str, circuits: Iterable[str]) -> None:
        """Close a seat's circuits and forget its latencies, by hand.

        Raises:
            RedisError: Redis does not answer.
        """
        for circuit in circuits:
            self.breaker.reset(circuit)
        self._redis.delete(_latencies(agent_id))

    def signs(self, agent_id: str, circuits: Iterable[str], *, now: float, probe_error: str | None) -> Signs:
        """Read what is known of a seat, and drop the heartbeats of workers long gone.

        Raises:
            RedisError: Redis does not answer.
        """
        found: Any = self._redis.hgetall(_beats(agent_id))
        beats = {str(worker): float(at) for worker, at in found.items()}
        gone = [worker for worker, at in beats.items() if now - at > 2 * self._settings.failed_after_s]
        if gone:
            self._redis.hdel(_beats(agent_id), *gone)
        return Signs(beats, [self.breaker.read(circuit) for circuit in circuits], probe_error)

    def refresh(self, signs: Mapping[str, Signs], *, now: float, started_at: float) -> list[Entry]:
        """Judge every seat anew and write the board; returns the entries whose state has changed.

        Raises:
            RedisError: Redis does not answer.
        """
        before = {entry.agent_id: entry for entry in self._stored()}
        entries = [
            self._entry(agent_id, sign, before.get(agent_id), now, started_at) for agent_id, sign in signs.items()
        ]
        board = {"at": now, "entries": [asdict(entry) for entry in entries]}
        self._redis.set(BOARD, json.dumps(board))
        return [entry for entry in entries if entry.state != _state(before.get(entry.agent_id))]

    def _entry(self, agent_id: str, signs: Signs, before: Entry | None, now: float, started_at: float) -> Entry:
        state, reason = judge(signs, now=now, started_at=started_at, settings=self._settings)
        p50, p95 = _percentiles([int(one) for one in self._redis.lrange(_latencies(agent_id), 0, -1)])
        alive_since = now - self._settings.unhealthy_after_beats * self._settings.heartbeat_s
        pauses = [circuit.open_until for circuit in signs.circuits if circuit.open_until is not None]
        return Entry(
            agent_id=agent_id,
            state=state,
            reason=reason,
            since=before.since if before is not None and before.state == state else now,
            last_heartbeat=max(signs.beats.values(), default=None),
            consecutive_errors=signs.circuits[0].errors,
            next_probe=min(pauses, default=None),
            workers_alive=sum(at >= alive_since for at in signs.beats.values()),
            p50_latency_ms=p50,
            p95_latency_ms=p95,
        )

    def board(self, *, now: float) -> dict[str, Entry]:
        """The newest entry of each seat; empty when Redis is away or nobody keeps the board."""
        try:
            raw = self._redis.get(BOARD)
        except (RedisError, OSError) as error:
            log.warning("health unknown, every seat counts as healthy: %s", error)
            return {}
        if not raw:
            return {}
        known, at, entries = self._read
        if raw != known:
            content: dict[str, Any] = json.loads(raw)
            at, entries = content["at"], {entry.agent_id: entry for entry in _entries(content)}
            self._read = (raw, at, entries)
        return {} if now - at > BOARD_STALE_S else dict(entries)

    def _stored(self) -> list[Entry]:
        raw = self._redis.get(BOARD)
        return _entries(json.loads(raw)) if raw else []


def _entries(content: dict[str, Any]) -> list[Entry]:
    """The entries of a board; none when another version of this program has written it."""
    try:
        return [Entry(**entry) for entry in content["entries"]]
    except TypeError:
        return []


def utc(seconds: float | None) -> datetime | None:
    """A board's time as a point in time."""
    return None if seconds is None else datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _state(entry: Entry | None) -> State | None:
    return None if entry is None else entry.state


def _percentiles(latencies_ms: Sequence[int]) -> tuple[int | None, int | None]:
    """The median and the 95th percentile, by nearest rank."""
    if not latencies_ms:
        return None, None
    ordered = sorted(latencies_ms)
    median, p95 = (ordered[-(-len(ordered) * percent // 100) - 1] for percent in (50, 95))
    return median, p95


def _beats(agent_id: str) -> str:
    return f"folkmoot:beats:{agent_id}"


def _latencies(agent_id: str) -> str:
    return f"folkmoot:latencies:{agent_id}"
