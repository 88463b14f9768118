"""Ctrl-C while a query is watched."""

import os
import signal

import pytest

from services.cli.interrupts import Interrupts


class Interrupting:
    """Presses Ctrl-C in its own finaliser, where Python drops what is raised."""

    def __del__(self) -> None:
        """Press it."""
        os.kill(os.getpid(), signal.SIGINT)


def test_interrupt_ends_what_goes_on() -> None:
    """Where Python can raise it, it is raised at once, and the handler before is back."""
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), Interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it went on")

    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupt_that_python_drops_is_heard_all_the_same() -> None:
    """In a finaliser nothing can be raised; the loop sees it, and the context ends by it."""
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        one = Interrupting()
        assert not interrupts.seen
        del one
        assert interrupts.seen
