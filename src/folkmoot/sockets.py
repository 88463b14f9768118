"""What an idle connection tells without being asked."""

import select
from typing import Protocol


class HasDescriptor(Protocol):
    """A socket, or what holds one."""

    def fileno(self) -> int:
        """Its file descriptor."""


def has_something_to_say(connection: HasDescriptor) -> bool:
    """Whether something has come over a connection that nobody has asked anything; mostly it is a farewell."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
