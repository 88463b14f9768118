"""A real RabbitMQ for tests: a node of its own, on 127.0.0.1 and in a temporary folder.

`python -m tests.rabbitmq COMMAND …` runs a command with `FOLKMOOT_BROKER_URL` pointing at a node that ends with it.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import requests

from tests.stack import eventually, free_port
from tests.virtual_host import API_ABOVE, Api

#: Seconds until a node takes connections; on a quiet machine it needs five.
START_S = 60.0
#: Debian's wrappers under /usr/sbin change to a user of their own; these do not.
DEBIAN = Path("/usr/lib/rabbitmq/bin")
CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api_port}
# What a test leaves on a full disk is its own affair, and no write-ahead log needs half a gigabyte here.
disk_free_limit.absolute = 10MB
raft.wal_max_size_bytes = 33554432
"""


def rabbitmq_programs() -> Path:
    """The folder of RabbitMQ's programs; without one a test is skipped on a desk, and fails in CI."""
    if (DEBIAN / "rabbitmq-server").exists():
        return DEBIAN
    found = shutil.which("rabbitmq-server")
    if found and shutil.which("epmd"):
        return Path(found).resolve().parent
    reason = "no rabbitmq-server here; on Debian: apt-get install rabbitmq-server"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class RabbitMQ:
    """A node in a temporary folder, with a port mapper of its own: it meets no other node of this machine."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="fm-mq-"))
        self._epmd_port, self._distribution_port = free_port(), free_port()
        self.port = _port_with_api()

    def __enter__(self) -> Self:
        """Start it."""
        (self._folder / "rabbitmq.conf").write_text(
            CONFIGURATION.format(port=self.port, api_port=self.port + API_ABOVE), encoding="utf-8"
        )
        (self._folder / "plugins").write_text("[rabbitmq_management].\n", encoding="utf-8")
        (self._folder / "environment").touch()
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16), encoding="ascii")
        cookie.chmod(0o400)
        epmd = shutil.which("epmd") or "/usr/bin/epmd"
        self._epmd = subprocess.Popen([epmd, "-address", "127.0.0.1", "-port", str(self._epmd_port)])
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and remove its folder."""
        self.kill()
        self._epmd.terminate()
        self._epmd.wait(5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the node on what it has kept, and wait until it answers."""
        with (self._folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "rabbitmq-server"],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._answers, START_S, f"RabbitMQ answers, see {log.name}")

    def kill(self) -> None:
        """End the node at once; what it had confirmed stays."""
        self._signal(signal.SIGKILL)
        self._process.wait(10)

    def hang(self) -> None:
        """Stop it in its tracks: connections are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a node that hangs go on where it was."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # Its group: Erlang's helpers end with it, and nobody else is in there.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def control(self, *words: str) -> None:
        """Run `rabbitmqctl` with these words."""
        command = [str(self._programs / "rabbitmqctl"), "--quiet", *words]
        subprocess.run(command, env=self._environment(), check=True, stdout=subprocess.DEVNULL, timeout=60)

    @property
    def url(self) -> str:
        """Its address; who wants to be alone takes a `VirtualHost` of it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            # The script that starts the node makes way for it, so that a signal to the one reaches the other.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": "folkmoot@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/environment",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": folder,
            # Erlang's threads would wait for work by spinning, on cores that others need.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"RabbitMQ ended by itself: {(self._folder / 'out.log').read_text()}"
        with suppress(requests.RequestException, OSError):
            # Its management may answer before it takes connections.
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return Api(self.url).get("health/checks/virtual-hosts") is not None
        return False


def _port_with_api() -> int:
    """A free port below the kernel's own range, whose companion for the management API is free as well."""
    while True:
        port = free_port() % 10_000 + 11_000
        with suppress(OSError):
            for each in (port, port + API_ABOVE):
                _bind(each)
            return port


def _bind(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        pass


def main(command: list[str]) -> int:
    """Run a command on a node of its own; its status."""
    with RabbitMQ(rabbitmq_programs()) as server:
        done = subprocess.run(command, env={**os.environ, "FOLKMOOT_BROKER_URL": server.url}, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
