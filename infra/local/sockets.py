"""HTTP over a socket in the file system."""

import http.client
import socket
import xmlrpc.client  # nosec B411 # what supervisord of our own says
from pathlib import Path
from typing import Any


class UnixConnection(http.client.HTTPConnection):
    """A connection to whoever listens on this path."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        """Connect at the first request."""
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect to the path instead of host and port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_s)
        self.sock.connect(str(self._path))


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a path."""

    def __init__(self, path: Path) -> None:
        """Speak with whoever listens on this path."""
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        """A new connection for each call: calls are rare."""
        connection = UnixConnection(self._path, timeout_s=5)
        self._connection = str(host), connection
        return connection

    def single_request(self, *args: Any, **kwargs: Any) -> Any:
        """Make one call, and close its connection whatever comes of it."""
        try:
            return super().single_request(*args, **kwargs)
        finally:
            self.close()
