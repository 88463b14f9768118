"""Processes as the kernel knows them: whose child is whose, and that none is left behind."""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

#: From <linux/prctl.h>.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
#: Even SIGKILL takes a moment.
KILLED_WITHIN_S = 1.0


def ignore_signals() -> None:
    """From here on nothing interrupts the ending."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def end_with_parent() -> None:
    """Between fork and exec: be told to end when the parent dies, however it does."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that it can be ended."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def end_children(*, but: int) -> None:
    """Kill our own children, adopted ones all, except one."""
    for pid in _children() - {but}:
        _signal(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _children() -> set[int]:
    """Our own children; the kernel's list of them, where it keeps one, costs far less than a look at every process."""
    lists = list(Path("/proc/self/task").glob("*/children"))
    if not lists:
        return {pid for pid, parent in _parents().items() if parent == os.getpid()}
    return {int(pid) for each in lists for pid in each.read_text().split()}


def end_descendants(*, by: float) -> None:
    """Ask every descendant to end, wait until that time, and kill those that have not."""
    asked: set[int] = set()
    while (left := descendants(os.getpid())) and time.monotonic() < by:
        for pid in left - asked:
            _signal(pid, signal.SIGTERM)
        asked |= left
        _wait_a_moment()
    ends = time.monotonic() + KILLED_WITHIN_S
    while (left := descendants(os.getpid())) and time.monotonic() < ends:
        for pid in left:
            _signal(pid, signal.SIGKILL)
        _wait_a_moment()


def _wait_a_moment() -> None:
    # The dead are our children, and stay to be seen until they are waited for.
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    time.sleep(0.05)


def _signal(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def descendants(ancestor: int) -> set[int]:
    """Every process that descends from this one."""
    parents = _parents()
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {ancestor}


def _parents() -> dict[int, int]:
    """Every process of this machine that can be seen, to its parent; on a system without /proc, none."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # The name in brackets may hold spaces; after it come the state and the parent.
            found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found
