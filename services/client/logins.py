"""Whose token goes to which server: a file that only its owner can read, and two variables."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SERVER = "http://localhost:8080"


class LoginError(Exception):
    """The server's address or the file of tokens is no good; the text is a sentence for the user."""


@dataclass(frozen=True)
class Login:
    """A token, and the name of the user whose it is."""

    token: str
    username: str = ""


def server_of(address: str) -> str:
    """The address of a server in the one form under which its token is kept.

    Raises:
        LoginError: it is none.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise LoginError(f"{address!r} is no address: give one such as {SERVER}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise LoginError(f"{address!r} is not the address of a server: give one such as {SERVER}.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}{f':{port}' if port and port != default else ''}{parts.path.rstrip('/')}"


class Logins:
    """The tokens of one user of this machine, by server.

    Args:
        environment: `FOLKMOOT_TOKEN` goes before what is kept, but only to the server that `FOLKMOOT_URL` names, or the
            default; `XDG_CONFIG_HOME` says where it is kept.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        folder = environment.get("XDG_CONFIG_HOME") or str(
            Path(environment.get("HOME") or "~").expanduser() / ".config"
        )
        self.path = Path(folder) / "folkmoot" / "logins.json"
        self._token = environment.get("FOLKMOOT_TOKEN", "").strip()
        self._token_is_for = environment.get("FOLKMOOT_URL") or SERVER

    def find(self, server: str) -> Login | None:
        """The token for this server and no other, or None.

        Raises:
            LoginError: the file cannot be read.
        """
        if self._token and server == server_of(self._token_is_for):
            return Login(self._token)
        kept = self._read().get(server)
        return Login(kept["token"], kept.get("username", "")) if kept else None

    def keep(self, server: str, login: Login) -> None:
        """Keep the token for this server."""
        self._write(self._read() | {server: {"token": login.token, "username": login.username}})

    def forget(self, server: str) -> None:
        """Keep no token for this server any more."""
        self._write({kept: login for kept, login in self._read().items() if kept != server})

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(server): {"token": str(login["token"]), **login} for server, login in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise LoginError(f"{self.path} cannot be read; remove it and sign in again.") from error

    def _write(self, logins: dict[str, dict[str, str]]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made for its owner alone from the first moment, and put in its place whole.
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".logins-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(logins, file, indent=2)
            Path(name).replace(self.path)
        except OSError as error:
            raise LoginError(f"{self.path} cannot be written: {error.strerror}.") from error
