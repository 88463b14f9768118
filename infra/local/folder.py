"""The data folder: what must last, the logs, and a run folder for the sockets of one run."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.settings import StartError

#: A socket's path may have 107 bytes on Linux and 103 on a Mac; a name such as /gateway-64.sock is part of it.
LONGEST_RUN_PATH = 80
#: Paths go into the configuration of three programs; in a plain one nothing needs quoting.
PLAIN = re.compile(r"[\w./-]+", re.ASCII)


@dataclass(frozen=True)
class Folder:
    """An opened data folder, this stack's alone until it ends."""

    data: Path
    run: Path

    @property
    def logs(self) -> Path:
        """The logs of all parts."""
        return self.data / "logs"

    def log(self, name: str) -> Path:
        """Where a part tells what it does."""
        return self.logs / f"{name}.log"

    def output(self, name: str) -> Path:
        """Where goes what a part that writes its log by itself says beside it: how its start failed, and the like."""
        return self.logs / f"{name}.out.log"

    @property
    def broker(self) -> Path:
        """What the broker writes."""
        return self.data / "broker"

    @property
    def front(self) -> Path:
        """The folder nginx runs in: its configuration and temporary files."""
        return self.run / "nginx"

    def socket(self, name: str) -> Path:
        """Where a part listens."""
        return self.run / f"{name}.sock"


@contextmanager
def opened(data: Path) -> Iterator[Folder]:
    """Make the data folder where it is missing, and keep every other start out of it meanwhile.

    Raises:
        StartError: a stack runs in it, or it cannot be written.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"The data folder {data} cannot be used ({error.strerror}); FOLKMOOT_DATA_DIR names another."
        ) from error
    try:
        _lock(lock, data)
        run = _run_folder(data)
        try:
            yield _made(Folder(data, run))
        finally:
            shutil.rmtree(run, ignore_errors=True)
    finally:
        os.close(lock)


def _lock(lock: int, data: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(lock, 20).decode() or "unknown"
        raise StartError(
            f"Folkmoot already runs in the data folder {data} (process {owner}). "
            "End it first, or give this one another folder and port with FOLKMOOT_DATA_DIR and FOLKMOOT_PORT."
        ) from error
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def _run_folder(data: Path) -> Path:
    run = data / "run"
    shutil.rmtree(run, ignore_errors=True)
    if len(os.fsencode(run)) > LONGEST_RUN_PATH or not PLAIN.fullmatch(str(run)):
        return Path(tempfile.mkdtemp(prefix="folkmoot-"))
    return run


def _made(folder: Folder) -> Folder:
    for path in (folder.run, folder.logs, folder.broker, folder.front):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
