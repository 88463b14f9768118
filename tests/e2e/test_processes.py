"""The stack as processes: who runs, what a dead pool means to a query, and how it all ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, Running, Stack, eventually

pytestmark = pytest.mark.timeout(180)

#: Seconds that a stack may take to end with work in flight.
END_S = 10


@pytest.fixture
def deaf_pool(stack: Running) -> Iterator[str]:
    """The pool of mistral, stopped in its tracks so that nothing restarts it, and let go on afterwards."""
    stopped = stack.signal("agent.mistral", signal.SIGSTOP)
    yield "mistral"
    for process in stopped:
        if process in stack.processes("agent.mistral"):
            stack.signal("agent.mistral", signal.SIGCONT)
            break


@pytest.mark.make_up
def test_every_process_is_there_under_its_name(stack: Stack) -> None:
    """A pool per seat, aggregate and analyse, gateways and the rest run, told apart by command line."""
    running = {process.name for process in stack.processes()}

    assert running >= {
        "up",
        "nginx",
        "broker",
        "gateway-1",
        "gateway-2",
        "heartbeat",
        "ui",
        "aggregate",
        "analyse",
        "agent.qwen",
        "agent.llama3",
        "agent.mistral",
        "agent.deephermes",
    }
    assert "model" not in running, "a roster of other endpoints needs no embedded model"


def test_the_analysis_stands_back(stack: Running) -> None:
    """What measures computes only when nobody else wants to, and nobody else does so."""
    pids = {process.name: process.pid for process in stack.processes()}
    idle = {name for name, pid in pids.items() if os.sched_getscheduler(pid) == os.SCHED_IDLE}

    assert idle == {"analyse"}


@pytest.mark.make_up
def test_every_log_is_found(stack: Stack, client: Client) -> None:
    """A gateway's lines are in its log, and those of gunicorn's first process beside it; all are as private."""
    job_id = client.ask()["job_id"]
    client.wait_done(job_id)

    logs = stack.data / "logs"
    told = {path.name: path.read_text(encoding="utf-8").splitlines() for path in logs.glob("*.log")}
    accepted = [name for name, lines in told.items() for line in lines if job_id in line and '"accepted"' in line]
    booting = [name for name, lines in told.items() if any("Booting worker" in line for line in lines)]
    assert len(accepted) == 1 and accepted[0] in {"gateway-1.log", "gateway-2.log"}
    assert sorted(booting) == ["gateway-1.out.log", "gateway-2.out.log"]
    # Celery says by itself what it is before it is told to.
    assert any("[queues]" in line for line in told["agent.qwen.out.log"])
    assert all(line.startswith('{"time": ') for line in told["agent.qwen.log"]) and told["agent.qwen.log"]
    assert logs.stat().st_mode & 0o777 == 0o700
    assert (logs / "gateway-1.log").stat().st_mode == (logs / "gateway-1.out.log").stat().st_mode


@pytest.mark.make_up
def test_address_is_printed(stack: Stack) -> None:
    """Who starts the stack is told where it is."""
    assert f"http://localhost:{stack.port}" in stack.output()


def test_silent_pool_is_seen_and_skipped(client: Client, model: ScriptedModel, deaf_pool: str) -> None:
    """A seat whose pool beats no more is not healthy, and a query neither asks it nor waits for it."""
    eventually(lambda: client.states()[deaf_pool] == "failed", 90, "the silence is noticed")

    started = time.monotonic()
    ended = client.wait_done(client.ask(deadline_s=30)["job_id"], 35)

    assert ended["status"] == "done" and time.monotonic() - started < 10
    assert not model.calls(f"scripted/{deaf_pool}")
    assert ended["degraded"] is True and any(note.startswith(deaf_pool) for note in ended["notes"]), ended["notes"]
    statuses = {response["agent_id"]: response["status"] for response in ended["responses"]}
    assert statuses.pop(deaf_pool, "skipped") == "skipped" and set(statuses.values()) == {"ok"}


@pytest.mark.parametrize("name", ["agent.qwen", "aggregate", "heartbeat"])
def test_killed_process_comes_back(stack: Running, client: Client, name: str) -> None:
    """A process ended by SIGKILL is started again, and queries end as ever."""
    before = stack.kill(name)

    eventually(lambda: stack.processes(name), 20, f"{name} runs again")

    assert not {process.pid for process in before} & {process.pid for process in stack.processes(name)}
    assert client.wait_done(client.ask(deadline_s=30)["job_id"], 35)["status"] == "done"


@pytest.mark.make_up
def test_two_stacks_live_side_by_side(client: Client, model: ScriptedModel) -> None:
    """A second stack meets nothing of the first; it ends with work in flight, and takes that up again."""
    with Stack(scripted_roster(model), {"FOLKMOOT_GATEWAYS": "1", "FOLKMOOT_LEASE_S": "4"}) as second:
        assert (
            requests.get(
                f"{second.url}/api/v1/queries", timeout=5, headers={"Authorization": f"Bearer {client.token}"}
            ).status_code
            == 401
        )
        user = new_user(second.url)
        for seat in ("qwen", "mistral", "deephermes"):
            model.script(f"scripted/{seat}", {"delay_s": 30}, {})
        job_id = user.ask(deadline_s=120)["job_id"]
        eventually(lambda: len(model.calls()) == 3, 15, "all three models are asked")

        started = time.monotonic()
        second.stop(signal.SIGINT)
        assert time.monotonic() - started < END_S
        second.start()

        assert user.wait_done(job_id, 60)["status"] == "done"
        assert client.history()["queries"] == []


@pytest.mark.make_up
def test_second_start_in_one_folder_says_so(stack: Stack, client: Client) -> None:
    """A stack started in the data folder of a running one says so and stops, and the running one goes on."""
    command = [sys.executable, "infra/up.py"]
    environment = {**stack.environment, "FOLKMOOT_PORT": "0"}

    second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert second.returncode != 0 and "Traceback" not in second.stdout + second.stderr
    assert str(stack.data) in second.stdout + second.stderr
    assert client.wait_done(client.ask()["job_id"])["status"] == "done"
