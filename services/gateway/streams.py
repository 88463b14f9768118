"""The threads of this replica that streams may hold: each holds one while it lasts, and while somebody reads it."""

import select
import threading
from collections.abc import Callable, Mapping
from typing import Any

from folkmoot.errors import Unavailable

#: Threads that streams leave to everything else.
KEPT_FREE = 0.25


class Streams:
    """Counts the streams under way.

    Args:
        threads: how many this replica has.
    """

    def __init__(self, threads: int) -> None:
        self._most = max(1, int(threads * (1 - KEPT_FREE)))
        self._lock = threading.Lock()
        #: How many are under way.
        self.open = 0

    def begin(self) -> Callable[[], None]:
        """Take a thread for a stream; returns what gives it back.

        Raises:
            Unavailable: so many are open that nothing else could be served.
        """
        with self._lock:
            if self.open >= self._most:
                raise Unavailable("Too many streams are open here. Try again in a moment, or poll the query instead.")
            self.open += 1
        return self._end

    def _end(self) -> None:
        with self._lock:
            self.open -= 1


def reader(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """What tells whether whoever sent a request still waits for its answer, as far as the connection shows.

    nginx closes its connection to the gateway when its client has gone; to learn it by writing would take a keep-alive.
    """
    connection = environ.get("gunicorn.socket")
    if connection is None or not hasattr(select, "POLLRDHUP"):
        return lambda: True
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return lambda: not poll.poll(0)
