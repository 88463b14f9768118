"""The gunicorn worker of a gateway: an answer's head leaves with the first piece of its body, not before.

gunicorn's first process loads this to know what to start, so it imports nothing of the gateway's own.
"""

from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from folkmoot.garbage import keep_what_is_there


class OnePieceResponse(wsgi.Response):  # type: ignore[misc]
    """Sends head and first piece at once: killed between the two, a replica would leave nginx half an answer.

    nginx asks another replica as long as it has read nothing; from the first byte on, the request is lost.
    """

    headers_sent: bool
    _head = b""

    def send_headers(self) -> None:
        """Keep the head until there is a body to send with it, or none is to come."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
        self._head = "".join(lines).encode("latin-1")
        self.headers_sent = True

    def _emit_body(self, data: bytes) -> None:
        framed = b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data
        self._send(framed)

    def close(self) -> None:
        """End the answer, with its head if it has no body."""
        self.send_headers()
        self._send(b"0\r\n\r\n" if self.chunked else b"")

    def _send(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or data:
            self.sock.sendall(head + data)


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, answering in one piece."""

    def init_process(self) -> Any:
        """Serve; gunicorn has no setting for the class of its answers."""
        wsgi.Response = OnePieceResponse
        return super().init_process()

    def run(self) -> None:
        """Take requests, now that the gateway is loaded."""
        keep_what_is_there()
        super().run()
