"""Pure: API tokens and invitations → the HTML that shows them. All text from outside is escaped here."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from services.client.job import moment
from services.client.rest import Json
from services.ui.times import ago

NO_TOKENS = '<p class="fm-absent">You have no API token.</p>'
NO_INVITATIONS = '<p class="fm-absent">Nobody is invited.</p>'
#: What a token may do, in words.
MAY = {"read": "reads", "ask": "asks and reads"}


def made(what: str, secret: str) -> str:
    """A secret that was just made, with a button to copy it."""
    return (
        f'<section class="fm-notice idle fm-made" role="status" aria-label="{escape(what)}"><p><strong>{escape(what)}'
        f'</strong> Copy it now: it is not shown again.</p><p><code class="fm-md">{escape(secret)}</code>'
        f'<button type="button" class="fm-copy" data-copy aria-label="Copy: {escape(what)}">Copy</button></p></section>'
    )


def tokens(listed: Sequence[Json], now: datetime) -> str:
    """A user's API tokens, each with a way to revoke it."""
    if not listed:
        return NO_TOKENS
    items = "".join(_entry(token, escape(token["name"]), _of_token(token, now), "Revoke") for token in listed)
    return f'<ul class="fm-entries" aria-label="API tokens">{items}</ul>'


def _of_token(token: Json, now: datetime) -> list[str]:
    may = MAY["ask" if "ask" in token["scopes"] else "read"]
    used = f"last used {ago(token['last_used_at'], now)}" if token["last_used_at"] else "never used"
    return [may, f"made {ago(token['created_at'], now)}", used, _end(token["expires_at"], now)]


def invitations(listed: Sequence[Json], now: datetime) -> str:
    """The invitations there are, each with a way to withdraw or forget it."""
    if not listed:
        return NO_INVITATIONS
    items = "".join(_invitation(invitation, now) for invitation in listed)
    return f'<ul class="fm-entries" aria-label="Invitations">{items}</ul>'


def _invitation(invitation: Json, now: datetime) -> str:
    by = f"by {escape(invitation['created_by'])} {ago(invitation['created_at'], now)}"
    if invitation["used_at"]:
        title = f"Used by {escape(invitation['used_by'] or '')}"
        return _entry(invitation, title, [by, f"used {ago(invitation['used_at'], now)}"], "Forget")
    return _entry(invitation, "Not used yet", [by, _end(invitation["expires_at"], now)], "Withdraw")


def _end(expires_at: str | None, now: datetime) -> str:
    if expires_at is None:
        return "never expires"
    end = moment(expires_at)
    if end <= now:
        return '<span class="fm-state bad">expired</span>'
    return f'expires on <time datetime="{escape(expires_at)}">{end:%-d %B %Y}</time>'


def _entry(row: Json, title: str, facts: Sequence[str], act: str) -> str:
    told = "".join(f"<span>{fact}</span>" for fact in (f"<code>{escape(row['prefix'])}…</code>", *facts))
    return (
        f'<li class="fm-entry"><strong>{title}</strong><p>{told}</p>'
        f'<button type="button" class="fm-small" data-action="drop" data-subject="{row["id"]}">{act}'
        f'<span class="fm-spoken"> {title}, {escape(row["prefix"])}</span></button></li>'
    )
