"""Pure: pages of the history → the HTML that shows them. All text from outside is escaped here."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from services.client.rest import Json
from services.ui.domains import accent, mark
from services.ui.times import ago

#: A query's status in words; the tone picks its colour.
STATES = {"done": ("done", "good"), "failed": ("failed", "bad"), "cancelled": ("cancelled", "idle")}
NONE_YET = (
    '<div class="fm-empty"><h2>No questions yet</h2><p>What you ask is kept here, with every response and the '
    "consensus, until you delete it.</p></div>"
)
NONE_FOUND = (
    '<div class="fm-empty"><h2>No question fits</h2><p>None of yours contains these words and fits these filters.</p>'
    "</div>"
)


def entries(queries: Sequence[Json], now: datetime, *, opened: str, is_filtered: bool) -> str:
    """A page of the history, each question a link to it, the one on show marked."""
    if not queries:
        return NONE_FOUND if is_filtered else NONE_YET
    items = "".join(_entry(query, now, query["job_id"] == opened) for query in queries)
    return f'<ul class="fm-entries" aria-label="Earlier questions">{items}</ul>'


def _entry(query: Json, now: datetime, is_open: bool) -> str:
    job_id, text = escape(query["job_id"]), escape(shortened(query["query"]))
    state, tone = STATES.get(query["status"], ("running", "live"))
    kind = "" if query["question_type"] == "None" else f"<span>{escape(query['question_type'])}</span>"
    current = ' aria-current="true"' if is_open else ""
    return (
        f'<li class="fm-entry {accent(query["domain"])}">'
        f'<a href="/?job={job_id}" data-action="select" data-subject="{job_id}"{current}>{text}</a>'
        f"<p>{mark(query['domain'])}{kind}{ago(query['created_at'], now)}"
        f'<span class="fm-state {tone}">{state}</span></p>'
        f'<button type="button" class="fm-small" data-action="delete" data-subject="{job_id}" data-text="{text}"'
        f' aria-label="Delete: {text}">Delete</button></li>'
    )


def undoable(deleted: Sequence[Json]) -> str:
    """What was deleted just now, each with a way back."""
    return "".join(
        f'<p class="fm-notice idle"><span>Deleted: <q>{escape(shortened(query["query"]))}</q></span>'
        f'<button type="button" class="fm-small" data-action="undo" data-subject="{escape(query["job_id"])}">Undo'
        f'<span class="fm-spoken"> deleting {escape(shortened(query["query"]))}</span></button></p>'
        for query in deleted
    )


def shortened(question: str, length: int = 160) -> str:
    """A question in one line."""
    text = " ".join(question.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
