"""The threads of this replica that streams may hold: each holds one while it lasts."""

import threading
from collections.abc import Callable

from folkmoot.errors import Unavailable

#: Threads that streams leave to everything else.
KEPT_FREE = 0.25


class Streams:
    """Counts the streams under way.

    Args:
        threads: how many this replica has.
    """

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(max(1, int(threads * (1 - KEPT_FREE))))

    def begin(self) -> Callable[[], None]:
        """Take a thread for a stream; returns what gives it back.

        Raises:
            Unavailable: so many are open that nothing else could be served.
        """
        if not self._free.acquire(blocking=False):
            raise Unavailable("Too many streams are open here. Try again in a moment, or poll the query instead.")
        return self._free.release
