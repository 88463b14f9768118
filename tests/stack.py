"""The whole product as a user starts it: `make up`'s supervisor in its own data folder, seen from outside."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
import sqlalchemy
import yaml

from folkmoot.settings import Settings
from tests.processes import Process, every_process, process_of, variable_of
from tests.virtual_host import VirtualHost

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
#: Seconds until `/readyz` is green; a start takes far less on a quiet machine.
READY_S = 90.0
#: Tests flood a stack as nobody else does.
NO_LIMITS = {
    "FOLKMOOT_RATE_PER_MINUTE": "0",
    "FOLKMOOT_RATE_ADDRESS_PER_MINUTE": "0",
    "FOLKMOOT_CONCURRENT_JOBS": "0",
    # They ask the same again and again, and count calls.
    "FOLKMOOT_CACHE_HOURS": "0",
}
#: Seconds that everything has to end in after SIGTERM.
STOP_S = 20.0


def eventually(condition: Callable[[], T], deadline_s: float, what: str) -> T:
    """Wait until the condition holds, and return what it returned.

    Raises:
        AssertionError: it did not hold by the deadline; the text says what was seen last.
    """
    ends = time.monotonic() + deadline_s
    while not (seen := condition()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_s:g} s: {what}; seen last: {seen!r}")
        time.sleep(0.05)
    return seen


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running(ABC):
    """A stack that runs, however it was started: its processes, told apart by their command lines."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The one public address."""

    @abstractmethod
    def redis_url(self) -> str:
        """Its Redis, as this process reaches it."""

    @abstractmethod
    def logs(self, lines: int = 12) -> str:
        """The end of what each part has said."""

    @abstractmethod
    def members(self, everyone: Mapping[tuple[int, int], int]) -> set[int]:
        """The pids that are the stack's, of all (pid, time of birth) to their parents' pids."""

    def processes(self, name: str | None = None) -> list[Process]:
        """Every living process of the stack, or those of one name (`agent.qwen`, `gateway-1`, `broker` …)."""
        everyone = every_process()
        members = self.members(everyone)
        found = [process_of(pid, parent, born) for (pid, born), parent in everyone.items() if pid in members]
        return [process for process in found if process.command and name in (None, process.name)]

    def signal(self, name: str, number: signal.Signals) -> list[Process]:
        """Send a signal to every process of that name, parents first; returns them."""
        targets = sorted(self.processes(name))
        assert targets, f"no process is called {name}: {sorted({process.name for process in self.processes()})}"
        for process in targets:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        return targets

    def kill(self, name: str) -> list[Process]:
        """End every process of that name at once, and wait until they are gone; others may be started."""
        killed = self.signal(name, signal.SIGKILL)
        eventually(
            lambda: not any((each.pid, each.born) in every_process() for each in killed),
            5,
            f"{name} is dead",
        )
        return killed

    def variable(self, process: str, name: str) -> str:
        """A setting as one of the stack's processes got it."""
        return variable_of(self.processes(process)[0].pid, name)

    def gateways(self) -> set[str]:
        """The names of its gateways, with which they sign their answers."""
        return {process.name for process in self.processes() if "gunicorn" in process.command}


class Stack(Running):
    """A running Folkmoot; as a context manager it starts, and stops with the proof that nothing is left.

    Args:
        roster: what the roster file is to say; None leaves the product its default, the embedded model.
        settings: `FOLKMOOT_*` variables beyond those every stack gets.
    """

    def __init__(self, roster: Mapping[str, Any] | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fm-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self._database = _own_database(os.environ.get("FOLKMOOT_DATABASE_URL"))
        self._host = _own_host(os.environ.get("FOLKMOOT_BROKER_URL"))
        self.environment = self._settings(roster, settings or {})
        self._up: subprocess.Popen[bytes] | None = None
        self._told_before = 0

    def _settings(self, roster: Mapping[str, Any] | None, settings: Mapping[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FOLKMOOT_") and name != "OPENROUTER_API_KEY"
        }
        # Most tests are about queries; to measure each response would take a second of both cores.
        own = {
            **NO_LIMITS,
            "FOLKMOOT_ANALYSIS": "false",
            "FOLKMOOT_DATA_DIR": str(self.data),
            "FOLKMOOT_PORT": str(self.port),
        }
        if self._database:
            own["FOLKMOOT_DATABASE_URL"] = self._database
        if self._host:
            own["FOLKMOOT_BROKER_URL"] = self._host.url
        if roster is not None:
            own["FOLKMOOT_AGENTS_FILE"] = str(self.folder / "agents.yaml")
            (self.folder / "agents.yaml").write_text(yaml.safe_dump(dict(roster), sort_keys=False), encoding="utf-8")
        return {**inherited, **own, **settings}

    @property
    def url(self) -> str:
        """The one public address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that `make up` would leave in the foreground."""
        assert self._up is not None, "the stack was not started"
        return self._up.pid

    def start(self) -> Self:
        """Start everything and wait until its address is printed and ready; one that was stopped keeps its data."""
        with (self.folder / "up.log").open("ab") as log:
            self._told_before = len(self.output())
            self._up = subprocess.Popen(
                [*_ending_with_us(), sys.executable, "infra/up.py"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(self._is_ready, READY_S, "the address is printed and ready")
        except AssertionError as error:
            with suppress(AssertionError):
                self.stop()
            raise AssertionError(f"{error}\n{self.logs()}") from None
        return self

    def _is_ready(self) -> bool:
        if self._up is None or self._up.poll() is not None:
            raise AssertionError("infra/up.py ended by itself")
        if f"http://localhost:{self.port}" not in self.output()[self._told_before :]:
            return False
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as a user would, by one signal to the foreground process; returns its exit status.

        Raises:
            AssertionError: a process was left, or it took longer than `STOP_S`; what was left is killed.
        """
        assert self._up is not None, "the stack was not started"
        before = self.processes()
        with suppress(ProcessLookupError):
            self._up.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            self._up.wait(STOP_S)
        left = self._left_of(before)
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        status = self._up.wait(5)
        assert not left, f"left after {how.name}: {left}\n{self.logs()}"
        return status

    def _left_of(self, before: list[Process]) -> list[Process]:
        """Those still there, a moment being granted to orphans on their way out."""
        ends = time.monotonic() + 2
        while True:
            now = every_process()
            left = [process for process in before if (process.pid, process.born) in now]
            left += [process for process in self.processes() if process not in left]
            if not left or time.monotonic() > ends:
                return left
            time.sleep(0.05)

    def close(self) -> None:
        """Remove the data folder, and the database and the virtual host made for this stack."""
        _drop_database(self._database)
        if self._host:
            self._host.delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what still runs, and clear up."""
        try:
            if self._up is not None and self._up.poll() is None:
                self.stop()
        finally:
            self.close()

    def members(self, everyone: Mapping[tuple[int, int], int]) -> set[int]:
        """All that descends from `infra/up.py` or carries the stack's data folder."""
        members = {
            pid for pid, _ in everyone if pid == self.pid or variable_of(pid, "FOLKMOOT_DATA_DIR") == str(self.data)
        }
        grown = True
        while grown:
            children = {pid for (pid, _), parent in everyone.items() if parent in members} - members
            members, grown = members | children, bool(children)
        return members

    def redis_url(self) -> str:
        """What the heartbeat service was given."""
        broker, own = (self.variable("heartbeat", f"FOLKMOOT_{name}_URL") for name in ("BROKER", "REDIS"))
        return Settings(broker_url=broker, redis_url=own).redis

    def output(self) -> str:
        """What the foreground process has printed."""
        return (self.folder / "up.log").read_text(encoding="utf-8", errors="replace")

    def logs(self, lines: int = 12) -> str:
        """The end of what was printed and of every log in the data folder."""
        paths = [self.folder / "up.log", *sorted(self.data.rglob("*.log"))]
        return "\n".join(f"--- {path.name}\n{_tail(path, lines)}" for path in paths if path.exists())


def _ending_with_us() -> list[str]:
    """What makes the kernel end the stack when the tests are killed before they can, where there is such a thing."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "TERM", "--"] if found else []


def _tail(path: Path, lines: int) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _own_database(url: str | None) -> str | None:
    """A fresh database beside the one named, on PostgreSQL; on SQLite every stack has its own file anyway."""
    if not url or not url.startswith("postgresql"):
        return None
    name = f"folkmoot_{os.getpid()}_{time.monotonic_ns()}"
    _on_server(url, f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _own_host(url: str | None) -> VirtualHost | None:
    """A fresh virtual host on the RabbitMQ named; a stack on Redis starts its own anyway."""
    if not url or not url.startswith("amqp"):
        return None
    host = VirtualHost(url)
    host.make()
    return host


def _drop_database(url: str | None) -> None:
    if url and (named := os.environ.get("FOLKMOOT_DATABASE_URL")):
        _on_server(named, f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")


def _on_server(url: str, statement: str) -> None:
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement))
    engine.dispose()
