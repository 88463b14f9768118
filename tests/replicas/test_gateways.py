"""Three gateways before one nginx: evenly used, sticky for a job, and none missed when it is killed."""

import random
import signal
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.client import ENDED, PASSWORD, Client, folded, place
from tests.replicas.conftest import REPLICAS, Reading, Records, await_replicas
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

pytestmark = pytest.mark.timeout(120)

#: The cheapest query: one agent, no synthesis.
ALONE: dict[str, Any] = {"agents": ["qwen"]}
THREADS = 4


def test_new_queries_are_spread_evenly(client: Client) -> None:
    """Of 150 new queries sent from several threads, each replica takes a third, within 20 %."""

    def send(number: int) -> str:
        answer = Client(client.url, client.token).submit(query=f"Question {number}?", **ALONE)
        assert answer.status_code == 202, answer.text
        return answer.headers["X-Served-By"]

    with ThreadPoolExecutor(THREADS) as threads:
        served = Counter(threads.map(send, range(150)))

    assert set(served) == set(REPLICAS) and min(served.values()) >= 40 and max(served.values()) <= 60, served


def test_answers_leave_a_replica_in_one_piece(stack: Stack) -> None:
    """No answer has its head sent before its body: killed between them, a replica would leave nginx half an answer."""
    listens_at = stack.variable(REPLICAS[0], "FOLKMOOT_BIND").removeprefix("unix:")
    pieces = []
    for _ in range(40):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(listens_at)
            connection.sendall(b"GET /api/v1/queries HTTP/1.1\r\nHost: localhost\r\n\r\n")
            pieces.append(connection.recv(1 << 16))

    assert all(piece.startswith(b"HTTP/1.1 401") and piece.rstrip().endswith(b"}") for piece in pieces), pieces[:3]


@dataclass
class Traffic:
    """Requests of every kind, one after the other, each with the only right status of its answer."""

    user: Client
    old_job: str
    case: str
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    accepted: list[str] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)

    def run(self, stopped: threading.Event) -> "Traffic":
        """Send until told to stop."""
        while not stopped.is_set():
            for method, path, status, body in self._round():
                self._send(method, path, status, body)
        return self

    def _round(self) -> Iterator[tuple[str, str, int, Any]]:
        yield "GET", "/catalogue", 200, None
        yield "POST", "/queries", 202, {"query": f"{self.case} {uuid.uuid4()}?", **ALONE}
        # Read what another replica has just written.
        yield "GET", f"/queries/{(self.accepted or [self.old_job])[-1]}", 200, None
        yield "GET", "/queries?limit=5", 200, None
        yield "POST", "/queries", 422, {"query": ""}
        yield "GET", f"/queries/{self.old_job}", 200, None
        yield "GET", "/agents", 200, None
        yield "POST", f"/queries/{self.old_job}/cancel", 202, None
        yield "GET", f"/queries/{uuid.uuid4()}", 404, None
        if len(self.accepted) % 5 == 0:
            yield "POST", "/users", 201, {"username": f"u-{uuid.uuid4().hex[:16]}", "password": PASSWORD}

    def _send(self, method: str, path: str, status: int, body: Any) -> None:
        try:
            answer = self.user.call(method, path, json=body)
        except requests.RequestException as error:
            self.wrong.append(f"{method} {path}: {error!r}")
            return
        self.answered += 1
        self.served[answer.headers.get("X-Served-By", "nginx")] += 1
        if answer.status_code != status:
            self.wrong.append(f"{method} {path}: {answer.status_code}, not {status}: {answer.text}")
        elif status == 202 and path == "/queries":
            self.accepted.append(answer.json()["job_id"])


def test_killed_replicas_cost_no_request(client: Client, stack: Stack, records: Records) -> None:
    """While one, then two of three replicas are killed, again and again, every request gets its right answer, once."""
    old_job = client.wait_done(client.ask(**ALONE)["job_id"])["job_id"]
    case, stopped = uuid.uuid4().hex, threading.Event()
    traffic = [Traffic(Client(client.url, client.token), old_job, case) for _ in range(THREADS)]

    with ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(each.run, stopped) for each in traffic]
        try:
            for first in REPLICAS:
                _answer_more(traffic)
                stack.kill(first)
                _answer_more(traffic)
                await_replicas(stack)
                for other in set(REPLICAS) - {first}:
                    stack.kill(other)
                _answer_more(traffic)
                await_replicas(stack)
        finally:
            stopped.set()
        for each in running:
            each.result()

    assert not (wrong := [sentence for each in traffic for sentence in each.wrong]), wrong
    assert sum(each.answered for each in traffic) >= 500
    assert set(sum((each.served for each in traffic), Counter())) == set(REPLICAS)
    accepted = [job_id for each in traffic for job_id in each.accepted]
    stored = eventually(lambda: records.count("interactions", "query LIKE :case", case=f"{case}%"), 5, "queries")
    assert len(accepted) == len(set(accepted)) == stored, "a query was stored twice"
    unfinished = f"query LIKE :case AND status NOT IN {ENDED!r}"
    eventually(lambda: not records.count("interactions", unfinished, case=f"{case}%"), 60, "all of them end")
    assert records.count("interactions", "query LIKE :case AND status = 'done'", case=f"{case}%") == stored


def _answer_more(traffic: list[Traffic]) -> None:
    """Wait until so many more requests are answered that the whole test has at least 500."""
    before = sum(each.answered for each in traffic)
    eventually(lambda: sum(each.answered for each in traffic) >= before + 60, 30, "requests are answered")


def test_reads_of_a_job_stay_on_one_replica(client: Client, stack: Stack) -> None:
    """All that is asked of a job is served by one replica, by one other while that is dead, and by it again after."""
    jobs = [client.ask(f"Question {number}?", **ALONE)["job_id"] for number in range(12)]
    home = _homes(client, jobs)
    # Of twelve, one replica has none in one run of forty.
    while set(home.values()) != set(REPLICAS) and len(jobs) < 24:
        jobs.append(client.ask("Another question?", **ALONE)["job_id"])
        home = _homes(client, jobs)
    assert set(home.values()) == set(REPLICAS)

    victim = home[jobs[0]]
    with _unattended(stack):
        stack.kill(victim)
        meanwhile = _homes(client, jobs)
    await_replicas(stack)

    assert victim not in meanwhile.values()
    assert all(meanwhile[job_id] == home[job_id] for job_id in jobs if home[job_id] != victim), (home, meanwhile)
    assert _homes(client, jobs) == home


@contextmanager
def _unattended(stack: Stack) -> Iterator[None]:
    """Stop the supervisor in its tracks for a moment: nobody starts again what is killed."""
    stack.signal("supervisord", signal.SIGSTOP)
    try:
        yield
    finally:
        stack.signal("supervisord", signal.SIGCONT)


def _homes(client: Client, jobs: list[str]) -> dict[str, str]:
    """The one replica that serves all that is asked of each job."""
    served = {job_id: {_served(client, job_id) for _ in range(6)} for job_id in jobs}
    assert all(len(replicas) == 1 for replicas in served.values()), served
    return {job_id: replica for job_id, [replica] in served.items()}


def _served(client: Client, job_id: str) -> str:
    path = random.choice((f"/queries/{job_id}", f"/queries/{job_id}/events", f"/queries/{job_id}/cancel"))
    method = "POST" if path.endswith("cancel") else "GET"
    # A new connection each time, which may be to another process of nginx.
    answer = Client(client.url, client.token).call(method, path, stream=True)
    with answer:
        assert answer.status_code in (200, 202), answer.text
        return answer.headers["X-Served-By"]


def test_streams_go_on_at_other_replicas(client: Client, stack: Stack, model: ScriptedModel) -> None:
    """Streams cut again and again by SIGKILL resume elsewhere: each reader has read each event once, in order."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"token_delay_s": 0.14})
    jobs = [client.ask(f"Question {number}?", deadline_s=90)["job_id"] for number in range(9)]
    readings = [Reading(client, job_id) for job_id in jobs]

    with ThreadPoolExecutor(len(readings)) as threads:
        running = [threads.submit(reading.follow) for reading in readings]
        _while(lambda: not all(each.done() for each in running), lambda: _kill_the_busiest(stack, readings))
        for each in running:
            each.result()

    assert sum(reading.cuts for reading in readings) >= 12, [reading.replicas for reading in readings]
    assert all(len(set(reading.replicas)) > 1 for reading in readings), [reading.replicas for reading in readings]
    for reading in readings:
        assert reading.events == list(client.events(reading.job_id))
        places = [place(event) for event in reading.events]
        assert places == sorted(set(places))
        query = client.query(reading.job_id)
        texts = {("response", each["agent_id"]): each["text"] for each in query["responses"]}
        texts["consensus", query["consensus"]["agent_id"]] = query["consensus"]["text"]
        assert {key: text.strip() for key, text in folded(reading.events).items()} == texts
        assert query["status"] == "done" and not query["degraded"], query["notes"]


def _while(condition: Callable[[], bool], act: Callable[[], None]) -> None:
    while condition():
        act()


def _kill_the_busiest(stack: Stack, readings: list[Reading]) -> None:
    """Once every reader has read on, kill the replica that serves most of those who were not cut yet, or of all."""
    read = [len(reading.events) for reading in readings]

    def have_read_on() -> bool:
        return all(
            reading.is_over or len(reading.events) > before for reading, before in zip(readings, read, strict=True)
        )

    eventually(have_read_on, 20, "every reader reads on")
    open_at = Counter(reading.replicas[-1] for reading in readings if not reading.is_over)
    uncut = Counter(reading.replicas[-1] for reading in readings if not reading.is_over and not reading.cuts)
    if open_at:
        stack.kill(max(open_at, key=lambda replica: (uncut[replica], open_at[replica])))
        await_replicas(stack)
