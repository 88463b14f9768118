"""How a command ended, as its exit status says it; README.md and `folkmoot --help` tell them."""

from enum import IntEnum

from ..client.rest import GatewayError, SignedOut, Unreachable


class Exit(IntEnum):
    """The exit statuses; 2 and 130 are those of every command line."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    UNREACHABLE = 4
    DEGRADED = 5
    NOT_FOUND = 6
    LIMIT = 7
    CANCELLED = 130


#: What each status means, for the help.
MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "the query failed, or something else went wrong",
    Exit.USAGE: "wrong usage, or a question that the server refuses as wrong",
    Exit.NOT_ALLOWED: "not signed in, or not allowed",
    Exit.UNREACHABLE: "the server cannot be reached",
    Exit.DEGRADED: "ask: there is a consensus, but part of the panel is missing",
    Exit.NOT_FOUND: "there is no such query",
    Exit.LIMIT: "a limit or a budget is used up",
    Exit.CANCELLED: "the query was cancelled, as by Ctrl-C",
}

#: Statuses of the gateway's answers.
_OF_ANSWERS = {
    400: Exit.USAGE,
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    422: Exit.USAGE,
    429: Exit.LIMIT,
}


class Stopped(Exception):
    """A command cannot go on; the text is a sentence for the user.

    Attributes:
        status: the exit status.
    """

    def __init__(self, sentence: str, status: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.status = status


def exit_of(error: GatewayError) -> Exit:
    """The exit status for what the gateway said, or that it said nothing."""
    if isinstance(error, SignedOut):
        return Exit.NOT_ALLOWED
    if isinstance(error, Unreachable):
        return Exit.UNREACHABLE
    return _OF_ANSWERS.get(error.status or 0, Exit.FAILED)
