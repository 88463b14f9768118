"""The gateway's gunicorn worker, with a small application: who answers what comes over one connection."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, eventually

REQUEST = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"


def create_app() -> Any:
    """An application that says which thread has answered."""

    def answer(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        name = threading.current_thread().name.encode()
        start_response("200 OK", [("Content-Length", str(len(name)))])
        return [name]

    return answer


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running gunicorn as the gateways are; where it listens."""
    path = tmp_path_factory.mktemp("worker") / "gateway.sock"
    words = [sys.executable, "-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "-b", f"unix:{path}"]
    process = subprocess.Popen([*words, f"{__name__}:create_app()"], cwd=ROOT)
    try:
        eventually(path.exists, 20, "gunicorn listens")
        yield path
    finally:
        process.terminate()
        assert process.wait(20) == 0


def connected(path: Path) -> socket.socket:
    """A new connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(path))
    return connection


def asked(connection: socket.socket, *, answers: int = 1, request: bytes = REQUEST) -> list[bytes]:
    """The bodies of so many answers to what is sent now."""
    connection.sendall(request)
    said = b""
    while (
        len(bodies := [one.partition(b"\r\n\r\n")[2] for one in said.split(b"HTTP/1.1 200 OK")[1:]]) < answers
        or not (bodies[-1])
    ):
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    return bodies


def test_a_thread_stays_with_a_busy_connection(worker: Path) -> None:
    """What follows soon on a connection is answered by the thread that has answered before, however much there is."""
    with closing(connected(worker)) as one, closing(connected(worker)) as other:
        threads = [(asked(one), asked(other)) for _ in range(20)]

    assert len(set(map(str, threads))) == 1 and threads[0][0] != threads[0][1]


def test_a_connection_that_was_quiet_is_answered(worker: Path) -> None:
    """A connection that nobody stays with any more is answered all the same."""
    with closing(connected(worker)) as connection:
        for _ in range(3):
            assert asked(connection)
            time.sleep(0.2)


def test_requests_that_come_together_are_answered_at_once(worker: Path) -> None:
    """A second request that came with the first one does not wait for anything more to come."""
    with closing(connected(worker)) as connection:
        asked(connection)
        began = time.monotonic()

        assert len(asked(connection, answers=10, request=10 * REQUEST)) == 10
        assert time.monotonic() - began < 0.25
