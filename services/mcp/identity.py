"""Whose token a call of a tool carries on to the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..client.logins import Logins


class NotSignedIn(Exception):
    """There is no token; the text is a sentence for the user."""


@dataclass(frozen=True)
class Identity:
    """Finds the token for a call.

    Attributes:
        server: whose token it is.
        shared: whether the login of this machine's user stands in for a caller's own, as it does on stdio.
    """

    server: str
    logins: Logins
    shared: bool

    def token(self, headers: Mapping[str, str] | None) -> str:
        """The caller's own token, else, where it is shared, that of this machine's user.

        Raises:
            NotSignedIn: there is none.
        """
        scheme, _, token = (headers or {}).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        if not self.shared:
            raise NotSignedIn("Send an API token of Folkmoot as `Authorization: Bearer …`.")
        login = self.logins.find(self.server)
        if login is None:
            raise NotSignedIn(f"Set FOLKMOOT_TOKEN, or sign in with: folkmoot login --server {self.server}")
        return login.token
