"""Processes of this machine as /proc shows them, and who they are by their command lines."""

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

#: What a command line gives away about who it is; the first that is found counts.
NAMES = (
    (re.compile(r" -Q ([\w.,-]+)"), None),
    (re.compile(r"gunicorn"), "gateway"),
    (re.compile(r"infra/up\.py"), "up"),
    (re.compile(r"alembic"), "migrate"),
    (re.compile(r"services\.(\w+)"), None),
    (re.compile(r"(valkey|redis)-server"), "broker"),
    (re.compile(r"nginx"), "nginx"),
    (re.compile(r"supervisord"), "supervisord"),
)


class Process(NamedTuple):
    """A process of a stack; `born` tells it from another that gets the same pid later."""

    pid: int
    parent: int
    born: int
    name: str
    command: str


def every_process() -> dict[tuple[int, int], int]:
    """(pid, time of birth) of all that lives on this machine, zombies left out, to its parent's pid."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
            if state not in "ZX":
                found[int(entry.name), int(rest[17])] = int(parent)
    return found


def process_of(pid: int, parent: int, born: int) -> Process:
    """What is known of a process; without a command when it is gone."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        command = words.decode(errors="replace").strip()
        return Process(pid, parent, born, _name(pid, command), command)
    return Process(pid, parent, born, "", "")


def _name(pid: int, command: str) -> str:
    for pattern, name in NAMES:
        if match := pattern.search(command):
            if name == "gateway":
                return variable_of(pid, "FOLKMOOT_SERVED_BY") or variable_of(pid, "HOSTNAME")
            return name or match.group(1)
    return command.partition(" ")[0]


def variable_of(pid: int, name: str) -> str:
    """A variable of a process as it was started; empty when it has none or cannot be read."""
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(name.encode() + b"="):
                return entry.decode(errors="replace").partition("=")[2]
    return ""
