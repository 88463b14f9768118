"""The worker pools as these tests play them: hints taken from the real broker, performed in the test's own thread."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from folkmoot import council, dispatch, measurement
from folkmoot.events import Event
from folkmoot.resources import ENDED, QueryResource
from folkmoot.runtime import Runtime
from folkmoot.store import queries
from folkmoot.sweep import sweep
from services.worker.analyser import Nobody


class MakeRuntime(Protocol):
    """Builds a runtime; `change` edits the roster first, the rest are settings."""

    def __call__(self, change: Callable[[dict[str, Any]], None] = ..., **settings: Any) -> Runtime:
        """Build it; the fixture closes it."""
        ...


def events(runtime: Runtime, job_id: str) -> list[Event]:
    """Everything that was told of a job so far."""
    return runtime.events.until(job_id, 2**62)


def taken(runtime: Runtime) -> list[tuple[str, list[str]]]:
    """Take every hint that is in the broker: (task, ids), queue by queue."""
    queues = [*(f"agent.{seat}" for seat in runtime.roster.seats), "aggregate", "analyse"]
    found: list[tuple[str, list[str]]] = []
    for queue in queues:
        while raw := runtime.redis.rpop(queue):
            assert isinstance(raw, str)
            message = json.loads(raw)
            found.append((message["headers"]["task"], json.loads(base64.b64decode(message["body"]))[0]))
    return found


def perform(runtime: Runtime, task: str, ids: list[str]) -> None:
    """Do what a worker does with a hint."""
    if task == dispatch.ASK:
        council.ask(runtime, ids[0], ids[1])
    elif task == dispatch.CONCLUDE:
        council.conclude(runtime, ids[0])
    else:
        measurement.analyse(runtime, ids[0], Nobody().measure)


def work(runtime: Runtime) -> int:
    """Perform hints until the broker holds none; returns how many there were."""
    performed = 0
    while hints := taken(runtime):
        for task, ids in hints:
            perform(runtime, task, ids)
        performed += len(hints)
    return performed


def sweep_until_ended(runtime: Runtime, job_id: str, *, within_s: float) -> QueryResource:
    """Sweep and work until the query has ended, analysis included."""
    ends_at = time.monotonic() + within_s
    while True:
        sweep(runtime)
        work(runtime)
        query = queries.find(runtime.db, job_id)
        if query.status in ENDED and query.analysis.status != "pending":
            return query
        assert time.monotonic() < ends_at, f"still {query.status} after {within_s} s: {query}"
        time.sleep(0.02)
