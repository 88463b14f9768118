"""The circuit breaker of each endpoint, shared by all processes: closed, open, and half-open for one trial at a time.

An endpoint that fails again and again is left alone for a second, then two, and so on up to a minute; after each pause
one call may try it, and only a whole answer closes the circuit.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis import Redis
from redis.exceptions import RedisError

#: Pauses in seconds: doubled from the first to the longest.
BACKOFF_FIRST_S = 1.0
BACKOFF_LONGEST_S = 60.0
#: A pause is made longer by up to this share, so that what failed together is not tried again together.
JITTER = 0.25
#: A circuit against which nothing was known is not looked up again for this long, in seconds: the board by which seats
#: are chosen may be older. An error in this process ends it at once; another process may go on calling for as long.
CLEAN_S = 1.0
#: What an endpoint itself may ask for at most, in seconds.
RETRY_AFTER_LONGEST_S = 3600.0

Told = TypeVar("Told")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Circuit:
    """What is known of an endpoint; times in seconds since 1970. It is closed when `open_until` is None."""

    errors: int = 0
    last_error: str | None = None
    open_until: float | None = None


@dataclass(frozen=True)
class Permit:
    """The leave to call an endpoint; a trial is the only call of a half-open circuit.

    Attributes:
        is_clean: nothing was known against the endpoint when it was given, so nothing has to be forgotten.
    """

    circuit: str
    is_trial: bool
    is_clean: bool = field(default=False, compare=False)


def backoff_s(trials: int) -> float:
    """The pause after this many trials that failed, without jitter."""
    return min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2.0 ** min(max(0, trials), 16))


class Breaker:
    """The circuits in Redis, by name. Without Redis every call is allowed, and nothing is remembered."""

    def __init__(self, redis: Redis, *, opens_after: int) -> None:
        """Open a circuit after so many errors in a row."""
        self._redis = redis
        self._opens_after = opens_after
        #: Until when what Redis said of a circuit holds here: that nothing is known against it.
        self._clean_until: dict[str, float] = {}

    def read(self, circuit: str) -> Circuit:
        """What is known of an endpoint.

        Raises:
            RedisError: Redis does not answer.
        """
        found: Any = self._redis.hgetall(_key(circuit))
        return Circuit(
            errors=int(found.get("errors", 0)),
            last_error=found.get("last_error"),
            open_until=float(found["open_until"]) if "open_until" in found else None,
        )

    def permit(self, circuit: str, *, now: float, hold_s: float) -> Permit | None:
        """Ask for leave to call an endpoint; None while it is left alone.

        Args:
            circuit: its name.
            now: seconds since 1970.
            hold_s: how long the call may take: until then no other process tries a half-open circuit.
        """
        always: Permit | None = Permit(circuit, is_trial=False)
        clean = Permit(circuit, is_trial=False, is_clean=True)
        if now < self._clean_until.get(circuit, 0.0) <= now + CLEAN_S:
            return clean

        def ask() -> Permit | None:
            errors, open_until = self._redis.hmget(_key(circuit), "errors", "open_until")
            if errors is None and open_until is None:
                self._clean_until[circuit] = now + CLEAN_S
                return clean
            if open_until is None:
                return always
            if now < float(open_until) or not self._redis.set(_trial(circuit), now, nx=True, px=_ms(hold_s)):
                return None
            return Permit(circuit, is_trial=True)

        return self._tried(ask, otherwise=always)

    def succeeded(self, permit: Permit) -> None:
        """A whole answer came: the circuit is closed, whatever was before."""
        self._tried(lambda: self._redis.delete(*keys_of(permit.circuit)), otherwise=0)

    def erred(self, permit: Permit, reason: str, *, now: float, retry_after_s: float | None = None) -> None:
        """The call failed by the endpoint's fault.

        Args:
            permit: the leave that it had.
            reason: what went wrong.
            now: seconds since 1970.
            retry_after_s: how long the endpoint asked to be left alone.
        """
        self._tried(lambda: self._record(permit, reason, now, retry_after_s), otherwise=None)

    def _record(self, permit: Permit, reason: str, now: float, retry_after_s: float | None) -> None:
        key = _key(permit.circuit)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hincrby(key, "errors", 1)
        pipeline.hset(key, "last_error", reason)
        pipeline.hget(key, "open_until")
        if permit.is_trial:
            pipeline.hincrby(key, "trials", 1)
        try:
            errors, _, open_until, *trials = pipeline.execute()
        finally:
            # Not before, for a look meanwhile would find the circuit clean once more.
            self._clean_until.pop(permit.circuit, None)
        # A call that began before the circuit opened says nothing new when it fails as well.
        opens = open_until is None and errors >= self._opens_after
        until = now + _jittered(backoff_s(trials[0] if trials else 0)) if opens or permit.is_trial else 0.0
        if retry_after_s is not None:
            until = max(until, float(open_until or 0), now + min(retry_after_s, RETRY_AFTER_LONGEST_S))
        if until:
            self._redis.hset(key, "open_until", until)
        self.release(permit)

    def release(self, permit: Permit) -> None:
        """The call ended and says nothing about its endpoint; another may be the trial."""
        if permit.is_trial:
            self._tried(lambda: self._redis.delete(_trial(permit.circuit)), otherwise=0)

    def reset(self, circuit: str) -> None:
        """Close a circuit and forget its errors, by hand.

        Raises:
            RedisError: Redis does not answer.
        """
        self._redis.delete(*keys_of(circuit))

    def _tried(self, act: Callable[[], Told], *, otherwise: Told) -> Told:
        try:
            return act()
        except (RedisError, OSError) as error:
            log.warning("circuits unknown, every call is allowed: %s", error)
            return otherwise


def _jittered(pause_s: float) -> float:
    return pause_s * random.uniform(1, 1 + JITTER)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def keys_of(circuit: str) -> tuple[str, str]:
    """All that Redis holds of a circuit: without it the circuit is closed."""
    return _key(circuit), _trial(circuit)


def _key(circuit: str) -> str:
    return f"folkmoot:circuit:{circuit}"


def _trial(circuit: str) -> str:
    return f"folkmoot:trial:{circuit}"
