"""The Redis client of a process: one that does not wait again and again for a server that does not answer."""

import time
from collections.abc import Sequence
from typing import Any

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

#: Redis is local or near: a command that takes longer means that it hangs. Streams are read for a second at a time.
CONNECT_TIMEOUT_S = 1.0
TIMEOUT_S = 2.0
#: After a command that got no answer all others fail at once for this long: not every request waits in vain.
PAUSE_S = 3.0

#: A command and what it takes, as Redis' manual has them.
Command = tuple[str | bytes | int | float, ...]


def connect(url: str) -> Redis:
    """A client for this address; nothing connects before it is used."""
    pool = Pool.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        # A connection that broke while it was idle is made anew; one that hangs is not waited for twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(NoConnection,)),
    )
    return Redis.from_pool(pool)


class Pool(ConnectionPool):
    """Connections, of which none is given out for a while after one was waited for in vain."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Begin with patience."""
        super().__init__(*arguments, **options)
        self._taken_at: dict[int, float] = {}
        self._paused_until = 0.0

    def get_connection(self, *arguments: Any, **options: Any) -> Connection:
        """A connection that is ready.

        Raises:
            ConnectionError: there is none, or Redis did not answer a moment ago.
        """
        began_at = time.monotonic()
        if began_at < self._paused_until:
            raise NoConnection("Redis did not answer a moment ago")
        try:
            connection: Connection = super().get_connection()
        except (RedisError, OSError):
            self._pause_after(began_at, CONNECT_TIMEOUT_S)
            raise
        self._taken_at[id(connection)] = began_at
        return connection

    def waits_for(self, connection: Any) -> None:
        """Count anew how long this connection is waited for: it was given out for more than one command."""
        self._taken_at[id(connection)] = time.monotonic()

    def release(self, connection: Any) -> None:
        """Take a connection back; one that was given up after a long wait tells of a server that hangs."""
        taken_at = self._taken_at.pop(id(connection), None)
        if taken_at is not None and not connection.is_connected:
            self._pause_after(taken_at, TIMEOUT_S)
        super().release(connection)

    def _pause_after(self, began_at: float, limit_s: float) -> None:
        now = time.monotonic()
        if now - began_at >= limit_s:
            self._paused_until = now + PAUSE_S


def ask(redis: Redis, commands: Sequence[Command], *, must: int | None = None) -> list[Any]:
    """What Redis answers to commands that are sent in one piece; the library's own way takes half as long again.

    Args:
        redis: the client.
        commands: what is said.
        must: how many of them, from the first on, must not be refused; a later one has its error among the answers.
    Raises:
        RedisError: Redis does not answer, or refuses one that it must not.
    """
    pool = redis.connection_pool
    # One that broke while it was idle is made anew. Nothing is said twice: an answer may be lost of what has been done.
    connection: Any = pool.get_connection()
    try:
        return exchange(connection, commands, must=must)
    finally:
        pool.release(connection)


def exchange(connection: Any, commands: Sequence[Command], *, must: int | None = None) -> list[Any]:
    """What `ask` gives, by this connection, which is closed where an answer did not come.

    Raises:
        RedisError: Redis does not answer, or refuses one that it must not.
    """
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        answers = [_answer(connection) for _ in commands]
    except BaseException:
        # What it may still have to say is no answer to anything that is asked next.
        connection.disconnect()
        raise
    for answer in answers[:must]:
        if isinstance(answer, ResponseError):
            raise answer
    return answers


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
