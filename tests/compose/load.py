"""Users who keep asking while something is done to the containers, and a record of everything that failed."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.client import ENDED, PASSWORD, Client, Event, parse_events
from tests.stack import eventually

#: Seconds after which a query counts as lost; its own deadline is earlier.
LOST_S = 100.0
#: Seconds between two tries of somebody who was refused.
AGAIN_S = 0.2


@dataclass
class Asked:
    """One query as its user saw it."""

    job_id: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    #: The replicas that gave an answer, and how often a stream had to be resumed.
    replicas: set[str] = field(default_factory=set)
    resumed: int = 0


class Load:
    """So many queries in flight, each followed by its events to the end; as a context manager, until it is left.

    Args:
        url: the public address.
        at_once: how many.
        patient: whether a request that is refused counts as failed; else it is sent again, as an idempotent one may be.
    """

    def __init__(self, url: str, at_once: int, *, patient: bool = False) -> None:
        self._url = url
        self._patient = patient
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._keep_asking, daemon=True) for _ in range(at_once)]
        user = Client(url)
        name = f"load-{uuid.uuid4().hex[:12]}"
        user.sign_up(name, PASSWORD)
        self._token = user.sign_in(name, PASSWORD).token
        self.asked: list[Asked] = []
        #: Requests that failed, each in words; those that a patient user sent again.
        self.failures: list[str] = []
        self.refusals: list[str] = []

    def replicas(self) -> set[str]:
        """All that have given an answer so far."""
        return {replica for asked in list(self.asked) for replica in asked.replicas}

    def done(self) -> int:
        """How many queries have ended so far."""
        return sum(bool(asked.query) for asked in list(self.asked))

    def __enter__(self) -> "Load":
        """Begin, and wait until some queries have ended."""
        for thread in self._threads:
            thread.start()
        eventually(lambda: self.failures or self.done() > 2, 60, "the load runs")
        return self

    def __exit__(self, *_: object) -> None:
        """Ask nothing new; what is under way goes on to its end."""
        self._stopped.set()
        ends = time.monotonic() + LOST_S
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def check(self) -> str:
        """See that nothing was lost; returns what happened in a line.

        Raises:
            AssertionError: a request failed, a query did not end done, or a stream did not tell it whole.
        """
        assert not self.failures, f"{len(self.failures)} failed: {self.failures[:5]}"
        assert not any(thread.is_alive() for thread in self._threads), "some queries have not ended"
        for asked in self.asked:
            assert asked.query["status"] == "done", asked.query
            ids = [event.id for event in asked.events]
            assert len(ids) == len(set(ids)), f"{asked.job_id}: an event came twice"
            assert asked.events[-1].event == "end", asked.events[-1]
        degraded = sum(asked.query["degraded"] for asked in self.asked)
        resumed = sum(asked.resumed for asked in self.asked)
        return (
            f"{len(self.asked)} queries done, {degraded} of them degraded, {resumed} streams resumed, "
            f"{len(self.refusals)} requests sent again"
        )

    def _keep_asking(self) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._token}"
            while not self._stopped.is_set() and not self.failures:
                asked = Asked()
                try:
                    self._ask(session, asked)
                except Exception as error:
                    self.failures.append(f"{time.strftime('%X')} {asked.job_id}: {error!r}")

    def _ask(self, session: requests.Session, asked: Asked) -> None:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        question = {"query": f"Should voting be compulsory? #{key['Idempotency-Key'][:8]}"}
        with self._request(session, asked, "POST", "/queries", 202, json=question, headers=key) as answer:
            asked.job_id = answer.json()["job_id"]
        self.asked.append(asked)
        ends = time.monotonic() + LOST_S
        while not asked.events or asked.events[-1].event != "end":
            assert time.monotonic() < ends, "not told to the end"
            self._follow(session, asked)
        query = self._get(session, asked)
        while query["status"] not in ENDED:
            assert time.monotonic() < ends, "not ended"
            query = self._get(session, asked)
        asked.query = query

    def _get(self, session: requests.Session, asked: Asked) -> dict[str, Any]:
        with self._request(session, asked, "GET", f"/queries/{asked.job_id}", 200) as answer:
            found: dict[str, Any] = answer.json()
            return found

    def _follow(self, session: requests.Session, asked: Asked) -> None:
        """Read events from one connection; that a stream breaks is expected, that it cannot be resumed is not."""
        after = {"Last-Event-ID": asked.events[-1].id} if asked.events else {}
        path = f"/queries/{asked.job_id}/events"
        with self._request(session, asked, "GET", path, 200, headers=after, stream=True) as answer:
            asked.resumed += bool(after)
            try:
                asked.events.extend(parse_events(answer.iter_content(None)))
            except requests.RequestException:
                return

    @contextmanager
    def _request(
        self, session: requests.Session, asked: Asked, method: str, path: str, status: int, **more: Any
    ) -> Iterator[requests.Response]:
        ends = time.monotonic() + LOST_S
        while True:
            refusal = ""
            try:
                answer = session.request(method, f"{self._url}/api/v1{path}", timeout=60, **more)
                if answer.status_code == status:
                    break
                refusal = f"{method} {path.rpartition('/')[2]}: {answer.status_code} {answer.text[:200]}"
            except requests.RequestException as error:
                refusal = f"{method} {path.rpartition('/')[2]}: {error!r}"
            assert self._patient and time.monotonic() < ends, refusal
            self.refusals.append(refusal)
            time.sleep(AGAIN_S)
        asked.replicas.add(answer.headers.get("X-Served-By", ""))
        with answer:
            yield answer
