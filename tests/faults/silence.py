"""Two stories of a stack with the times that it has by default: a pool falls silent, an endpoint fails for long."""

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.processes import Process
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

FAILS_FOR_S = 180.0


@dataclass(frozen=True)
class Silence:
    """A pool stopped in its tracks: what was seen of it, in seconds since it was stopped, or continued."""

    unhealthy_s: float
    failed_s: float
    back_s: float
    before: list[Process]
    while_failed: list[Process]
    reason: str


@dataclass(frozen=True)
class Failing:
    """An endpoint that fails while queries go on."""

    calls: int
    queries: list[dict[str, Any]]
    states: set[str]
    back_s: float


class Stories(NamedTuple):
    """Both."""

    silence: Silence
    failing: Failing


def told() -> Stories:
    """Mistral's pool is stopped while qwen's endpoint fails, in one stack."""
    with (
        ScriptedModel(SEATS) as model,
        Stack(scripted_roster(model), {"FOLKMOOT_GATEWAYS": "1"}) as stack,
        ThreadPoolExecutor(2) as threads,
    ):
        user = new_user(stack.url)
        eventually(lambda: all(one["state"] == "healthy" for one in agents(user).values()), 30, "all are well")
        silence = threads.submit(fall_silent, stack, user)
        failing = threads.submit(fail, stack, model, Client(user.url, user.token))
        return Stories(silence.result(), failing.result())


def agents(user: Client) -> dict[str, dict[str, Any]]:
    """The health board."""
    answer = user.call("GET", "/agents")
    assert answer.status_code == 200, answer.text
    return {one["agent_id"]: one for one in answer.json()["agents"]}


def seconds_until(condition: Callable[[], bool], deadline_s: float, what: str) -> float:
    """How long it took until the condition held."""
    started = time.monotonic()
    eventually(condition, deadline_s, what)
    return time.monotonic() - started


def fall_silent(stack: Stack, user: Client) -> Silence:
    """Stop a pool that stays alive, until it has failed, and let it go on."""

    def state() -> str:
        time.sleep(0.5)
        return str(agents(user)["mistral"]["state"])

    before = stack.signal("agent.mistral", signal.SIGSTOP)
    try:
        unhealthy_s = seconds_until(lambda: state() == "unhealthy", 60, "the silent pool is unhealthy")
        failed_s = unhealthy_s + seconds_until(lambda: state() == "failed", 90, "the silent pool has failed")
        while_failed, reason = stack.processes("agent.mistral"), agents(user)["mistral"]["reason"]
    finally:
        stack.signal("agent.mistral", signal.SIGCONT)
    back_s = seconds_until(lambda: state() == "healthy", 60, "the pool is back")
    return Silence(unhealthy_s, failed_s, back_s, before, while_failed, reason)


def fail(stack: Stack, model: ScriptedModel, user: Client) -> Failing:
    """Let an endpoint fail for three minutes, with a query to it every two seconds."""
    ends, queries, states = time.monotonic() + FAILS_FOR_S, list[dict[str, Any]](), set[str]()
    model.script("scripted/qwen", {"status": 500})
    while time.monotonic() < ends:
        queries.append(user.ask("Still there?", agents=["qwen", "deephermes", "llama3"], deadline_s=10))
        states.add(agents(user)["qwen"]["state"])
        time.sleep(2)
    calls = len(model.calls("scripted/qwen"))
    model.script("scripted/qwen", {})
    back_s = seconds_until(lambda: agents(user)["qwen"]["state"] == "healthy", 120, "the endpoint is back")
    return Failing(calls, [user.wait_done(one["job_id"]) for one in queries], states, back_s)
