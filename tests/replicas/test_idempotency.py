"""One request makes one job and one account, however many replicas see it, and wherever one of them dies."""

import signal
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Barrier

import pytest
import requests

from tests.client import PASSWORD, Client
from tests.replicas.conftest import REPLICAS, Records, direct, tries
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

pytestmark = pytest.mark.timeout(90)

#: What a request has to have taken at a replica to count as cut in the middle there.
HUNG_S = 0.5


def test_one_key_in_parallel_makes_one_job(client: Client, records: Records, model: ScriptedModel) -> None:
    """One key sent twenty times at once, to every replica, makes one job, of which each seat is asked once."""
    headers, together = {"Idempotency-Key": uuid.uuid4().hex}, Barrier(20)
    text = f"Once? {uuid.uuid4().hex}"

    def send(_: int) -> requests.Response:
        user = Client(client.url, client.token)
        together.wait(20)
        return user.submit(headers, query=text)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, range(20)))

    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    assert {answer.headers["X-Served-By"] for answer in answers} == set(REPLICAS)
    [job_id] = {answer.json()["job_id"] for answer in answers}
    assert client.wait_done(job_id)["status"] == "done"
    assert records.count("interactions", "query = :text", text=text) == 1
    assert records.count("responses", "job_id = :job_id", job_id=job_id) == 4
    assert {seat: len(model.calls(f"scripted/{seat}")) for seat in SEATS} == dict.fromkeys(SEATS, 1)


def test_one_key_for_two_requests_is_refused_by_every_replica(client: Client, records: Records) -> None:
    """Of two requests sent at once under one key one makes a job, and the other is told that the key is taken."""
    headers, together = {"Idempotency-Key": uuid.uuid4().hex}, Barrier(10)
    case = uuid.uuid4().hex

    def send(number: int) -> int:
        user = Client(client.url, client.token)
        together.wait(20)
        return user.submit(headers, query=f"{case} {number % 2}?", agents=["qwen"]).status_code

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(send, range(10)))

    assert sorted(statuses) == [202] * 5 + [422] * 5
    assert records.count("interactions", "query LIKE :case", case=f"{case}%") == 1


def test_requests_cut_before_they_are_stored_are_stored_once(client: Client, stack: Stack, records: Records) -> None:
    """Of requests waiting at each replica to be stored, two replicas are killed: all are stored elsewhere, once."""
    case = uuid.uuid4().hex[:12]
    bodies = [{"query": f"{case} {number}?", "agents": ["qwen"]} for number in range(6)]
    bodies += [{"username": f"{case}-{number}", "password": PASSWORD} for number in range(6)]

    with ThreadPoolExecutor(len(bodies)) as threads:
        records.lock()
        sent = [threads.submit(_post, client, body) for body in bodies]
        assert not wait(sent, 2).done, "somebody was answered though nothing could be stored"
        for name in REPLICAS[:2]:
            stack.kill(name)
        records.unlock()
        answers = [each.result() for each in sent]

    assert [answer.status_code for answer in answers] == [202] * 6 + [201] * 6, [answer.text for answer in answers]
    assert records.count("interactions", "query LIKE :case", case=f"{case}%") == 6
    assert records.count("users", "username LIKE :case", case=f"{case}%") == 6
    for half in (answers[:6], answers[6:]):
        assert _cut_in_the_middle(stack, half) >= 2
    for answer in answers[:6]:
        assert client.wait_done(answer.json()["job_id"])["status"] == "done"


def test_requests_cut_after_they_are_stored_are_answered_with_what_is(
    client: Client, stack: Stack, records: Records, model: ScriptedModel
) -> None:
    """Of replicas that have stored a query and not yet answered, two are killed: nginx gets the same job elsewhere."""
    case = uuid.uuid4().hex[:12]
    bodies = [{"query": f"{case} {number}?"} for number in range(6)]

    with ThreadPoolExecutor(len(bodies)) as threads:
        records.lock()
        sent = [threads.submit(_post, client, body) for body in bodies]
        assert not wait(sent, 1).done, "somebody was answered though nothing could be stored"
        with _deaf_broker(stack):
            records.unlock()
            eventually(lambda: records.count("interactions", "query LIKE :case", case=f"{case}%") == 6, 8, "all stored")
            assert not any(each.done() for each in sent), "answered before the events were told"
            for name in REPLICAS[:2]:
                stack.kill(name)
        answers = [each.result() for each in sent]

    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    assert len({answer.json()["job_id"] for answer in answers}) == 6
    assert records.count("interactions", "query LIKE :case", case=f"{case}%") == 6
    assert _cut_in_the_middle(stack, answers) >= 2
    for answer in answers:
        job_id = answer.json()["job_id"]
        assert client.wait_done(job_id)["status"] == "done"
        assert [event.data for event in client.events(job_id)][-1] == {"status": "done"}
    assert {seat: len(model.calls(f"scripted/{seat}")) for seat in SEATS} == dict.fromkeys(SEATS, 6)


def test_sign_up_cut_after_it_is_stored_is_answered_with_the_account(stack: Stack, records: Records) -> None:
    """A sign-up that nginx sends again, because the replica that stored it died unheard, is no taken name."""
    name, headers = f"u-{uuid.uuid4().hex[:12]}", {"X-Request-ID": uuid.uuid4().hex}
    body = {"username": name, "password": PASSWORD}

    answers = [direct(stack, replica, "POST", "/api/v1/users", body, headers) for replica in REPLICAS]

    assert [status for status, _ in answers] == [201] * 3 and all(told == answers[0][1] for _, told in answers)
    assert records.count("users", "username = :name", name=name) == 1
    others = {"X-Request-ID": uuid.uuid4().hex}
    assert direct(stack, REPLICAS[0], "POST", "/api/v1/users", body, others)[0] == 409
    Client(stack.url).sign_in(name)


def _post(user: Client, body: Mapping[str, object]) -> requests.Response:
    """Send a query or a sign-up over a connection of its own."""
    path = "/queries" if "query" in body else "/users"
    return Client(user.url, user.token).call("POST", path, json=body, timeout=60)


def _cut_in_the_middle(stack: Stack, answers: list[requests.Response]) -> int:
    """How many of the requests were cut by a death in their middle, and answered by another replica."""
    cut = 0
    for answer in answers:
        *before, last = tries(stack, answer.headers["X-Request-ID"])
        assert last.replica == answer.headers["X-Served-By"] and last.status == str(answer.status_code)
        assert {each.replica for each in before} <= set(REPLICAS[:2]), before
        cut += any(each.took_s >= HUNG_S for each in before)
    return cut


@contextmanager
def _deaf_broker(stack: Stack) -> Iterator[None]:
    """Stop the broker in its tracks for a moment: whoever tells or publishes something waits."""
    stack.signal("broker", signal.SIGSTOP)
    try:
        yield
    finally:
        stack.signal("broker", signal.SIGCONT)
