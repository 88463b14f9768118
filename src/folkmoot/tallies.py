"""Figures that all processes count together, for Prometheus: gathered in each, added up in Redis once a second."""

import logging
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

KEY = "folkmoot:tallies"
#: Between the name, the labels and the bound of a field.
SEPARATOR = "\x1f"
#: Seconds until what was counted is added to what the others have; a process that is killed loses no more.
FLUSH_S = 1.0
#: Upper bounds in seconds: hops take milliseconds, models seconds, deadlines minutes.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

#: What is counted, in words, and the names of its labels.
COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "folkmoot_queries_ended": ("Queries that have ended.", ("status",)),
    "folkmoot_responses": ("Responses stored, of panels.", ("agent_id", "status")),
    "folkmoot_failovers": ("Seats that another took the place of.", ("agent_id", "stage")),
    "folkmoot_cache_lookups": ("Calls that the cache answered, and that it did not.", ("stage", "outcome")),
    "folkmoot_tokens": ("Tokens used by calls, estimates included.", ("stage", "kind")),
    "folkmoot_cost_usd": ("What calls of known price have cost, in dollars.", ("stage",)),
}
#: What is measured in seconds.
HISTOGRAMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "folkmoot_stage_seconds": ("How long the stages of queries took, and the waits before them.", ("stage",)),
    "folkmoot_overhead_seconds": ("From question to consensus, without the slowest response and the consensus.", ()),
}

Labels = tuple[str, ...]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Totals:
    """What all processes have counted, by name and labels; of histograms each bucket by itself, and the sum."""

    counters: Mapping[tuple[str, Labels], float]
    buckets: Mapping[tuple[str, Labels], tuple[int, ...]]
    sums: Mapping[tuple[str, Labels], float]


class Tallies:
    """This process' part of the figures; whatever befalls Redis, nobody waits and nothing fails for them."""

    def __init__(self, redis: Redis) -> None:
        """Count into this Redis."""
        self._redis = redis
        self._lock = threading.Lock()
        self._pending: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def count(self, counter: str, *labels: str, by: float = 1) -> None:
        """Add to one of the COUNTERS, its labels in their order."""
        self._add({_field(counter, *labels): by})

    def observe(self, histogram: str, *labels: str, seconds: float) -> None:
        """Add a time to one of the HISTOGRAMS, its labels in their order."""
        bucket = str(bisect_left(BUCKETS_S, seconds))
        self._add({_field(histogram, *labels, bucket): 1, _field(histogram, *labels, "sum"): seconds})

    def _add(self, amounts: Mapping[str, float]) -> None:
        with self._lock:
            for field, amount in amounts.items():
                self._pending[field] += amount  # type: ignore[assignment]
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted here to what the others have; what Redis does not take now is added later."""
        with self._lock:
            pending, self._pending, self._timer = self._pending, Counter(), None
        if not pending:
            return
        pipeline = self._redis.pipeline(transaction=True)
        for field, amount in pending.items():
            pipeline.hincrbyfloat(KEY, field, amount)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            log.debug("figures are not counted yet: %s", error)
            self._add(pending)

    def read(self) -> Totals:
        """What all processes have counted, this one up to now.

        Raises:
            RedisError: Redis does not answer.
        """
        self.flush()
        found: Any = self._redis.hgetall(KEY)
        counters: dict[tuple[str, Labels], float] = {}
        buckets: dict[tuple[str, Labels], list[int]] = {}
        sums: dict[tuple[str, Labels], float] = {}
        for field, amount in found.items():
            name, *labels = field.split(SEPARATOR)
            if name in COUNTERS:
                counters[name, tuple(labels)] = float(amount)
            elif name in HISTOGRAMS:
                *labels, bound = labels
                if bound == "sum":
                    sums[name, tuple(labels)] = float(amount)
                else:
                    row = buckets.setdefault((name, tuple(labels)), [0] * (len(BUCKETS_S) + 1))
                    row[int(bound)] = round(float(amount))
        return Totals(counters, {key: tuple(row) for key, row in buckets.items()}, sums)

    def close(self) -> None:
        """Count what is left."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
            # One that has begun already must not open a connection behind whoever closes them all next.
            timer.join()
        self.flush()


def _field(name: str, *labels: str) -> str:
    return SEPARATOR.join((name, *labels))
