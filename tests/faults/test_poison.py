"""Messages that mean nothing and work that kills: a pool outlives both, and whoever asked is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from celery import Celery
from redis import Redis

from folkmoot.dispatch import ASK, make_app
from folkmoot.settings import Settings
from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.faults.landscape import assert_concluded
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

pytestmark = pytest.mark.timeout(180)

QUEUE = "agent.qwen"
NOBODY = "00000000-0000-0000-0000-000000000000"
LEASE_S = 2
#: Attempts that work gets before it counts as deadly.
ATTEMPTS = 3
DEADLINE_S = 90


class Scene(NamedTuple):
    """A stack whose failpoints can be armed, its models, and what reaches its queues."""

    stack: Stack
    model: ScriptedModel
    failpoints: Path
    redis: Redis
    app: Celery


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A running stack with short leases."""
    failpoints = tmp_path_factory.mktemp("failpoints")
    settings = {
        "FOLKMOOT_FAILPOINTS": str(failpoints),
        "FOLKMOOT_LEASE_S": str(LEASE_S),
        "FOLKMOOT_ATTEMPTS": str(ATTEMPTS),
    }
    with ScriptedModel(SEATS) as model, Stack(scripted_roster(model), settings) as stack:
        broker, own = (stack.variable("heartbeat", f"FOLKMOOT_{name}_URL") for name in ("BROKER", "REDIS"))
        with Redis.from_url(own) as redis, make_app(Settings(broker_url=broker, redis_url=own)) as app:
            yield Scene(stack, model, failpoints, redis, app)


@pytest.fixture
def client(scene: Scene) -> Iterator[Client]:
    """A new user of models on their best behaviour."""
    scene.model.reset()
    user = new_user(scene.stack.url)
    yield user
    user.give_up()


def raw(content: bytes | str) -> Callable[[Scene], object]:
    """Something in the queue that Celery has not put there."""
    return lambda scene: scene.redis.lpush(QUEUE, content)


def task(name: str, *arguments: Any, **more: Any) -> Callable[[Scene], object]:
    """A message that Celery sends."""
    return lambda scene: scene.app.send_task(name, args=arguments, queue=QUEUE, **more)


POISONS = {
    "not JSON": raw("not JSON"),
    "not text": raw(b"\xff\xfe\x00"),
    "JSON that is no message": raw(json.dumps({"job_id": NOBODY})),
    "a message without a body": raw(json.dumps({"properties": {"delivery_tag": "x", "delivery_info": {}}})),
    "a message in another language": raw(
        json.dumps(
            {
                "body": "gASVBAAAAAAAAABLAS4=",
                "content-type": "application/x-python-serialize",
                "content-encoding": "binary",
                "headers": {"task": ASK, "id": NOBODY, "lang": "py"},
                "properties": {"delivery_tag": "y", "delivery_info": {}, "body_encoding": "base64"},
            }
        )
    ),
    "an unknown task": task("folkmoot.nothing", NOBODY),
    "too few arguments": task(ASK),
    "too many arguments": task(ASK, NOBODY, "qwen", "more"),
    "arguments of another kind": task(ASK, {"a": 1}, ["b"]),
    "half a character": task(ASK, "\ud800\x00", "qwen"),
    "an unknown job": task(ASK, NOBODY, "qwen"),
    "an unknown agent": task(ASK, NOBODY, "nobody"),
    "a megabyte": task(ASK, "x" * 2**20, "qwen"),
    "a time that is none": task(ASK, NOBODY, "qwen", headers={"eta": "soon"}),
}


@pytest.mark.parametrize("poison", POISONS)
def test_pool_outlives_garbage(scene: Scene, client: Client, poison: str) -> None:
    """The process of a pool outlives whatever stands in its queue, keeps none of it, and answers the next query."""
    before = {process.pid for process in scene.stack.processes(QUEUE)}

    POISONS[poison](scene)
    eventually(lambda: scene.redis.llen(QUEUE) == 0, 10, "the pool takes it")
    ended = client.wait_done(client.ask(agents=["qwen"], deadline_s=30)["job_id"], 40)

    assert ended["status"] == "done" and ended["responses"][0]["attempts"] == 1
    eventually(lambda: not scene.redis.exists("unacked"), 10, "every message is acknowledged")
    assert {process.pid for process in scene.stack.processes(QUEUE)} == before


def test_hint_that_comes_again_changes_nothing(scene: Scene, client: Client) -> None:
    """A hint that comes again while its work is under way asks no model twice: the lease says that somebody has it."""
    scene.model.script("scripted/qwen", {"delay_s": 2})
    job_id = client.ask(agents=["qwen"], deadline_s=30)["job_id"]
    eventually(lambda: scene.model.calls("scripted/qwen"), 20, "the model is asked")

    for _ in range(5):
        scene.app.send_task(ASK, args=(job_id, "qwen"), queue=QUEUE)
    ended = client.wait_done(job_id, 40)

    assert ended["status"] == "done" and ended["responses"][0]["attempts"] == 1
    assert len(scene.model.calls("scripted/qwen")) == 1


@contextmanager
def deadly(scene: Scene, failpoint: str) -> Iterator[None]:
    """Whoever comes to this point dies, each time anew."""
    armed, over = scene.failpoints / failpoint, threading.Event()

    def arm() -> None:
        while not over.wait(0.01):
            armed.touch()

    armed.touch()
    thread = threading.Thread(target=arm, name=f"arms {failpoint}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(FileNotFoundError):
            armed.unlink()


def test_work_that_kills_its_worker_is_given_up(scene: Scene, client: Client) -> None:
    """A query whose only seat dies of it fails after three attempts with the reason, and the pool answers the next."""
    with deadly(scene, "response.answered"):
        ended = client.wait_done(client.ask(agents=["qwen"], deadline_s=DEADLINE_S)["job_id"], DEADLINE_S)

    [response] = ended["responses"]
    assert ended["status"] == "failed" and ended["degraded"]
    assert (response["status"], response["attempts"]) == ("failed", ATTEMPTS)
    assert response["error"] == "its worker died each time it was asked"
    assert any("its worker died" in note for note in ended["notes"]) and "No consensus" in ended["notes"][-1]
    assert len(scene.model.calls("scripted/qwen")) == ATTEMPTS
    assert_next_is_done(client)


def test_seat_that_dies_leaves_the_others_their_quorum(scene: Scene, client: Client) -> None:
    """A seat that dies of a query is left out of it, with the reason; the others' answers are concluded."""
    scene.model.script("scripted/qwen", {"delay_s": 3}, {"delay_s": 0.5}, stage="response")
    job_id = client.ask(deadline_s=DEADLINE_S)["job_id"]
    eventually(lambda: answered(client, job_id) == 2, 3, "the others answer first")
    with deadly(scene, "response.answered"):
        ended = client.wait_done(job_id, DEADLINE_S)

    [lost] = [response for response in ended["responses"] if response["status"] != "ok"]
    assert (lost["agent_id"], lost["status"], lost["attempts"]) == ("qwen", "failed", ATTEMPTS)
    assert lost["error"] == "its worker died each time it was asked"
    assert_concluded(ended)
    assert_next_is_done(client)


def answered(client: Client, job_id: str) -> int:
    """How many seats have answered so far."""
    return sum(response["status"] == "ok" for response in client.query(job_id)["responses"])


def test_consensus_that_kills_its_worker_is_given_up(scene: Scene, client: Client) -> None:
    """A query whose conclusion kills the aggregator fails after three attempts with the reason, long before its end."""
    began = time.monotonic()
    with deadly(scene, "consensus.answered"):
        ended = client.wait_done(client.ask(deadline_s=DEADLINE_S)["job_id"], DEADLINE_S)

    assert ended["status"] == "failed" and ended["consensus"] is None
    assert ended["notes"][-1] == "No consensus: the worker that concluded died each time."
    assert {response["status"] for response in ended["responses"]} == {"ok"}
    assert time.monotonic() - began < DEADLINE_S / 2
    assert_next_is_done(client)


def assert_next_is_done(client: Client) -> None:
    """The pools live, and the next query is concluded by all of them."""
    query = client.wait_done(client.ask(deadline_s=60)["job_id"], 70)
    assert query["status"] == "done" and not query["degraded"], query
