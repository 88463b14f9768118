"""The gunicorn worker of a gateway: an answer's head leaves with the first piece of its body, not before.

gunicorn's first process loads this to know what to start, so it imports nothing of the gateway's own.
"""

import select
import threading
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import ThreadWorker

from folkmoot.garbage import keep_what_is_there

#: For so long a thread that has answered waits for the connection's next request, before the worker's first thread,
#: which hands each request on to another, waits for it.
STAYS_MS = 50
#: The share of the threads that may wait so at once: those that streams leave free are needed by everything else.
STAYING = 1 / 8


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


class QuietLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, but for a line on each request, which nginx writes."""

    def access(self, *_request: Any) -> None:
        """Write nothing; gunicorn would gather all that could be in a line before it finds that nobody wants one."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, answering in one piece; a thread stays with a connection that is busy."""

    def init_process(self) -> Any:
        """Serve; gunicorn has no setting for the class of its answers."""
        wsgi.Response = OnePieceResponse
        self._stays = threading.BoundedSemaphore(int(self.cfg.threads * STAYING))
        return super().init_process()

    def run(self) -> None:
        """Take requests, now that the gateway is loaded."""
        keep_what_is_there()
        super().run()

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow it soon on the same connection.

        To hand a connection back and take it again wakes the first thread and another for each request.
        """
        kept = super().handle(conn)
        while kept is True and self._follows(conn):
            kept = super().handle(conn)
        return kept

    def _follows(self, conn: Any) -> bool:
        """Whether another request comes while this thread may wait for it."""
        if conn.parser.unreader.buf.getvalue():
            # It came with the one before, so the connection has nothing more to say.
            return True
        if not self.alive or not self._stays.acquire(blocking=False):
            return False
        try:
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            return bool(poll.poll(STAYS_MS))
        finally:
            self._stays.release()

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can take another request: nothing of the body may be left, as is so of nearly all."""
        return keepalive and (_is_read(conn.parser.mesg.body.reader) or super()._keepalive_after(conn, keepalive))


def _is_read(reader: Any) -> bool:
    """Whether a body has been read to its end; to find that out by reading sets the socket's timeout twice."""
    return isinstance(reader, LengthReader) and reader.length == 0
