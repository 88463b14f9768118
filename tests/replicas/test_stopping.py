"""Every kind of process ends soon after SIGTERM whatever it is doing, and what it was doing is done all the same."""

import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests

from tests.client import Client
from tests.replicas.conftest import Reading, alive, send, top
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

pytestmark = pytest.mark.timeout(120)

#: Seconds that a process may take to end with work in flight.
END_S = 10.0
#: Seconds that the queries have; long enough for work that has to be done twice.
DEADLINE_S = 60
#: Pauses between tokens that make a stage last a few seconds, and longer than a process may take to end.
SLOW, SLOWER = {"token_delay_s": 0.05}, {"token_delay_s": 0.12}
#: A call that would go on for longer than a process may take to end; the one after it goes well.
HANGS_ONCE: tuple[dict[str, Any], ...] = ({"hang_after_tokens": 5}, SLOW)


def test_gateway_ends_with_streams_open(client: Client, stack: Stack, model: ScriptedModel) -> None:
    """A gateway ends though streams through it would last longer, and they go on at another without a gap."""
    _script(model, SLOWER)

    with _under_way(client) as readings:
        _asked(model, "qwen", "response", len(readings))
        name = eventually(lambda: next(iter(readings[0].replicas), ""), 10, "the stream is open")
        _end(stack, name)

    assert readings[0].cuts and len(set(readings[0].replicas)) > 1, readings[0].replicas


@pytest.mark.parametrize(
    ("name", "seat", "stage"), [("agent.qwen", "qwen", "response"), ("aggregate", "llama3", "consensus")]
)
def test_worker_ends_in_the_middle_of_calls(
    client: Client, stack: Stack, model: ScriptedModel, name: str, seat: str, stage: str
) -> None:
    """A worker ends though a model keeps it waiting, and each call is finished by it or made again by the next."""
    _script(model, SLOW)
    model.script(f"scripted/{seat}", *HANGS_ONCE, stage=stage)

    with _under_way(client) as readings:
        _asked(model, seat, stage, len(readings))
        _end(stack, name)

    assert len(model.calls(f"scripted/{seat}", stage)) > len(readings), "the call that hung was not made again"


@pytest.mark.parametrize("name", ["analyse", "heartbeat"])
def test_background_process_ends(client: Client, stack: Stack, model: ScriptedModel, name: str) -> None:
    """What runs beside the queries ends at once, and they end as ever."""
    _script(model, SLOW)

    with _under_way(client) as readings:
        _asked(model, "qwen", "response", len(readings))
        _end(stack, name)


def test_page_ends_with_visitors(client: Client, stack: Stack, model: ScriptedModel) -> None:
    """The page's process ends though a visitor's stream, which has no end, is open."""
    _script(model, SLOW)
    address = f"{stack.url}/gradio_api/heartbeat/{uuid.uuid4().hex}"

    with _under_way(client) as readings, requests.get(address, stream=True, timeout=30) as visitor:
        assert visitor.status_code == 200 and visitor.headers["Content-Type"].startswith("text/event-stream")
        _asked(model, "qwen", "response", len(readings))
        _end(stack, "ui")

    eventually(lambda: requests.get(stack.url, timeout=10).status_code == 200, 30, "the page is back")


def test_front_ends_with_streams_open(client: Client, stack: Stack, model: ScriptedModel) -> None:
    """Nginx ends though streams go through it; their readers come back to the next nginx and have missed nothing."""
    _script(model, SLOW)

    with _under_way(client) as readings:
        _asked(model, "qwen", "response", len(readings))
        eventually(lambda: all(reading.events for reading in readings), 10, "every stream is open")
        _end(stack, "nginx")
        eventually(lambda: _is_ready(stack), 20, "the address answers again")

    assert all(reading.cuts for reading in readings)


def _script(model: ScriptedModel, pace: dict[str, Any]) -> None:
    for seat in SEATS:
        model.script(f"scripted/{seat}", pace)


@contextmanager
def _under_way(client: Client) -> Iterator[list[Reading]]:
    """Three queries with their readers; at the end all are done in time, whole, and were read without a gap."""
    jobs = [client.ask(f"Question {number}?", deadline_s=DEADLINE_S)["job_id"] for number in range(3)]
    readings = [Reading(client, job_id) for job_id in jobs]
    with ThreadPoolExecutor(len(readings)) as threads:
        running = [threads.submit(reading.follow) for reading in readings]
        yield readings
        for each in running:
            each.result(DEADLINE_S + 10)
    for reading in readings:
        query = client.query(reading.job_id)
        assert query["status"] == "done" and query["finished_at"] < query["deadline_at"], query
        assert not query["degraded"] and query["notes"] == [], query
        assert reading.events == list(client.events(reading.job_id))


def _asked(model: ScriptedModel, seat: str, stage: str, times: int) -> None:
    """Wait until a seat's model is at work on every query."""
    eventually(lambda: len(model.calls(f"scripted/{seat}", stage)) >= times, 30, f"{seat} is asked for a {stage}")


def _end(stack: Stack, name: str) -> None:
    """Send SIGTERM to the process that its supervisor would send it to; all of it ends, and another one comes."""
    first, every = top(stack, name)
    started = time.monotonic()
    send(first, signal.SIGTERM)
    try:
        eventually(lambda: not any(alive(process) for process in every), END_S, f"{name} ends")
    finally:
        took_s = time.monotonic() - started
        with suppress(ProcessLookupError, AssertionError):
            send(first, signal.SIGKILL)
    print(f"{name} took {took_s:.1f} s to end")
    eventually(lambda: stack.processes(name), 20, f"{name} runs again")


def _is_ready(stack: Stack) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{stack.url}/readyz", timeout=2).status_code == 200
    return False
