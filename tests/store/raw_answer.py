"""A socket that answers every request with the bytes it was given: what no well-behaved model server would send."""

import json
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


class RawAnswer:
    """Listens while it is entered.

    Args:
        pieces: what it sends, `pause_s` apart; an iterator that never ends sends until the client leaves.
        holds: whether it then waits for the client to leave, instead of closing the connection.
    """

    def __init__(self, pieces: Iterable[bytes], *, pause_s: float = 0.0, holds: bool = False) -> None:
        self._pieces, self._pause_s, self._holds = pieces, pause_s, holds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="raw-answer", daemon=True)
        #: Set once a client has closed its connection before we did.
        self.was_left = threading.Event()
        #: What the newest request said, head and body.
        self.request = b""

    def __enter__(self) -> "RawAnswer":
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """The base URL as an OpenAI client wants it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                try:
                    self._answer(connection)
                except OSError:
                    self.was_left.set()

    def _answer(self, connection: socket.socket) -> None:
        self.request = _request(connection)
        for piece in self._pieces:
            connection.sendall(piece)
            time.sleep(self._pause_s)
        if self._holds and not connection.recv(1):
            self.was_left.set()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def head(content_type: str = "text/event-stream", status: str = "200 OK") -> bytes:
    """The head of an answer whose body ends with the connection."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode()


def data(content: Any) -> bytes:
    """One event of a stream; a string is sent as it is."""
    return f"data: {content if isinstance(content, str) else json.dumps(content)}\n\n".encode()


def chunk(text: Any, **more: Any) -> dict[str, Any]:
    """One piece of a streamed completion."""
    return {"model": "raw", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **more}


def stream(*contents: Any, is_done: bool = True) -> list[bytes]:
    """A streamed answer of these events."""
    return [head(), *(data(one) for one in contents), *([data("[DONE]")] if is_done else [])]
