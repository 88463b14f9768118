"""Ctrl-C while a query is watched: heard even where Python drops it."""

import signal
from types import FrameType, TracebackType
from typing import Self


class Interrupts:
    """A context that ends by `KeyboardInterrupt` once Ctrl-C was pressed in it.

    Python raises it in the main thread wherever that stands, and drops what is raised in a finaliser; `seen` is still
    true then, for the loop inside to end by.
    """

    def __init__(self) -> None:
        """Nothing has been pressed."""
        self.seen = False

    def __enter__(self) -> Self:
        """Listen."""
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        signal.signal(signal.SIGINT, self._before)
        if kind is None and self.seen:
            raise KeyboardInterrupt
