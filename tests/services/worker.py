"""A worker's own process, for the tests of pools."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.stack import ROOT, eventually

QUEUE = "agent.qwen"
#: A process has this long to start on a machine that is busy with other things.
START_S = 40.0
#: A worker whose consumer drops its queue when it gets SIGUSR1: it lives, is connected and hears nothing any more.
DEAFENED = """
import signal, sys
from celery import signals
from services.worker.__main__ import main

@signals.worker_ready.connect
def on_ready(sender, **_):
    signal.signal(signal.SIGUSR1, lambda *_: sender.cancel_task_queue("agent.qwen"))

sys.exit(main())
"""


class Worker:
    """A worker's process on the test's broker, and its log."""

    def __init__(self, environment: dict[str, str], log: Path, program: tuple[str, ...]) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, *program, "-Q", QUEUE],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        """Wait until it consumes."""
        try:
            eventually(lambda: " ready." in self.log() or self.status() is not None, START_S, "the worker is ready")
            assert self.status() is None, self.log()
        except AssertionError:
            self.process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and show its log beside an error."""
        self.process.kill()
        self.process.wait(5)
        if error is not None:
            error.add_note(self.log())

    def end(self) -> None:
        """End it as an operator does: what it has done is let go of in the queue."""
        self.process.terminate()
        assert self.process.wait(15) == 0, self.log()

    def status(self) -> int | None:
        """Its exit status, once it has one."""
        return self.process.poll()

    def log(self) -> str:
        """What it has said."""
        return self._log.read_text(encoding="utf-8", errors="replace")


StartWorker = Callable[..., Worker]


def assert_alive_for(seconds: float, *workers: Worker) -> None:
    """See that none of them ends in that time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        assert [worker.status() for worker in workers] == [None] * len(workers)
        time.sleep(0.05)
