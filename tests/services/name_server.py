"""A small real name server on 127.0.0.1: one name, with the IPv4 addresses that a test gives it."""

import socket
import struct
import threading
from types import TracebackType
from typing import Self

#: RFC 1035: a response with an answer, recursion available; a name pointing at offset 12; type A, class IN.
FLAGS = 0x8180
NAME_AT_12, TYPE_A, CLASS_IN = 0xC00C, 1, 1
HEADER_BYTES = 12


class NameServer:
    """Answers each question with its addresses, whatever name is asked for.

    Attributes:
        addresses: what it answers; changed at any time.
        asked: how many questions it has answered.
    """

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        """Answer until the end of the block."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while question := self._socket.recvfrom(512):
            query, client = question
            if not query:
                return
            addresses = self.addresses
            header = query[:2] + struct.pack("!5H", FLAGS, 1, len(addresses), 0, 0)
            answers = [
                struct.pack("!3HIH4s", NAME_AT_12, TYPE_A, CLASS_IN, 1, 4, socket.inet_aton(each)) for each in addresses
            ]
            self._socket.sendto(header + query[HEADER_BYTES:] + b"".join(answers), client)
            self.asked += 1
