"""A small real HTTP server on a socket file or a port, in the place of a gateway or the UI behind nginx."""

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, NamedTuple, Self


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Stub(ThreadingMixIn, TCPServer):
    """Answers every request with its own name; remembers what came.

    Attributes:
        status: of the answers; None cuts the connection once the request has been read.
        ready: answers wait until it is set, as it is at first.
        more: a stream of events sends its second event only when this is set.
    """

    daemon_threads = True
    request_queue_size = 64
    name: str

    def __init__(self, address: Any) -> None:
        self.seen: list[Seen] = []
        self.status: int | None = 200
        self.ready, self.more = threading.Event(), threading.Event()
        self.ready.set()
        super().__init__(address, _Handler)

    def __enter__(self) -> Self:
        """Serve until the end of the block."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving, and let streams under way end."""
        self.ready.set()
        self.more.set()
        self.shutdown()
        self.server_close()


class StubGateway(_Stub):
    """One on a socket file, as under `make up`."""

    address_family = socket.AF_UNIX

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        super().__init__(str(path))

    def server_close(self) -> None:
        """Give up the socket, and its file."""
        super().server_close()
        self._path.unlink(missing_ok=True)


class StubReplica(_Stub):
    """One at an address and port, as in containers."""

    allow_reuse_address = True

    def __init__(self, address: str, port: int) -> None:
        self.name = address
        super().__init__((address, port))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Stub

    def do_GET(self) -> None:
        """Serve a stream of two events where the path says so, else answer."""
        self._remember()
        if self.path.endswith("/events"):
            self._stream()
        else:
            self._answer()

    def do_POST(self) -> None:
        """Read the body and answer."""
        self._remember()
        self._answer()

    def _remember(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))

    def _answer(self) -> None:
        self.server.ready.wait(30)
        if self.server.status is None:
            self.close_connection = True
            return
        content = json.dumps({"name": self.server.name}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Request-ID", self.headers.get("X-Request-ID") or "")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"data: one\n\n")
        self.wfile.flush()
        self.server.more.wait(30)
        with suppress(BrokenPipeError):
            self.wfile.write(b"data: two\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def address_string(self) -> str:
        """The peer of a socket file has no address."""
        return "local"
