"""Who gives a command, to which server, and where its answer goes."""

import argparse
from dataclasses import dataclass, field

from ..client.logins import Logins
from ..client.rest import Gateway
from .exits import Exit, Stopped
from .terminal import Terminal


@dataclass(frozen=True)
class User:
    """What every command works with."""

    arguments: argparse.Namespace
    server: str
    logins: Logins
    terminal: Terminal
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        """Make the client of the server; nothing is asked of it yet."""
        object.__setattr__(self, "gateway", Gateway(self.server))

    @property
    def token(self) -> str:
        """The token for this server.

        Raises:
            Stopped: there is none.
        """
        login = self.logins.find(self.server)
        if login is None:
            raise Stopped(
                f"You are not signed in to {self.server}; sign in with: folkmoot login --server {self.server}",
                Exit.NOT_ALLOWED,
            )
        return login.token

    def job(self, named: str) -> str:
        """The job_id that was named; `last` is that of the newest query.

        Raises:
            Stopped: there is no query yet.
        """
        if named != "last":
            return named
        queries = self.gateway.history(self.token, 1)["queries"]
        if not queries:
            raise Stopped("You have asked nothing yet.", Exit.NOT_FOUND)
        return str(queries[0]["job_id"])
