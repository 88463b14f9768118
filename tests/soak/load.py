"""Many users at once: each asks, watches by stream or by polling, and keeps what it was shown."""

import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.client import ENDED, Client, Event, new_user

#: Between two looks of somebody who polls; at 25 pollers this is fifty requests a second.
POLL_S = 0.5
#: A query that has not ended by then never will: its own deadline is earlier.
ENDS_WITHIN_S = 90.0


@dataclass(frozen=True)
class Watched:
    """A query as its user saw it; `events` are empty for one who polled. Times are seconds since the epoch."""

    tag: str
    query: dict[str, Any]
    events: Sequence[Event]
    asked_at: float
    accepted_at: float
    concluded_at: float


class Visitor(Client):
    """A client that hangs up when it leaves."""

    def __enter__(self) -> "Visitor":
        """Come."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._session.close()

    def stream(self, tag: str) -> Watched:
        """Ask, and follow the events to the end."""
        asked_at, accepted_at, job_id = self._ask(tag)
        events, concluded_at = [], 0.0
        for event in self.events(job_id, timeout_s=ENDS_WITHIN_S):
            events.append(event)
            if event.event == "consensus":
                concluded_at = time.time()
        return Watched(tag, self.query(job_id), events, asked_at, accepted_at, concluded_at)

    def poll(self, tag: str) -> Watched:
        """Ask, and look now and then until the query has ended."""
        asked_at, accepted_at, job_id = self._ask(tag)
        while (query := self.query(job_id))["status"] not in ENDED:
            assert time.time() < asked_at + ENDS_WITHIN_S, f"{tag} has not ended: {query}"
            time.sleep(POLL_S)
        return Watched(tag, query, (), asked_at, accepted_at, time.time())

    def _ask(self, tag: str) -> tuple[float, float, str]:
        asked_at = time.time()
        query = self.ask(f"Should voting be compulsory? #case-{tag}")
        return asked_at, time.time(), query["job_id"]


class Crowd:
    """Users who ask again as soon as they have their answer.

    Args:
        url: the public address.
        users: how many accounts they share.
        at_once: how many queries are in flight; every other one is streamed.
    """

    def __init__(self, url: str, *, users: int, at_once: int) -> None:
        self._url = url
        self._at_once = at_once
        self._tokens = [new_user(url).token for _ in range(users)]

    def ask(self, count: int) -> list[Watched]:
        """Ask so many queries, and return them all once the last has ended; nobody stays connected."""
        left, lock = iter(range(count)), threading.Lock()

        def come(number: int) -> list[Watched]:
            watched = list[Watched]()
            with Visitor(self._url, self._tokens[number % len(self._tokens)]) as visitor:
                watch = visitor.poll if number % 2 else visitor.stream
                while True:
                    with lock:
                        if next(left, None) is None:
                            return watched
                    watched.append(watch(uuid.uuid4().hex[:12]))

        with ThreadPoolExecutor(self._at_once) as pool:
            return [one for watched in pool.map(come, range(self._at_once)) for one in watched]
