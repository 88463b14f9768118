"""A worker that its queue no longer reaches ends; one that is only busy, stopped or without a broker lives on."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from folkmoot.db import Database
from folkmoot.dispatch import PROBE, Publisher, make_app
from folkmoot.health import Health
from folkmoot.settings import Settings
from services.worker.watchdog import DEAF
from tests.conftest import scripted_roster
from tests.scripted_model import ScriptedModel
from tests.services.worker import DEAFENED, QUEUE, StartWorker, assert_alive_for
from tests.stack import eventually
from tests.store import rows
from tests.store.servers import Valkey, migrate

LIMIT_S = 1.5


@pytest.fixture(scope="module")
def broker() -> Iterator[Valkey]:
    """A broker for the module."""
    with Valkey() as server:
        yield server


@pytest.fixture
def valkey(broker: Valkey) -> Valkey:
    """An empty broker."""
    broker.client.flushall()
    return broker


@pytest.fixture
def settings(valkey: Valkey, scripted_model: ScriptedModel, tmp_path: Path) -> Settings:
    """What the workers of a test share."""
    scripted_model.reset()
    roster = tmp_path / "agents.yaml"
    roster.write_text(yaml.safe_dump(scripted_roster(scripted_model)), encoding="utf-8")
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'folkmoot.db'}",
        broker_url=valkey.broker_url,
        agents_file=roster,
        watchdog_s=LIMIT_S,
        heartbeat_s=0.2,
        worker_threads=1,
    )


def test_workers_that_hear_live_on(start: StartWorker, valkey: Valkey) -> None:
    """Two workers of one queue both live for several limits, their probes leave nothing behind and fill no log."""
    with start() as first, start() as second:
        assert_alive_for(3 * LIMIT_S, first, second)
        eventually(lambda: not valkey.client.llen(QUEUE) and not valkey.client.hlen("unacked"), 2, "nothing is left")
        assert PROBE not in first.log().partition(" ready.")[2]
        assert PROBE not in second.log().partition(" ready.")[2]


def test_a_deaf_worker_ends(start: StartWorker, settings: Settings, valkey: Valkey) -> None:
    """A worker whose consumer has lost its queue stops beating, says why it ends, and leaves few probes."""
    health = Health(valkey.client, settings)
    with start("-c", DEAFENED) as worker:
        assert_alive_for(LIMIT_S / 2, worker)
        worker.process.send_signal(signal.SIGUSR1)
        assert eventually(worker.status, 4 * LIMIT_S, "it ends") == DEAF
        ended_at = time.time()

    assert f"deaf: nothing came from queue {QUEUE} in {LIMIT_S:.0f} s" in worker.log()
    # Celery may still take one; after that nothing is added to what lies there.
    assert 0 < valkey.client.llen(QUEUE) <= 3
    beats = health.signs("qwen", (), now=ended_at, probe_error=None).beats
    assert ended_at - max(beats.values()) > LIMIT_S / 4


def test_a_stopped_process_has_not_waited(start: StartWorker, valkey: Valkey) -> None:
    """A worker that was stopped for longer than the limit and continued lives on."""
    with start() as worker:
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(2 * LIMIT_S)
        worker.process.send_signal(signal.SIGCONT)
        assert_alive_for(1.5 * LIMIT_S, worker)


def test_a_busy_worker_is_not_deaf(start: StartWorker, settings: Settings, scripted_model: ScriptedModel) -> None:
    """A worker whose only thread is held by a call for longer than the limit lives on."""
    migrate(settings.database_url)
    db = Database(settings.database_url)
    scripted_model.script("scripted/qwen", {"hang": True})
    job_id = rows.accepted(db, rows.user(db))
    publisher = Publisher(make_app(settings))
    with start() as worker:
        assert publisher.hint(job_id, "ask", ["qwen"])
        eventually(scripted_model.calls, 10, "the model is called")
        assert_alive_for(2.5 * LIMIT_S, worker)
        assert not scripted_model.calls()[0].disconnected_at
    publisher.close()
    db.close()


def test_a_broker_that_is_away_makes_no_worker_deaf(start: StartWorker, valkey: Valkey) -> None:
    """A worker whose broker refuses it for longer than the limit lives on."""
    hidden = valkey.socket.with_suffix(".hidden")
    with start() as worker:
        valkey.socket.rename(hidden)
        try:
            valkey.client.client_kill_filter(_type="normal")
            assert_alive_for(2 * LIMIT_S, worker)
        finally:
            hidden.rename(valkey.socket)
        assert "no probe sent" in worker.log()
