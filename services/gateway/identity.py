"""Who is asking: every address wants a token, except those that are public."""

from flask import current_app, g, request

from folkmoot import accounts
from folkmoot.accounts import Account
from folkmoot.errors import NotAllowed, NotSignedIn
from folkmoot.runtime import Runtime, utcnow

#: Endpoints that anybody may call.
PUBLIC = {
    "users.sign_up",
    "users.sign_in",
    "catalogue.show_catalogue",
    "system.healthz",
    "system.readyz",
    "documents.document",
    "documents.page",
    "metrics.show",
}


def check() -> None:
    """Find the account of the request's token before anything else is looked at.

    Raises:
        NotSignedIn: the address wants a token and there is no valid one.
    """
    if request.endpoint is None or request.endpoint in PUBLIC or request.blueprint in ("openapi", "swagger"):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn("Sign in first, and send the token as `Authorization: Bearer <token>`.")
    g.token = token.strip()
    g.account = accounts.whose(runtime().db, g.token, now=utcnow())


def runtime() -> Runtime:
    """The collaborators of the app that serves this request."""
    found: Runtime = current_app.extensions["folkmoot"]
    return found


def account() -> Account:
    """The signed-in account of this request."""
    found: Account = g.account
    return found


def token() -> str:
    """The session token that came with this request."""
    found: str = g.token
    return found


def admin() -> Account:
    """The signed-in account, when it is an admin.

    Raises:
        NotAllowed: it is not.
    """
    found = account()
    if not found.is_admin:
        raise NotAllowed("Only an admin may do this; the first account of an installation is one.")
    return found
