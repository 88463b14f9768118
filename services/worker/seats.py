"""Starts a pool for each of several seats: `FOLKMOOT_SEATS=a,b python -m services.worker.seats`.

Each pool is a worker process as any other. When one ends the others are ended too, so that whoever started this sees it
and starts all again.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from types import FrameType

from folkmoot.agents import queue_of

#: A pool ends within ten seconds of SIGTERM; past this it is killed, in seconds.
STOP_S = 25


def main() -> int:
    """Run the pools until SIGTERM or SIGINT, or until one ends; its status, and 2 when no seat is named."""
    seats = [seat.strip() for seat in os.environ.get("FOLKMOOT_SEATS", "").split(",") if seat.strip()]
    if not seats:
        sys.stderr.write("folkmoot worker: FOLKMOOT_SEATS must name the seats to serve, for example a,b.\n")
        return 2
    command = [sys.executable, "-m", "services.worker", "-Q"]
    pools = {pool.pid: pool for pool in (subprocess.Popen([*command, queue_of(seat)]) for seat in seats)}  # noqa: S603

    def end(_signal: int, _frame: FrameType | None) -> None:
        _end(pools.values())

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    # Not `wait`, which reaps: it is Popen that has to.
    first = pools[os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid]  # type: ignore[union-attr]
    _end(pools.values())
    for pool in pools.values():
        try:
            pool.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pool.kill()
    return first.wait()


def _end(pools: Iterable[subprocess.Popen[bytes]]) -> None:
    for pool in pools:
        pool.terminate()


if __name__ == "__main__":
    sys.exit(main())
