"""A seat that became slow: with a fallback it costs a query little, and without one the deadline and quorum decide."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.faults.landscape import assert_concluded
from tests.scripted_model import SEATS, ScriptedModel
from tests.soak.load import Visitor
from tests.stack import Stack, eventually

pytestmark = pytest.mark.timeout(180)

FIRST, SECOND = "scripted/qwen", "spare/qwen"
#: How long the seat takes once it is slow, and what every endpoint takes otherwise, in seconds.
SLOW_S = 30.0
CALL_S = 0.3
QUERIES, AT_ONCE = 20, 4
#: Asking, the wait before the hedge, the hedge and concluding are about three calls; the rest is the machine's.
NEAR_S = 4.0


@contextmanager
def seated(settings: dict[str, str], *, fallbacks: bool) -> Iterator[tuple[ScriptedModel, Client]]:
    """A user of a stack whose seat qwen has a fallback, or none."""
    with ScriptedModel(SEATS) as model:
        roster: dict[str, Any] = scripted_roster(model)
        roster["seats"]["qwen"]["timeout_s"] = SLOW_S
        if fallbacks:
            roster["seats"]["qwen"]["fallbacks"] = [{"model": SECOND, "base_url": model.url}]
        for name in (*(f"scripted/{seat}" for seat in SEATS), SECOND):
            model.script(name, {"delay_s": CALL_S})
        with Stack(roster, settings) as stack:
            yield model, new_user(stack.url)


def in_turn(user: Client, count: int) -> list[dict[str, Any]]:
    """Ask so many queries, a few at the same time, each user waiting for one before the next; all as they ended."""

    def ask(_: int) -> dict[str, Any]:
        with Visitor(user.url, user.token) as visitor:
            return visitor.wait_done(visitor.ask()["job_id"], SLOW_S)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(count)))


def seconds(query: dict[str, Any]) -> float:
    """How long a query took."""
    created, finished = (datetime.fromisoformat(query[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()


def test_hedge_bounds_what_a_slow_seat_costs() -> None:
    """Once a seat's usual time is known, its fallback is asked soon after that, and the slow call is hung up on."""
    with seated({}, fallbacks=True) as (model, user):
        in_turn(user, 6)
        eventually(lambda: user.agents()["qwen"]["p95_latency_ms"], 10, "the seat's usual time is known")
        model.script(FIRST, {"delay_s": SLOW_S})
        asked_before = len(model.calls(FIRST))

        queries = in_turn(user, QUERIES)

        slow, spare = model.calls(FIRST)[asked_before:], model.calls(SECOND)
        times = [seconds(query) for query in queries]
        p95_s = statistics.quantiles(times, n=20, method="inclusive")[-1]
        print(f"\nhedged: p50 {statistics.median(times):.2f} s, p95 {p95_s:.2f} s of {QUERIES} queries")
        assert {query["status"] for query in queries} == {"done"} and not any(query["degraded"] for query in queries)
        assert {answered_by(query) for query in queries} == {SECOND}
        assert len(slow) == QUERIES and len(spare) >= QUERIES
        eventually(lambda: all(call.disconnected_at for call in model.calls(FIRST)[asked_before:]), 5, "all hung up")
        assert p95_s < NEAR_S


def answered_by(query: dict[str, Any]) -> str:
    """Which model answered for the seat."""
    return next(str(response["model"]) for response in query["responses"] if response["agent_id"] == "qwen")


def test_without_hedge_the_deadline_and_the_quorum_decide() -> None:
    """A seat without a fallback costs a query its time for asking, and the others' answers are concluded in time."""
    with seated({"FOLKMOOT_HEDGE": "false"}, fallbacks=False) as (model, user):
        model.script(FIRST, {"delay_s": SLOW_S})
        began = time.monotonic()

        query = user.wait_done(user.ask(deadline_s=10)["job_id"], 20)

        assert 5 < time.monotonic() - began < 12
        assert_concluded(query)
        assert query["degraded"] and query["finished_at"] <= query["deadline_at"]
        statuses = {response["agent_id"]: response["status"] for response in query["responses"]}
        assert statuses == {"qwen": "timed_out", "mistral": "ok", "deephermes": "ok"}
        eventually(lambda: model.calls(FIRST)[0].disconnected_at, 5, "the slow call is hung up on")
