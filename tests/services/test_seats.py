"""The pools of a roster of one's own, started as one: they live and end together."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import scripted_roster
from tests.processes import every_process, process_of
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, eventually
from tests.store.servers import Valkey

SEATS = ("qwen", "mistral")
START_S, STOP_S = 40.0, 15.0


@pytest.fixture
def environment(scripted_model: ScriptedModel, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the processes get: a broker, a roster and a database that nobody has asked yet."""
    roster = tmp_path / "agents.yaml"
    roster.write_text(yaml.safe_dump(scripted_roster(scripted_model)), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    with Valkey() as broker:
        yield kept | {
            "FOLKMOOT_DATABASE_URL": f"sqlite:///{tmp_path / 'folkmoot.db'}",
            "FOLKMOOT_BROKER_URL": broker.broker_url,
            "FOLKMOOT_AGENTS_FILE": str(roster),
        }


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process that starts two pools, once both take work."""
    log = tmp_path / "seats.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.worker.seats"],
            cwd=ROOT,
            env=environment | {"FOLKMOOT_SEATS": " qwen, mistral,"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    eventually(lambda: log.read_text().count(" ready.") == len(SEATS), START_S, "both pools take work")
    yield process
    for pool in pools(process):
        os.kill(pool, signal.SIGKILL)
    process.kill()
    process.wait(5)


def pools(started: subprocess.Popen[bytes]) -> dict[int, str]:
    """The pools that it has started and that live, by pid."""
    children = {
        pid: process_of(pid, parent, born) for (pid, born), parent in every_process().items() if parent == started.pid
    }
    return {pid: process.name for pid, process in children.items()}


def alive(pids: Iterable[int]) -> set[int]:
    """Those of the processes that live, whoever's children they are now."""
    return set(pids) & {pid for pid, _ in every_process()}


def test_each_seat_has_a_pool_until_a_signal(started: subprocess.Popen[bytes]) -> None:
    """Every seat that is named has a worker on its own queue, no other seat has, and SIGTERM ends them all."""
    before = pools(started)
    assert sorted(before.values()) == ["agent.mistral", "agent.qwen"]

    started.terminate()

    assert started.wait(STOP_S) == 0
    assert not alive(before)


def test_pools_end_together_when_one_dies(started: subprocess.Popen[bytes]) -> None:
    """When a pool dies the others are ended too, and whoever started this sees that something was wrong."""
    before = pools(started)
    victim = next(pid for pid, name in before.items() if name == "agent.qwen")

    os.kill(victim, signal.SIGKILL)

    assert started.wait(STOP_S) != 0
    assert not alive(before)


def test_no_seat_is_refused(environment: dict[str, str]) -> None:
    """Without a seat it says what to set, and ends as wrong settings do."""
    said = subprocess.run(
        [sys.executable, "-m", "services.worker.seats"],
        cwd=ROOT,
        env=environment | {"FOLKMOOT_SEATS": " , "},
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )

    assert said.returncode == 2 and "FOLKMOOT_SEATS" in said.stderr
