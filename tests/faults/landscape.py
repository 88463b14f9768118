"""What the tests of faults share: queries asked from outside, and a stack's rows seen past all of its processes."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from sqlalchemy import NullPool, Select, create_engine, func, select

from folkmoot.models import Analysis, Interaction, Outbox, Response
from tests.client import ENDED, Client, Event, folded
from tests.soak.load import Visitor
from tests.stack import eventually

#: A query has ended this long after its deadline at the latest.
SLACK_S = 10.0
QUESTION = "Should voting be compulsory?"


class Ledger:
    """What a stack has stored.

    Args:
        url: the database as SQLAlchemy knows it.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)

    def claims(self, agent_id: str) -> int:
        """How often the pool of a seat has taken work."""
        asked = Response.agent_id == agent_id, Response.is_aggregator.is_(False)
        return self._number(select(func.sum(Response.attempts)).where(*asked))

    def conclusions(self) -> int:
        """How often the pool that concludes has taken work."""
        return self._number(select(func.sum(Interaction.fence)))

    def analyses(self) -> int:
        """How many queries the pool that analyses is done with."""
        return self._number(select(func.count()).where(Analysis.status != "pending"))

    def stored(self) -> int:
        """How many queries there are."""
        return self._number(select(func.count(Interaction.id)))

    def unfinished(self) -> dict[str, int]:
        """What is still to be done, by kind."""
        return {
            "queries": self._number(select(func.count()).where(Interaction.status.not_in(ENDED))),
            "analyses": self._number(select(func.count()).where(Analysis.status == "pending")),
            "hints": self._number(select(func.count(Outbox.id))),
        }

    def await_rest(self, within_s: float) -> None:
        """Wait until nothing is left to do."""
        eventually(lambda: sum(self.unfinished().values()) == 0, within_s, "all has ended")

    def rows(self) -> dict[str, Counter[tuple[str, bool]]]:
        """How many rows each job has of each agent, by job_id and then (agent_id, is_aggregator)."""
        found: dict[str, Counter[tuple[str, bool]]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(select(Response.job_id, Response.agent_id, Response.is_aggregator)):
                found.setdefault(row.job_id, Counter())[row.agent_id, bool(row.is_aggregator)] += 1
        return found

    def overtimes(self) -> dict[str, float]:
        """By how many seconds each query that ended late did so."""
        ended = select(Interaction.job_id, Interaction.deadline_at, Interaction.finished_at)
        with self._engine.connect() as connection:
            rows = connection.execute(ended.where(Interaction.finished_at > Interaction.deadline_at)).all()
        return {row.job_id: (row.finished_at - row.deadline_at).total_seconds() for row in rows}

    def _number(self, statement: Select[Any]) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(statement) or 0)


def more(count: Callable[[], int]) -> Callable[[], bool]:
    """Whether something is counted that was not at the time of this call."""
    before = count()
    return lambda: count() > before


def ask_many(user: Client, count: int, *, at_once: int, **body: Any) -> list[str]:
    """Ask so many queries from several threads, all of which must be accepted; their job_ids."""

    def ask(share: int) -> list[str]:
        with Visitor(user.url, user.token) as visitor:
            return [visitor.ask(QUESTION, **body)["job_id"] for _ in range(share)]

    shares = [len(range(number, count, at_once)) for number in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        return [job_id for job_ids in pool.map(ask, shares) for job_id in job_ids]


@dataclass
class Answer:
    """One answer of the API as a user met it; status 0 stands for none at all."""

    status: int
    took_s: float
    retry_after: str | None
    content: Any = None


def timed(client: Client, method: str, path: str, **more: Any) -> Answer:
    """Ask for something, whatever comes of it."""
    began = time.monotonic()
    try:
        answer = client.call(method, path, **more)
        content = answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        status, retry_after = answer.status_code, answer.headers.get("Retry-After")
    except requests.RequestException as error:
        content, status, retry_after = repr(error), 0, None
    return Answer(status, time.monotonic() - began, retry_after, content)


@dataclass
class Load:
    """Users who ask at a steady pace while things break; as a context manager, until it is left.

    Attributes:
        pause_s: what each of them waits between two questions.
        answers: when each was asked, in seconds of the monotonic clock, and what came.
    """

    user: Client
    users: int
    pause_s: float
    body: dict[str, Any]
    answers: list[tuple[float, Answer]] = field(default_factory=list)
    _left: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        """Begin to ask."""
        self._threads = [threading.Thread(target=self._ask, name=f"asker-{number}") for number in range(self.users)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for the last answers."""
        self._left.set()
        for thread in self._threads:
            thread.join()

    @property
    def job_ids(self) -> list[str]:
        """The queries that were accepted."""
        return [answer.content["job_id"] for _, answer in self.answers if answer.status == 202]

    def _ask(self) -> None:
        with Visitor(self.user.url, self.user.token) as visitor:
            while not self._left.is_set():
                began, key = time.monotonic(), {"Idempotency-Key": uuid.uuid4().hex}
                answer = timed(visitor, "POST", "/queries", json={"query": QUESTION, **self.body}, headers=key)
                self.answers.append((began, answer))
                self._left.wait(self.pause_s)


def assert_concluded(query: dict[str, Any]) -> None:
    """A query is done with its consensus, and where it lacks something it says so."""
    assert query["status"] == "done" and query["consensus"]["text"], query
    lacking = [response for response in query["responses"] if response["status"] != "ok"]
    assert query["degraded"] == bool(lacking or query["aggregator"]["failed_over"]), query
    assert query["notes"] or not query["degraded"], query
    assert all(response["error"] for response in lacking), query


def assert_told(events: Iterable[Event], query: dict[str, Any]) -> None:
    """Whoever reads an ended query's events from the start knows what is stored, and nothing twice."""
    told = list(events)
    kinds = Counter(event.event for event in told)
    stored = {("response", each["agent_id"]): each["text"] for each in query["responses"] if each["status"] == "ok"}
    stored["consensus", query["consensus"]["agent_id"]] = query["consensus"]["text"]
    responses = [event.data for event in told if event.event == "response"]
    assert Counter(each["agent_id"] for each in responses) == Counter(query["panel"]), query["job_id"]
    assert sorted(responses, key=str) == sorted(query["responses"], key=str), query["job_id"]
    assert [event.data for event in told if event.event == "consensus"] == [query["consensus"]], query["job_id"]
    assert (kinds["analysis"], kinds["end"]) == (1, 1) and told[-1].data == {"status": "done"}, query["job_id"]
    assert folded(told).items() <= stored.items(), query["job_id"]
