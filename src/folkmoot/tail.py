"""One reader's way along a job's event stream: on one connection from its first look to its last.

A stream is read a dozen times within a second or two, and each read that takes a connection from the pool and gives it
back takes three times as long as the read itself.
"""

import json
from typing import Any

from redis import Redis
from redis.connection import Connection
from redis.exceptions import ConnectionError as NoConnection

from folkmoot.events import APART, PER_MS, Event, key_of
from folkmoot.redis_client import Command, Pool, exchange

#: Events that one read takes.
MOST = 500


class Heard(Event):
    """An event as it stands in the stream; its data are read when somebody asks for them.

    Attributes:
        text: the data as JSON, in one line.
    """

    text: str

    def __init__(self, place: str, fields: list[str]) -> None:
        """Take what Redis says of an entry."""
        milliseconds, _, number = place.partition("-")
        known = dict(zip(fields[::2], fields[1::2], strict=True))
        self.__dict__.update(id=int(milliseconds) * PER_MS + int(number) * APART, type=known["e"], text=known["d"])

    def __getattr__(self, name: str) -> Any:
        """The data, which are not there before."""
        if name != "data":
            raise AttributeError(name)
        self.__dict__["data"] = found = json.loads(self.text)
        return found


class Tail:
    """Reads one job's stream, and waits for what comes next."""

    def __init__(self, redis: Redis, job_id: str) -> None:
        """Take no connection yet."""
        self._pool: Any = redis.connection_pool
        self._key = key_of(job_id)
        self._connection: Connection | None = None

    def begin(self, *, after: int) -> tuple[int | None, list[Event]]:
        """What is there, without any waiting.

        Returns:
            The number of responses that a whole stream will tell of, or None when its first event is gone, and more may
            be; and the events after this id.
        Raises:
            RedisError: Redis does not answer.
        """
        first: Command = ("XRANGE", self._key, "-", "+", "COUNT", 1)
        found, read = self._ask(first, ("XREAD", "COUNT", MOST, "STREAMS", self._key, _place(after)))
        fields = found[0][1] if found else []
        begins = fields[fields.index("b") + 1] if "b" in fields[::2] else None
        return (None if begins is None else int(begins)), _events(read)

    def read(self, *, after: int, block_ms: int) -> list[Event]:
        """The events after this id; waits up to `block_ms` for one when there is none.

        Raises:
            RedisError: Redis does not answer.
        """
        return _events(*self._ask(("XREAD", "COUNT", MOST, "BLOCK", block_ms, "STREAMS", self._key, _place(after))))

    def _ask(self, *commands: Command) -> list[Any]:
        """Send commands together; over a new connection when this one, which lay idle, turns out to be gone."""
        for is_last in (False, True):
            if self._connection is None:
                self._connection = self._pool.get_connection()
            connection = self._connection
            if isinstance(self._pool, Pool):
                self._pool.waits_for(connection)
            try:
                return exchange(connection, commands)
            except BaseException as error:
                self.close()
                if is_last or not isinstance(error, NoConnection):
                    raise
        raise AssertionError("the second failure is raised")

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


def _events(read: Any) -> list[Event]:
    """What XREAD found in one stream; the third version of Redis' protocol tells it as a map."""
    if not read:
        return []
    ((_, entries),) = read.items() if isinstance(read, dict) else read
    return [Heard(*entry) for entry in entries]


def _place(event_id: int) -> str:
    """Where Redis has an event, or would have one of this id."""
    milliseconds, number = divmod(event_id, PER_MS)
    return f"{milliseconds}-{number // APART}"
