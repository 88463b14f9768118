"""Pure: what the users of an installation have used → the table that shows it to admins."""

from decimal import Decimal
from html import escape

from services.client.rest import Json

NOBODY = '<p class="fm-absent">Nobody has used anything today.</p>'
DELETED = "deleted accounts"
COLUMNS = ("User", "Queries", "Calls", "Tokens", "Dollars")


def table(used: Json) -> str:
    """Who has used what today, whoever used most first."""
    rows = [one for one in used["users"] if one["calls"] or one["queries"]]
    if not rows:
        return NOBODY
    heads = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    return (
        f'<div class="fm-scroll" tabindex="0" role="region" aria-label="Usage today"><table class="fm-usage">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table></div>"
    )


def _row(one: Json) -> str:
    name = escape(one["username"]) if one["username"] else f"<em>{DELETED}</em>"
    queries = f"{one['queries']:,}" if one["username"] else "–"
    unpriced = f" + {one['unpriced_calls']:,} unpriced" if one["unpriced_calls"] else ""
    figures = (queries, f"{one['calls']:,}", f"{one['tokens']:,}", f"${_dollars(one['usd'])}{unpriced}")
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{figure}</td>" for figure in figures)}</tr>'


def _dollars(usd: str) -> str:
    """A tenth of a cent is exact enough for a look."""
    return f"{Decimal(usd):.3f}"
