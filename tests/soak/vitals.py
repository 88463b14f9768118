"""What a stack's processes hold at one moment, as the kernel tells it: memory, open files, sockets, CPU time."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.processes import Process
from tests.stack import Stack, eventually

#: The kernel's number for a socket whose peer has hung up and whose owner has not.
CLOSE_WAIT = "08"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Vitals:
    """One process. `uss_kb` is the memory that is its own alone: what its end would give back.

    `open` counts its file descriptors by what they are: `tcp`, `pipe`, the path of a file, and `unix`, with the name
    of the socket for the ends that a server has accepted.
    """

    process: Process
    uss_kb: int
    rss_kb: int
    cpu_s: float
    open: Counter[str]
    hung_up_on: int

    @property
    def key(self) -> tuple[str, int, int]:
        """Who it is, for as long as it lives."""
        return self.process.name, self.process.pid, self.process.born

    @classmethod
    def of(cls, process: Process) -> Self:
        """Look at a living process.

        Raises:
            OSError: it is gone.
        """
        proc = Path(f"/proc/{process.pid}")
        memory = dict(re.findall(r"^(\w+):\s+(\d+) kB", (proc / "smaps_rollup").read_text(), re.MULTILINE))
        times = (proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        tcp, unix = dict(_tcp_states(proc)), dict(_unix_names(proc))
        links = list(_links(proc / "fd"))
        return cls(
            process=process,
            uss_kb=int(memory["Private_Clean"]) + int(memory["Private_Dirty"]),
            rss_kb=int(memory["Rss"]),
            cpu_s=sum(map(int, times)) / TICKS_PER_S,
            open=Counter(_kind(link, tcp, unix) for link in links),
            hung_up_on=sum(tcp.get(link) == CLOSE_WAIT for link in links),
        )


def look(stack: Stack) -> dict[tuple[str, int, int], Vitals]:
    """Every process of the stack; a broker's child that rewrites its log is none."""
    brokers = {process.pid for process in stack.processes("broker")}
    everyone = (Vitals.of(process) for process in stack.processes() if process.parent not in brokers)
    return {vitals.key: vitals for vitals in everyone}


def look_when_settled(stack: Stack, *, still_s: float, deadline_s: float) -> dict[tuple[str, int, int], Vitals]:
    """The processes once nobody has opened or closed a descriptor for `still_s`."""
    seen, since = look(stack), time.monotonic()

    def is_still() -> bool:
        nonlocal seen, since
        now = look(stack)
        if _opened(now) != _opened(seen):
            since = time.monotonic()
        seen = now
        return time.monotonic() - since >= still_s

    eventually(is_still, deadline_s, "no process opens or closes anything")
    return seen


def _opened(everyone: dict[tuple[str, int, int], Vitals]) -> dict[tuple[str, int, int], int]:
    return {key: vitals.open.total() for key, vitals in everyone.items()}


def _links(folder: Path) -> Iterator[str]:
    for descriptor in folder.iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())


def _tcp_states(proc: Path) -> Iterator[tuple[str, str]]:
    """Each TCP socket of the machine, by the name its descriptor has, and its state."""
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                yield f"socket:[{fields[9]}]", fields[3]


def _unix_names(proc: Path) -> Iterator[tuple[str, str]]:
    """Each local socket of the machine that has a name, by the name its descriptor has."""
    for line in (proc / "net" / "unix").read_text().splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7:
            yield f"socket:[{fields[6]}]", Path(fields[7]).name


def _kind(link: str, tcp: dict[str, str], unix: dict[str, str]) -> str:
    if link in tcp:
        return "tcp"
    kind, _, _ = link.partition(":[")
    return f"unix {unix.get(link, '')}".strip() if kind == "socket" else kind.removeprefix("anon_inode:")
