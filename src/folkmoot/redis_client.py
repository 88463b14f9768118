"""The Redis client of a process: one that does not wait again and again for a server that does not answer."""

import time
from typing import Any

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import ConnectionError as NoConnection
from redis.retry import Retry

#: Redis is local or near: a command that takes longer means that it hangs. Streams are read for up to 2 s at a time.
CONNECT_TIMEOUT_S = 1.0
TIMEOUT_S = 3.0
#: After a command that got no answer all others fail at once for this long: not every request waits in vain.
PAUSE_S = 3.0


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
    return Redis(connection_pool=pool)


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
        connection: Connection = super().get_connection()
        self._taken_at[id(connection)] = began_at
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back; one that was given up after a long wait tells of a server that hangs."""
        now = time.monotonic()
        waited_s = now - self._taken_at.pop(id(connection), now)
        if not connection.is_connected and waited_s >= TIMEOUT_S:
            self._paused_until = now + PAUSE_S
        super().release(connection)
