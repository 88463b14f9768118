"""What is measured side by side: Folkmoot, and a bare fan-out as the floor; `peer` has the third.

All ask the same stub: four seats at once, and then an aggregator. A council is used within an event loop of its own.
"""

import asyncio
import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp

from bench.stub import Stub
from folkmoot.db import Database
from folkmoot.store.backlog import count
from tests.client import Client
from tests.stack import NO_LIMITS, Stack, eventually

SEATS = tuple(f"seat{number}" for number in range(1, 5))
AGGREGATOR = "aggregator"
QUESTION = "Should voting be compulsory?"
#: A query that takes longer than this has failed.
QUERY_S = 120.0
#: Users who ask in turn, so that no one of them comes near the default limit of queries a minute.
USERS = 8


class Council(ABC):
    """One way to ask; a context manager that runs it."""

    name: str

    def __enter__(self) -> Self:
        """Start, and return once it answers."""
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A pool of connections with which to ask."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=QUERY_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            yield session

    @abstractmethod
    async def ask(self, session: aiohttp.ClientSession, number: int) -> float:
        """Ask for the time with this number, and return the seconds until the consensus is here.

        Raises:
            AssertionError: it did not come, or not as a whole one.
        """


class Floor(Council):
    """One process with nothing between the client and the models: no store, no queue, no limits."""

    name = "floor"

    def __init__(self, stub: Stub) -> None:
        self._url = f"{stub.url}/chat/completions"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing runs that could be ended."""

    async def ask(self, session: aiohttp.ClientSession, number: int) -> float:
        """Ask the four seats at once, and then the aggregator with what they said."""
        began = time.perf_counter()
        responses = await asyncio.gather(*(self._complete(session, seat, QUESTION) for seat in SEATS))
        consensus = await self._complete(session, AGGREGATOR, "\n\n".join(responses))
        assert consensus
        return time.perf_counter() - began

    async def _complete(self, session: aiohttp.ClientSession, model: str, prompt: str) -> str:
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}
        pieces: list[str] = []
        async with session.post(self._url, json=body) as answer:
            async for line in answer.content:
                if line.startswith(b"data: {") and (choices := json.loads(line[6:])["choices"]):
                    pieces.append(choices[0]["delta"].get("content", ""))
        return "".join(pieces)


class Folkmoot(Council):
    """The whole product as `make up` starts it, with its defaults, asked by REST and read by its stream of events.

    Args:
        stub: the models.
        settings: `FOLKMOOT_*` variables for what is not the default; analysis stays on unless this says otherwise.
        seats: how many are asked; the aggregator is one more.
    """

    name = "folkmoot"

    def __init__(self, stub: Stub, settings: dict[str, str] | None = None, seats: int = len(SEATS)) -> None:
        names = [*(f"seat{number}" for number in range(1, seats + 1)), AGGREGATOR]
        one = {"base_url": stub.url, "timeout_s": 60}
        self.roster = {"aggregator": AGGREGATOR, "seats": {name: {"model": name, **one} for name in names}}
        defaults = dict.fromkeys(NO_LIMITS, "")
        self.clients: list[Client] = []
        self.stack = Stack(self.roster, {**defaults, "FOLKMOOT_ANALYSIS": "true", **(settings or {})})
        sqlite = f"sqlite:///{self.stack.data / 'folkmoot.db'}"
        self._database = Database(self.stack.environment.get("FOLKMOOT_DATABASE_URL", sqlite))

    def __enter__(self) -> Self:
        """Start the stack, and sign its users in."""
        self.stack.__enter__()
        self.clients = [Client(self.stack.url) for _ in range(USERS)]
        for number, client in enumerate(self.clients):
            client.sign_up(f"bench{number}")
            client.sign_in(f"bench{number}")
        eventually(lambda: set(self.clients[0].states().values()) == {"healthy"}, 30, "every seat is healthy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the stack."""
        self.stack.__exit__(kind, error, trace)

    async def ask(self, session: aiohttp.ClientSession, number: int) -> float:
        """Submit a query and follow its events until the consensus is here as a whole."""
        headers = {
            "Authorization": f"Bearer {self.clients[number % USERS].token}",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        queries = f"{self.stack.url}/api/v1/queries"
        began = time.perf_counter()
        # A number in the question keeps a cache out of it.
        async with session.post(queries, json={"query": f"{QUESTION} ({number})"}, headers=headers) as accepted:
            assert accepted.status == 202, await accepted.text()
            job_id = (await accepted.json())["job_id"]
        async with session.get(f"{queries}/{job_id}/events", headers=headers) as stream:
            assert stream.status == 200, await stream.text()
            async for line in stream.content:
                if line == b"event: consensus\n":
                    return time.perf_counter() - began
                assert line != b"event: end\n", f"{job_id} ended without a consensus"
        raise AssertionError(f"the stream of {job_id} ended without a consensus")

    def open_queries(self) -> int:
        """How many queries have not ended."""
        return sum(count(self._database).queries.values())

    def drain(self, limit_s: float = 900.0) -> float:
        """Wait until nothing is left to analyse; returns the seconds that took."""
        began = time.monotonic()
        eventually(lambda: not count(self._database).analyses, limit_s, "everything is analysed")
        return time.monotonic() - began
