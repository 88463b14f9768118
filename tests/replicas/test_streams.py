"""Event streams that are cut and resumed at whichever replica: what is read in the end is the whole, once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest
import redis

from infra.local.sockets import UnixConnection
from tests.client import Client, Event, folded, parse_events
from tests.replicas.conftest import REPLICAS
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack

pytestmark = pytest.mark.timeout(120)

CUTS = 20


def test_stream_cut_twenty_times_is_the_uncut_one(client: Client, stack: Stack, model: ScriptedModel) -> None:
    """Cut at random and resumed at another replica each time, a stream gives exactly the events of an uncut one."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"token_delay_s": 0.1})
    job_id = client.ask(deadline_s=90)["job_id"]
    read: list[Event] = []
    replicas = [random.choice(REPLICAS)]

    with ThreadPoolExecutor(1) as beside:
        uncut = beside.submit(lambda: list(Client(client.url, client.token).events(job_id)))
        for _ in range(CUTS):
            read += islice(_events(stack, replicas[-1], client, job_id, read), random.randint(1, 4))
            replicas.append(random.choice([name for name in REPLICAS if name != replicas[-1]]))
        assert read[-1].event != "end", "the stream was over before its last cut"
        read += _events(stack, replicas[-1], client, job_id, read)

    assert read == uncut.result()
    assert len({event.id for event in read}) == len(read) and read[-1].event == "end"


def test_expired_stream_gives_the_same_texts_at_every_replica(client: Client, stack: Stack) -> None:
    """When the live stream is gone, every replica tells the same from the database, each text in one piece."""
    job_id = client.ask()["job_id"]
    live = list(client.events(job_id))
    with redis.Redis.from_url(stack.redis_url()) as server:
        keys = [key for key in server.scan_iter() if job_id.encode() in key]
        assert keys and server.delete(*keys) == len(keys)

    replays = [list(_events(stack, name, client, job_id, [])) for name in REPLICAS]

    assert all(replay == replays[0] for replay in replays)
    # What is stored has lost the white space around it.
    assert folded(replays[0]) == {key: text.strip() for key, text in folded(live).items()}
    assert sum(event.event == "consensus.delta" for event in replays[0]) == 1


def _events(stack: Stack, name: str, user: Client, job_id: str, read: list[Event]) -> Iterator[Event]:
    """What one replica, asked past nginx, streams after the last event that was read."""
    connection = UnixConnection(Path(stack.variable(name, "FOLKMOOT_BIND").removeprefix("unix:")), 30)
    headers = {"Authorization": f"Bearer {user.token}", "Accept": "text/event-stream"}
    if read:
        headers["Last-Event-ID"] = read[-1].id
    try:
        connection.request("GET", f"/api/v1/queries/{job_id}/events", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-Served-By"]) == (200, name)
        yield from parse_events(iter(lambda: answer.read1(65536), b""))
    finally:
        connection.close()
