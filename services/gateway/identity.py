"""Who is asking: every address wants a token, except those that are public."""

from ipaddress import ip_address

from flask import current_app, g, request

from folkmoot import accounts, tokens
from folkmoot.accounts import Account, Policy
from folkmoot.errors import NotAllowed, NotSignedIn
from folkmoot.runtime import Runtime, utcnow
from folkmoot.tokens import Scope

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
#: What an API token needs for an endpoint; a session may do everything that its user may. Where it says None only a
#: session will do: to make tokens, to change the password, to leave, to take everything along, and to work as an admin.
#: So it is where nothing is said.
SCOPES: dict[str, Scope | None] = {
    "users.show_session": "read",
    "users.sign_out": None,
    "users.change_password": None,  # nosec B105
    "users.leave": None,
    "users.export_own": None,
    "tokens.create": None,
    "tokens.list_own": None,
    "tokens.revoke": None,
    "provider_keys.show_key": None,
    "provider_keys.put_key": None,
    "provider_keys.delete_key": None,
    "usage.show_usage": "read",
    "usage.show_users": None,
    "invitations.create": None,
    "invitations.list_all": None,
    "invitations.withdraw": None,
    "queries.submit": "ask",
    "queries.list_queries": "read",
    "queries.show_query": "read",
    "queries.cancel": "ask",
    "queries.delete": "ask",
    "queries.restore": "ask",
    "suggestions.suggest": "read",
    "charts.show_chart": "read",
    "exports.export": "read",
    "events.follow": "read",
    "agents.list_agents": "read",
    "agents.list_incidents": "read",
    "agents.reset": None,
    "completions.list_models": "read",
    "completions.show_model": "read",
    "completions.complete": "ask",
}


def check() -> None:
    """Find the account of the request's token, and what the token may do, before anything else is looked at.

    Raises:
        NotSignedIn: the address wants a token and there is no valid one.
        NotAllowed: it is an API token, which may not do this.
    """
    if request.endpoint is None or request.endpoint in PUBLIC or request.blueprint in ("openapi", "swagger"):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn("Sign in first, and send the token as `Authorization: Bearer <token>`.")
    g.token = token.strip()
    db, admins = runtime().db, runtime().settings.admin_names
    if not tokens.is_one(g.token):
        g.account = accounts.whose(db, g.token, now=utcnow(), admins=admins)
        return
    g.account, scopes = tokens.whose(db, g.token, now=utcnow(), admins=admins)
    _check_scope(SCOPES.get(request.endpoint), scopes)


def _check_scope(wanted: Scope | None, scopes: frozenset[Scope]) -> None:
    if wanted is None:
        raise NotAllowed("No API token may do this. Sign in with username and password, and send the session's token.")
    # Who may ask may read what comes of it.
    if wanted not in scopes and "ask" not in scopes:
        raise NotAllowed(f"This takes an API token with the scope `{wanted}`; this one has {_named(scopes)}.")


def _named(scopes: frozenset[Scope]) -> str:
    return " and ".join(f"`{scope}`" for scope in sorted(scopes)) or "none"


def address() -> str:
    """From where the request came: what nginx says, which hides every client behind its own address.

    nginx overwrites the header, and reaches the gateway by a socket file or from a private network; whoever comes from
    elsewhere says of themselves what they like.
    """
    peer = request.remote_addr or ""
    if not peer or ip_address(peer).is_private:
        return request.headers.get("X-Real-IP") or peer
    return peer


def runtime() -> Runtime:
    """The collaborators of the app that serves this request."""
    found: Runtime = current_app.extensions["folkmoot"]
    return found


def policy() -> Policy:
    """Who may sign up here, and who is an admin."""
    settings = runtime().settings
    return Policy(settings.sign_up, settings.admin_names)


def account() -> Account:
    """The signed-in account of this request."""
    found: Account = g.account
    return found


def token() -> str:
    """The token that came with this request; a session's, where no API token may come."""
    found: str = g.token
    return found


def admin() -> Account:
    """The signed-in account, when it is an admin.

    Raises:
        NotAllowed: it is not.
    """
    found = account()
    if not found.is_admin:
        raise NotAllowed("Only an admin may do this: the first account of an installation, or those its settings name.")
    return found
