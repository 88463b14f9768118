"""A process killed at each failpoint, while twenty queries are under way: each of them ends once, and in time."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from folkmoot.failpoints import NAMES
from tests.client import Client
from tests.faults.conftest import THREADS, Records, arm, armed, assert_nothing_lost, assert_streams_tell, send
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

pytestmark = pytest.mark.usefixtures("in_good_order")

JOBS = 20
#: Steps that only come after another process was killed, and where.
AFTER = {
    "relay": "accept.committed",
    "free-responses": "response.answered",
    "free-conclusions": "consensus.answered",
}
#: Steps that queries which go well do not come to, and that of the analysis, which is off here; each has its own test.
APART = ("settle-late", "fail-conclusion", "trial", "store-analysis")
#: A gateway that dies here may leave what each of its threads has just accepted without a word.
AT_THE_DOOR = ("accept", "relay", "hint")
#: The endpoint that fails, and the pool that hangs.
SEAT = "mistral"
#: Time until a trial that died with its process no longer keeps others away, and the next one has answered.
TRIED_AGAIN_S = 16.0 + 14.0


def step_of(point: str) -> str:
    """What happens at a point."""
    return point.partition(".")[0]


def points_of(step: str) -> list[str]:
    """The points of a step."""
    return [name for name in NAMES if step_of(name) == step]


@pytest.mark.parametrize("point", [name for name in NAMES if step_of(name) not in APART])
def test_queries_outlive_a_kill(point: str, points: Path, client: Client, records: Records, case: str) -> None:
    """Whoever dies at a point: all queries are accepted, and end once, done and in time, as their streams tell."""
    arm(points, point, *filter(None, [AFTER.get(step_of(point))]))

    job_ids = send(client, case, JOBS)
    records.await_settled(case, JOBS)

    assert not armed(points)
    assert {job["job_id"] for job in records.rows("interactions", case)} == job_ids
    assert_nothing_lost(records, case, JOBS)
    assert_streams_tell(client, records, case, unbegun=THREADS if step_of(point) in AT_THE_DOOR else 0)


@pytest.mark.parametrize("point", points_of("settle-late"))
def test_late_queries_outlive_a_kill(
    point: str, points: Path, client: Client, stack: Stack, records: Records, case: str
) -> None:
    """With a pool that hangs and a sweeper that dies as it settles what is late, each query ends once, in time."""
    others = [seat for seat in SEATS if seat not in (SEAT, "llama3")]
    arm(points, point)

    with hanging(stack, f"agent.{SEAT}"):
        send(client, f"{case}late", JOBS // 2, deadline_s=10)
        send(client, f"{case}well", JOBS // 2, agents=others)
        records.await_settled(case, JOBS)

    assert not armed(points)
    assert_nothing_lost(records, case, JOBS)
    assert_streams_tell(client, records, case)
    missing = [row["job_id"] for row in records.rows("responses", case) if row["status"] == "timed_out"]
    assert set(missing) == {job["job_id"] for job in records.rows("interactions", f"{case}late")}


@contextmanager
def hanging(stack: Stack, name: str) -> Iterator[None]:
    """Stop the processes of a pool in their tracks for a while."""
    stopped = stack.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)


@pytest.mark.parametrize("point", points_of("fail-conclusion"))
def test_failures_outlive_a_kill(
    point: str, points: Path, client: Client, model: ScriptedModel, records: Records, case: str
) -> None:
    """When nobody can conclude and a worker dies as it says so, every query ends once, failed, in time."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"status": 500, "error": "out of order"}, stage="consensus")
    arm(points, point)

    send(client, case, JOBS)
    records.await_settled(case, JOBS)

    assert not armed(points)
    assert_nothing_lost(records, case, JOBS, statuses=("failed",))
    assert_streams_tell(client, records, case)


@pytest.mark.parametrize("point", points_of("trial"))
def test_endpoint_is_tried_again_when_its_trial_died(
    point: str, points: Path, client: Client, admin: Client, model: ScriptedModel, records: Records, case: str
) -> None:
    """A trial that dies with its process keeps an endpoint from no query for ever, and costs none its end."""
    model.script(f"scripted/{SEAT}", {"status": 500, "error": "out of order"})
    arm(points, point)

    send(client, case, JOBS)
    records.await_settled(case, JOBS)
    eventually(lambda: not armed(points), TRIED_AGAIN_S, "the trial has begun")
    model.script(f"scripted/{SEAT}", {})

    assert_nothing_lost(records, case, JOBS)
    assert_streams_tell(client, records, case)
    eventually(lambda: admin.states()[SEAT] == "healthy", TRIED_AGAIN_S, f"{SEAT} is well again")
    assert {one["status"] for one in client.wait_done(client.ask()["job_id"])["responses"]} == {"ok"}
