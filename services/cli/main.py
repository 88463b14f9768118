"""A command from its words to its exit status; every error is a sentence on standard error."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..client.logins import SERVER, LoginError, Logins, server_of
from ..client.rest import GatewayError, SignedOut
from . import accounts, asking, reading
from .arguments import parser
from .exits import Exit, Stopped, exit_of
from .terminal import Terminal
from .user import User

COMMANDS: dict[str, Callable[[User], Exit]] = {
    "login": accounts.login,
    "logout": accounts.logout,
    "ask": asking.ask,
    "history": reading.history,
    "show": reading.show,
    "agents": reading.agents,
    "export": reading.export,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; `words` are those of the process if not given."""
    arguments = parser().parse_args(words)
    terminal = Terminal(sys.stdout, sys.stderr)
    try:
        server = server_of(arguments.server or os.environ.get("FOLKMOOT_URL") or SERVER)
        user = User(arguments, server, Logins(os.environ), terminal)
        status = COMMANDS[arguments.command](user)
        sys.stdout.flush()
        return status
    except (Stopped, LoginError) as error:
        terminal.complain(str(error))
        return error.status if isinstance(error, Stopped) else Exit.USAGE
    except GatewayError as error:
        _explain(terminal, error, server)
        return exit_of(error)
    except KeyboardInterrupt:
        return Exit.CANCELLED
    except BrokenPipeError:
        # Whoever read has seen enough, as `head` has; Python must not complain of it again at its end.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def _explain(terminal: Terminal, error: GatewayError, server: str) -> None:
    if error.fields:
        for field, detail in error.fields:
            terminal.complain(f"{field}: {detail}")
    elif error.status is None:
        terminal.complain(f"{error} ({server})")
    else:
        terminal.complain(str(error))
    if isinstance(error, SignedOut):
        terminal.complain(f"Sign in with: folkmoot login --server {server}")
