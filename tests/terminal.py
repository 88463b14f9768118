"""A program in a pseudo-terminal, and the screen as its user sees it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from tests.stack import eventually

ROOT = Path(__file__).parents[1]


class OnScreen:
    """A program that runs in a terminal of its own; ended at the end of the block."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], columns: int = 100) -> None:
        self._screen = pyte.Screen(columns, 40)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        #: All that the program has written, codes and all.
        self.raw = b""

        environment = {**environment, "TERM": "xterm-256color"}
        # The terminal becomes its controlling one, which turns Ctrl-C into SIGINT.
        words = ["setsid", "--ctty", *words]
        self._program = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment)
        os.close(slave)

    def __enter__(self) -> Self:
        """The program runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, if it has not ended."""
        if self._program.poll() is None:
            self._program.send_signal(signal.SIGKILL)
        self._program.wait(10)
        os.close(self._master)

    def text(self) -> str:
        """The screen as it is now."""
        while select.select([self._master], [], [], 0)[0]:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                # A terminal whose last program has ended.
                break
            self.raw += piece
            self._stream.feed(piece)
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, *words: str, deadline_s: float = 30) -> str:
        """Wait until the screen shows all of these at once; returns it."""
        seen = ""

        def shown() -> bool:
            nonlocal seen
            seen = self.text()
            return all(word in seen for word in words)

        try:
            eventually(shown, deadline_s, f"{words} on the screen")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{seen}") from None
        return seen

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def status(self, deadline_s: float = 30) -> int:
        """Wait for the end; returns the exit status."""
        eventually(lambda: self.text() is not None and self._program.poll() is not None, deadline_s, "it ends")
        return int(self._program.returncode)
