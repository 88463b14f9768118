"""Signing in and out."""

import getpass
import sys

from ..client.logins import Login
from ..client.rest import GatewayError, SignedOut
from .exits import Exit, Stopped
from .user import User


def login(user: User) -> Exit:
    """Keep a token for the server, once it has proved good."""
    token = _secret("API token: ") if user.arguments.token else _session(user)
    try:
        username = str(user.gateway.whose(token)["username"])
    except SignedOut as error:
        raise Stopped(f"{user.server} does not know this token.", Exit.NOT_ALLOWED) from error
    user.logins.keep(user.server, Login(token, username))
    user.terminal.say(f"Signed in to {user.server} as {username}.")
    return Exit.DONE


def logout(user: User) -> Exit:
    """End the session on the server, and forget its token; one of an API token is only forgotten."""
    login = user.logins.find(user.server)
    if login is None:
        user.terminal.say(f"You are not signed in to {user.server}.")
        return Exit.DONE
    user.logins.forget(user.server)
    # What is forgotten here is forgotten, whatever the server says.
    try:
        user.gateway.sign_out(login.token)
    except SignedOut:
        pass
    except GatewayError as error:
        user.terminal.tell(f"The token is forgotten here; the server did not end it: {error}")
    user.terminal.say(f"Signed out of {user.server}.")
    return Exit.DONE


def _session(user: User) -> str:
    username = user.arguments.username or _line("Username: ")
    return str(user.gateway.sign_in(username, _secret("Password: "))["token"])


def _line(prompt: str) -> str:
    if sys.stdin.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return _given(sys.stdin.readline(), prompt)


def _secret(prompt: str) -> str:
    """Typed unseen at a terminal, else the next line of standard input; never an argument, which others can see."""
    return _given(getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(), prompt)


def _given(line: str, prompt: str) -> str:
    if not (text := line.rstrip("\r\n")).strip():
        raise Stopped(f"Nothing was given for: {prompt.rstrip(': ')}.")
    return text
