"""RabbitMQ as the broker: what is declared there, what a publisher may trust, and what a worker lives through."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from amqp import Channel, Connection, Message
from kombu.exceptions import OperationalError

from folkmoot.db import Database
from folkmoot.dispatch import DELIVERIES, PROBE, PUBLISH_TIMEOUT_S, Publisher, make_app
from folkmoot.settings import Settings
from services.worker.watchdog import DEAF
from tests.conftest import scripted_roster
from tests.rabbitmq import RabbitMQ, rabbitmq_programs
from tests.scripted_model import ScriptedModel
from tests.services.worker import DEAFENED, QUEUE, StartWorker, assert_alive_for
from tests.stack import eventually
from tests.store import rows
from tests.store.servers import Valkey, migrate
from tests.virtual_host import VirtualHost

THREADS = 3
#: A worker that hears nothing for this long is deaf: where that is looked at, and where a broker comes back late.
LIMIT_S, PATIENT_S = 3.0, 60.0
#: A quorum queue younger than half a second or so does not outlast a kill of RabbitMQ 3.10: nobody leads it then.
SETTLED_S = 2.0
#: A publisher whose broker says nothing gives up after its timeout, on a machine that is busy with other things.
FAILS_WITHIN_S = PUBLISH_TIMEOUT_S + 0.8


@pytest.fixture(scope="module")
def server() -> Iterator[RabbitMQ]:
    """A RabbitMQ for the module; tests that hurt it leave it well."""
    with RabbitMQ(rabbitmq_programs()) as node:
        yield node


@pytest.fixture
def host(server: RabbitMQ) -> Iterator[VirtualHost]:
    """An empty virtual host."""
    with VirtualHost(server.url) as fresh:
        yield fresh


@pytest.fixture
def settings(
    host: VirtualHost, scripted_model: ScriptedModel, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Settings]:
    """What publishers and workers of a test share; a parameter is the seconds after which a worker counts as deaf."""
    scripted_model.reset()
    roster = tmp_path / "agents.yaml"
    roster.write_text(yaml.safe_dump(scripted_roster(scripted_model)), encoding="utf-8")
    with Valkey() as valkey:
        yield Settings(
            database_url=f"sqlite:///{tmp_path / 'folkmoot.db'}",
            broker_url=host.url,
            redis_url=f"unix://{valkey.socket}?db=0",
            agents_file=roster,
            heartbeat_s=0.2,
            worker_threads=THREADS,
            # Each hint is to be a call of its own.
            cache_hours=0,
            watchdog_s=getattr(request, "param", PATIENT_S),
        )


MakePublisher = Callable[..., Publisher]


@pytest.fixture
def make_publisher(settings: Settings) -> Iterator[MakePublisher]:
    """Makes publishers, closed afterwards; settings can be changed."""
    made: list[Publisher] = []

    def make(**changes: Any) -> Publisher:
        made.append(Publisher(make_app(settings.model_copy(update=changes))))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()


@pytest.fixture
def publisher(make_publisher: MakePublisher) -> Publisher:
    """A publisher as a gateway has it."""
    return make_publisher()


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    """A migrated database."""
    migrate(settings.database_url)
    database = Database(settings.database_url)
    yield database
    database.close()


@contextmanager
def channel_of(url: str) -> Iterator[Channel]:
    """A bare channel."""
    parts = urlsplit(url)
    with Connection(f"127.0.0.1:{parts.port}", virtual_host=parts.path[1:], confirm_publish=True) as connection:
        yield connection.channel()


def waiting(url: str, queue: str = QUEUE) -> int:
    """How many messages nobody has taken."""
    with channel_of(url) as channel:
        declared: Any = channel.queue_declare(queue, passive=True)
        return int(declared.message_count)


def left_by_workers(url: str) -> list[Any]:
    """What lies in the queue once its workers are gone, what they had not let go of included; probes do not count."""
    time.sleep(0.5)
    with channel_of(url) as channel:
        found: Iterator[Any] = iter(partial(channel.basic_get, QUEUE), None)
        return [message.body for message in found if message.headers.get("task") != PROBE]


def prefetches(host: VirtualHost) -> list[int]:
    """How many messages each consumer may hold, as far as the broker's statistics have come."""
    return [each["prefetch_count"] for each in host.api.get(f"consumers/{host.name}")]


def put(url: str, body: str, *, headers: dict[str, Any] | None = None, **properties: Any) -> None:
    """Put a message into the queue that no publisher of ours would."""
    with channel_of(url) as channel:
        channel.basic_publish(Message(body, application_headers=headers, **properties), routing_key=QUEUE)


def test_a_hint_lies_in_a_quorum_queue(host: VirtualHost, publisher: Publisher) -> None:
    """A hint is a persistent message in a bounded quorum queue, and nothing else is declared for it."""
    assert publisher.hint("j1", "ask", ["qwen"])

    [queue] = host.api.get(f"queues/{host.name}")
    assert (queue["name"], queue["type"], queue["durable"]) == (QUEUE, "quorum", True)
    assert queue["arguments"]["x-delivery-limit"] == DELIVERIES
    assert {exchange["name"].partition(".")[0] for exchange in host.api.get(f"exchanges/{host.name}")} == {"", "amq"}
    with channel_of(host.url) as channel:
        message: Any = channel.basic_get(QUEUE)
        assert message.properties["delivery_mode"] == 2
        assert json.loads(message.body)[0] == ["j1", "qwen"]


def test_a_hint_counts_only_when_it_is_confirmed(host: VirtualHost, publisher: Publisher) -> None:
    """A hint that the queue refuses is not told as sent: it stays in the outbox."""
    assert publisher.hint("j1", "ask", ["qwen"])
    full = {"pattern": ".*", "apply-to": "queues", "definition": {"max-length": 1, "overflow": "reject-publish"}}
    host.api.put(f"policies/{host.name}/full", full)

    def is_refused() -> bool:
        return not publisher.hint("j2", "ask", ["qwen"])

    eventually(is_refused, 10, "a hint is refused")


def test_a_probe_declares_what_is_missing(host: VirtualHost, publisher: Publisher) -> None:
    """A queue that is not there is made and probed; what lies there already is probe enough, and hints still go."""
    assert publisher.probe(QUEUE, 2)
    assert waiting(host.url) == 2
    assert publisher.probe(QUEUE, 2)
    assert waiting(host.url) == 2
    assert publisher.hint("j1", "ask", ["qwen"])
    assert waiting(host.url) == 3


def test_a_queue_of_another_kind_is_no_crash(host: VirtualHost, publisher: Publisher) -> None:
    """Where somebody made the queue otherwise, neither hint nor probe is sent, and the next queue is reached."""
    with channel_of(host.url) as channel:
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)

    assert not publisher.hint("j1", "ask", ["qwen"])
    eventually(lambda: publisher.hint("j1", "conclude"), 3, "another queue takes a hint")
    assert not publisher.probe(QUEUE, 1)


@pytest.mark.parametrize("wrong", [("guest:guest", "guest:wrong"), ("folkmoot_", "nowhere_")])
def test_a_broker_that_refuses_us_is_away(host: VirtualHost, make_publisher: MakePublisher, wrong: Any) -> None:
    """A wrong password or virtual host is told as an absence, not as a crash."""
    refused = make_publisher(broker_url=host.url.replace(*wrong))

    with pytest.raises(OperationalError):
        refused.ping()
    assert not refused.hint("j1", "ask", ["qwen"])


def test_a_blocked_broker_fails_fast(server: RabbitMQ, host: VirtualHost, publisher: Publisher) -> None:
    """A broker that is short of memory takes no hint, and says so at once; when it has some again it takes the next."""
    assert publisher.hint("j1", "ask", ["qwen"])
    server.control("set_vm_memory_high_watermark", "0.0000001")
    try:
        for number in range(3):
            begun = time.monotonic()
            assert not publisher.hint(f"blocked-{number}", "ask", ["qwen"])
            assert time.monotonic() - begun < FAILS_WITHIN_S
            time.sleep(PUBLISH_TIMEOUT_S)
    finally:
        server.control("set_vm_memory_high_watermark", "0.4")
    eventually(lambda: publisher.hint("j2", "ask", ["qwen"]), 5, "hints go again")


def test_a_hanging_broker_fails_fast(server: RabbitMQ, publisher: Publisher) -> None:
    """A broker that answers nothing costs a publisher its timeout, with an open connection and without one."""
    assert publisher.hint("j1", "ask", ["qwen"])
    server.hang()
    try:
        for _ in range(2):
            begun = time.monotonic()
            assert not publisher.hint("j2", "ask", ["qwen"])
            assert time.monotonic() - begun < FAILS_WITHIN_S
            time.sleep(PUBLISH_TIMEOUT_S)
        begun = time.monotonic()
        with pytest.raises(OperationalError):
            publisher.ping()
        assert time.monotonic() - begun < FAILS_WITHIN_S
    finally:
        server.go_on()
    eventually(lambda: publisher.hint("j3", "ask", ["qwen"]), 10, "hints go again")


def test_a_restart_costs_no_hint(server: RabbitMQ, host: VirtualHost, publisher: Publisher) -> None:
    """What was confirmed outlasts a kill, and the first hint after it goes out though its connection is dead."""
    assert publisher.hint("j1", "ask", ["qwen"])
    time.sleep(SETTLED_S)
    server.kill()
    with pytest.raises(OperationalError):
        publisher.ping()
    server.start()

    eventually(lambda: waiting(host.url) == 1, 20, "the queue has its leader again")
    publisher.ping()
    assert publisher.hint("j2", "ask", ["qwen"])
    assert waiting(host.url) == 2


def test_a_message_that_kills_is_dropped(host: VirtualHost, publisher: Publisher) -> None:
    """Whoever takes the message dies of it: after the bounded number of deliveries it is gone."""
    assert publisher.hint("j1", "ask", ["qwen"])
    for _ in range(DELIVERIES + 1):
        with channel_of(host.url) as channel:
            taken: Callable[[], Any] = partial(channel.basic_get, QUEUE)
            assert eventually(taken, 5, "it is delivered again")
    assert waiting(host.url) == 0


def test_a_worker_does_what_it_is_hinted(
    start: StartWorker, host: VirtualHost, publisher: Publisher, db: Database, scripted_model: ScriptedModel
) -> None:
    """Two workers share a queue, each hint is done once, and nothing of Celery's own is left in the broker."""
    user_id = rows.user(db)
    jobs = [rows.accepted(db, user_id) for _ in range(8)]
    with start() as first, start() as second:
        for job_id in jobs:
            assert publisher.hint(job_id, "ask", ["qwen"])
        eventually(lambda: (first.log() + second.log()).count("response stored") == len(jobs), 20, "every hint is done")
        eventually(
            lambda: prefetches(host) == [THREADS, THREADS], 15, "each consumer is given what its own threads can do"
        )
        first.end()
        second.end()
        assert "Traceback" not in first.log() + second.log()
    assert [queue["name"] for queue in host.api.get(f"queues/{host.name}")] == [QUEUE]
    assert {exchange["name"].partition(".")[0] for exchange in host.api.get(f"exchanges/{host.name}")} == {"", "amq"}
    assert not left_by_workers(host.url)
    assert len(scripted_model.calls()) == len(jobs)


FOREIGN: dict[str, tuple[str, dict[str, Any]]] = {
    "no JSON": ("\x00 not JSON {", {"content_type": "application/json"}),
    "pickle": ("cos\nsystem\n", {"content_type": "application/x-python-serialize", "content_encoding": "utf-8"}),
    "no task": ('{"hello": "world"}', {"content_type": "application/json"}),
    "unknown task": ("[[], {}, {}]", {"content_type": "application/json", "headers": {"task": "x.y", "id": "1"}}),
    "no id": ("[[], {}, {}]", {"content_type": "application/json", "headers": {"task": "folkmoot.ask"}}),
    "a body of rubbish": ("{{{", {"content_type": "application/json", "headers": {"task": "folkmoot.ask", "id": "1"}}),
    "a body of numbers": ("7", {"content_type": "application/json", "headers": {"task": "folkmoot.ask", "id": "1"}}),
    "too few ids": (
        '[["j"], {}, {}]',
        {"content_type": "application/json", "headers": {"task": "folkmoot.ask", "id": "1"}},
    ),
}


def test_foreign_messages_kill_no_worker(
    start: StartWorker, host: VirtualHost, publisher: Publisher, db: Database, scripted_model: ScriptedModel
) -> None:
    """What is no hint of ours is dropped, more of it than the worker has threads, and the hint behind it is done."""
    with start() as worker:
        for body, properties in FOREIGN.values():
            put(host.url, body, **properties)
        assert publisher.hint(rows.accepted(db, rows.user(db)), "ask", ["qwen"])
        eventually(lambda: "response stored" in worker.log() or worker.status() is not None, 20, "the hint is done")
        assert worker.status() is None
        assert len(scripted_model.calls()) == 1
        worker.end()
    assert not left_by_workers(host.url)


def test_a_worker_outlives_its_broker(
    server: RabbitMQ,
    start: StartWorker,
    publisher: Publisher,
    db: Database,
    scripted_model: ScriptedModel,
) -> None:
    """A worker whose broker is killed takes work again when it is back."""
    with start() as worker:
        time.sleep(SETTLED_S)
        server.kill()
        server.start()
        job_id = rows.accepted(db, rows.user(db))
        eventually(lambda: publisher.hint(job_id, "ask", ["qwen"]), 20, "the hint is sent")
        eventually(scripted_model.calls, 30, "the model is called")
        assert worker.status() is None


def test_a_worker_ends_in_time(
    start: StartWorker, host: VirtualHost, publisher: Publisher, db: Database, scripted_model: ScriptedModel
) -> None:
    """SIGTERM during a call that hangs ends the worker within ten seconds, and its message is not lost with it."""
    scripted_model.script("scripted/qwen", {"hang": True})
    with start() as worker:
        assert publisher.hint(rows.accepted(db, rows.user(db)), "ask", ["qwen"])
        eventually(scripted_model.calls, 10, "the model is called")
        begun = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 0
        assert time.monotonic() - begun < 10


def test_what_ends_in_time_does_not_come_back(
    start: StartWorker, host: VirtualHost, publisher: Publisher, db: Database, scripted_model: ScriptedModel
) -> None:
    """A call that is under way at SIGTERM and ends soon is the worker's last, and its hint is let go of."""
    scripted_model.script("scripted/qwen", {"delay_s": 2})
    with start() as worker:
        assert publisher.hint(rows.accepted(db, rows.user(db)), "ask", ["qwen"])
        eventually(scripted_model.calls, 10, "the model is called")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 0
        assert "response stored" in worker.log()
    assert not left_by_workers(host.url)


@pytest.mark.parametrize("settings", [LIMIT_S], indirect=True)
def test_a_deaf_worker_ends(start: StartWorker) -> None:
    """A worker that hears lives on; one whose consumer has lost its queue says so and ends."""
    with start("-c", DEAFENED) as worker:
        assert_alive_for(1.5 * LIMIT_S, worker)
        worker.process.send_signal(signal.SIGUSR1)
        assert eventually(worker.status, 4 * LIMIT_S, "it ends") == DEAF
    assert f"deaf: nothing came from queue {QUEUE}" in worker.log()
