"""A pool: one Celery worker with threads on one queue, its runtime, its heartbeat and its watchdog."""

import logging
import os
import socket
import threading

from celery import Celery, Task, signals
from redis.exceptions import RedisError

from folkmoot import liveness, logs, traces
from folkmoot.agents import ANALYSE_QUEUE, pool_of
from folkmoot.dispatch import queue_named
from folkmoot.garbage import keep_what_is_there
from folkmoot.runtime import Runtime, build, utcnow
from folkmoot.settings import Settings
from services.worker.analyser import Nobody, load
from services.worker.heap import give_back_what_is_large
from services.worker.judges import Judges
from services.worker.tasks import register
from services.worker.watchdog import Watchdog

#: Calls under way get this long to end when the process is told to; then they are given to another worker, in seconds.
FINISH_S = 5.0

#: Celery tells here of each task that comes and ends, probes too; what happens in them is told by what they do.
TALKATIVE = ("celery.worker.strategy", "celery.app.trace")

CONSUMER = "services.worker.consumer:Consumer"

log = logging.getLogger(__name__)


def run(settings: Settings, app: Celery, queue: str) -> None:
    """Consume the queue until a signal ends the process; what is under way is finished first, or given back.

    The pool that analyses loads its models before it takes work, and does one analysis at a time: its work is all
    computing, of which threads make no more.
    """
    logs.set_up(queue, settings.log_level, settings.log_file)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    runtime = build(settings)
    threads = 1 if queue == ANALYSE_QUEUE else settings.worker_threads
    if queue == ANALYSE_QUEUE:
        stand_back()
        give_back_what_is_large()
    register(app, runtime, load(settings, runtime.roster, Judges(runtime)) if queue == ANALYSE_QUEUE else Nobody())
    app.conf.update(task_queues=[queue_named(queue)], task_default_exchange="", worker_consumer=CONSUMER)
    watchdog = Watchdog(runtime.publisher, settings, queue, threads=threads)
    watchdog.start()
    heartbeat = Heartbeat(runtime, queue, watchdog)
    heartbeat.start()
    interruption = threading.Timer(FINISH_S, runtime.provider.interrupt)
    interruption.daemon = True

    def begin_to_end(**_: object) -> None:
        if interruption.ident is None:
            interruption.start()

    signals.worker_shutting_down.connect(begin_to_end)
    if traces.is_on():
        signals.task_prerun.connect(_take)
    try:
        app.worker_main(
            [
                "worker",
                f"--queues={queue}",
                f"--hostname={queue}-{os.getpid()}@%h",
                "--pool=threads",
                f"--concurrency={threads}",
                f"--loglevel={settings.log_level}",
                "--without-gossip",
                "--without-mingle",
                *([] if settings.task_events else ["--without-heartbeat"]),
            ]
        )
    finally:
        interruption.cancel()
        watchdog.stop()
        heartbeat.stop()
        runtime.close()


def stand_back() -> None:
    """Have this process compute only when nobody else wants to: an answer is waited for, an analysis hardly.

    A low priority would not do: whatever share of the processor it leaves is taken from answers all the same.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


def _take(task: Task[..., None], **_: object) -> None:
    """Tell the traces that a message was taken, and since when it lay."""
    traces.take(task.request.get("sent_ns"))


class Heartbeat:
    """Says every `heartbeat_s` that this worker lives and hears, from inside the process that consumes the queue."""

    def __init__(self, runtime: Runtime, queue: str, watchdog: Watchdog) -> None:
        """Beat for a pool by its queue's name; a worker that its queue does not reach is silent."""
        self._runtime = runtime
        self._watchdog = watchdog
        self._pool = pool_of(queue)
        self._worker_id = f"{socket.gethostname()}:{os.getpid()}"
        self._is_ready = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin at once: the first beat is what makes the pool known."""
        signals.worker_ready.connect(self._on_ready)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(timeout=1)

    def _on_ready(self, **_: object) -> None:
        keep_what_is_there()
        self._is_ready = True
        liveness.show(self._runtime.settings.alive_file)

    def _run(self) -> None:
        while True:
            if self._is_ready:
                liveness.show(self._runtime.settings.alive_file)
            try:
                if self._watchdog.is_heard():
                    self._runtime.health.beat(self._pool, self._worker_id, now=utcnow().timestamp())
                wait_s = self._runtime.settings.heartbeat_s
            except (RedisError, OSError) as error:
                log.warning("heartbeat not sent: %s", error)
                wait_s = 1.0
            if self._stopped.wait(wait_s):
                return
