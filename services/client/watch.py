"""Watching a query: a thread reads what happens, and whoever shows it gets a picture whenever it changed."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from .follow import follow
from .job import Job
from .rest import Gateway, GatewayError, Json, Refused
from .stream import Event

#: The time left is shown anew this often, though nothing else came.
TICK_S = 1.0
#: Pieces that come within this time share one picture; a reader sees no difference, and the page draws less.
GATHER_S = 0.1

#: A stored resource, an event of the stream, an error that ends the watching, or None at its end.
Item = Json | Event | GatewayError | None


async def watch(gateway: Gateway, token: str, job_id: str) -> AsyncIterator[Job]:
    """The query, again and again as it comes forward, until it has ended.

    Raises:
        GatewayError: the query cannot be shown, or no longer; what was yielded before stays true.
    """
    items: asyncio.Queue[Item] = asyncio.Queue()
    reader = _Reader(gateway, token, job_id, items)
    reader.start()
    job: Job | None = None
    try:
        while True:
            batch = await _gather(items)
            for item in batch:
                if isinstance(item, GatewayError):
                    raise item
                if isinstance(item, Event) and job:
                    job.apply(item)
                elif isinstance(item, dict):
                    job = job or Job(item)
                    job.replace(item)
            if job:
                yield job
            if None in batch:
                return
    finally:
        reader.stop()


async def _gather(items: asyncio.Queue[Item]) -> list[Item]:
    try:
        batch = [await asyncio.wait_for(items.get(), TICK_S)]
    except TimeoutError:
        return []
    await asyncio.sleep(GATHER_S)
    while not items.empty():
        batch.append(items.get_nowait())
    return batch


class _Reader(threading.Thread):
    """Reads the query and its events to the end; a daemon, so that a silent stream cannot hold up the process's end."""

    def __init__(self, gateway: Gateway, token: str, job_id: str, items: asyncio.Queue[Item]) -> None:
        super().__init__(name=f"watch-{job_id}", daemon=True)
        self._gateway, self._token, self._job_id = gateway, token, job_id
        self._items, self._loop = items, asyncio.get_running_loop()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let the thread end with the next piece of the stream, which comes within 15 s."""
        self._stopped.set()

    def run(self) -> None:
        try:
            self._read()
        except GatewayError as error:
            self._put(error)
        except Exception:
            # Nobody must wait forever for a reader that died of a mistake of ours.
            self._put(Refused("The answer could not be read; try again."))
            raise
        self._put(None)

    def _read(self) -> None:
        for item in follow(self._gateway, self._token, self._job_id, self._stopped.is_set):
            self._put(item)

    def _put(self, item: Item) -> None:
        # A loop that has closed has no page left to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
