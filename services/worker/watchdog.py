"""The watchdog: ends a worker that its queue no longer reaches, which happens to Celery's after a reconnect."""

import logging
import os
import random
import threading
import time
from typing import NoReturn

from celery import signals

from folkmoot.dispatch import Publisher
from folkmoot.settings import Settings

#: The status that a deaf worker ends with: sysexits' "try again", so that nobody takes it for wrong settings.
DEAF = 75
#: A limit has this many ticks, so that a lost probe or two mean nothing.
TICKS = 12
#: A tick counts for no more than this many times its length: a process that was stopped meanwhile has not listened.
LONGEST_TICK = 2
#: Ticks vary, in parts of their length: workers of one queue that probed in step would always reach the same one.
JITTER = (0.5, 1.5)

log = logging.getLogger(__name__)


class Watchdog:
    """Ends the process when nothing has come from its queue for `watchdog_s`.

    Time counts while probes can be published and a thread is free to take them: a broker that is away, or calls that
    keep every thread busy, make no worker deaf.
    """

    def __init__(self, publisher: Publisher, settings: Settings, queue: str, *, threads: int) -> None:
        """Watch this process, which consumes the queue; the publisher is not the connection that is in doubt."""
        self._publisher = publisher
        self._queue = queue
        self._limit_s = settings.watchdog_s
        self._tick_s = settings.watchdog_s / TICKS
        self._threads = threads
        self._lock = threading.Lock()
        self._under_way = 0
        self._silence_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Watch from when the worker is ready until it begins to end."""
        signals.worker_ready.connect(self._on_ready)
        signals.task_prerun.connect(self._on_begin)
        signals.task_postrun.connect(self._on_end)
        signals.worker_shutting_down.connect(self._on_shutdown)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)

    def is_heard(self) -> bool:
        """Whether the queue reaches this worker, as far as is known: half of the limit in silence says no."""
        return self._silence_s <= self._limit_s / 2

    def _on_ready(self, **_: object) -> None:
        self._thread.start()

    def _on_shutdown(self, **_: object) -> None:
        self._stopped.set()

    def _on_begin(self, **_: object) -> None:
        """A task came from the queue; whether it is a probe or work is all the same."""
        with self._lock:
            self._under_way += 1
            self._silence_s = 0.0

    def _on_end(self, **_: object) -> None:
        with self._lock:
            self._under_way -= 1

    def _run(self) -> None:
        while not self._stopped.is_set():
            began_at = time.monotonic()
            is_probed = self._has_free_thread() and self._publisher.probe(self._queue, self._probes())
            self._stopped.wait(self._tick_s * random.uniform(*JITTER))
            if is_probed:
                self._count(time.monotonic() - began_at)
            if self._silence_s > self._limit_s and not self._stopped.is_set():
                self._end_process()

    def _has_free_thread(self) -> bool:
        return self._under_way < self._threads

    def _probes(self) -> int:
        """One more after each silent tick: two at once reach two of the workers that share a queue."""
        return 1 + int(self._silence_s / self._tick_s)

    def _count(self, elapsed_s: float) -> None:
        with self._lock:
            if self._has_free_thread():
                self._silence_s += min(elapsed_s, LONGEST_TICK * self._tick_s)

    def _end_process(self) -> NoReturn:
        log.error(
            "deaf: nothing came from queue %s in %.0f s, though the broker took probes and a thread was free; "
            "this process ends, to be started again",
            self._queue,
            self._limit_s,
        )
        # Leases and the sweeper give its work to others; a deaf Celery may not end when it is asked to.
        os._exit(DEAF)
