"""The page of earlier questions: searched, filtered, turned over, opened, deleted, and for a moment brought back."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from services.client.job import moment
from services.client.rest import Gateway, GatewayError, Json, Refused, SignedOut, Unreachable
from services.ui import entries, render
from services.ui.account import Updates

#: Questions on a page.
LENGTH = 20
#: A deletion can be undone for so long, in seconds; the page offers it a little shorter than the gateway grants it.
UNDO_S, OFFERED_S = 12, 10
#: The list is read anew this often while it is on show, in seconds.
EVERY_S = 2.0

ANY = "All"
#: What a filter is called, and what the gateway calls it.
STANDINGS = {ANY: "", "Done": "done", "Running": "open", "Failed": "failed", "Cancelled": "cancelled"}


class Wanted(NamedTuple):
    """Which part of the history is on show, in the order of `History.wanted`.

    Attributes:
        cursors: where each page so far began, the one on show last; the first is empty.
        deleted: what was deleted lately: `job_id`, `query`, and `until` when it is offered back.
        opened: `job_id` of the query on show.
    """

    search: str
    standing: str
    domain: str
    cursors: list[str]
    deleted: list[Json]
    opened: Json

    @property
    def is_filtered(self) -> bool:
        """Whether not all are wanted."""
        return bool(self.search.strip()) or (self.standing, self.domain) != (ANY, ANY)


class History:
    """The page of earlier questions.

    Attributes:
        wanted: the components whose values `Wanted` takes.
        changed: what its steps may change.
    """

    def __init__(self, gateway: Gateway, opened: Component) -> None:
        """Draw the page, still empty, into the page being built."""
        self._gateway = gateway
        self.timer = gr.Timer(EVERY_S, active=False)
        self.cursors, self.deleted = gr.State([""]), gr.State([])
        self.following = gr.State("")
        with gr.Row(elem_id="fm-filters"):
            self.search = gr.Textbox(
                label="Search", placeholder="Words of a question", max_lines=1, scale=3, min_width=200,
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )  # fmt: skip
            self.standing = gr.Dropdown(label="Status", choices=list(STANDINGS), value=ANY, min_width=120)
            self.domain = gr.Dropdown(label="In domain", choices=[ANY], value=ANY, min_width=120)
        self.away, self.notice = gr.HTML("", js_on_load=None), gr.HTML("", js_on_load=None)
        self.undo = gr.HTML("", js_on_load='folkmootActions(element, trigger, "undo")', elem_id="fm-undo")
        self.list = gr.HTML(
            "", js_on_load='folkmootActions(element, trigger, "select", "delete")', elem_id="fm-history"
        )
        with gr.Row(elem_classes="fm-turn"):
            self.newer = gr.Button("Newer", size="sm", scale=0, min_width=90, visible=False)
            self.older = gr.Button("Older", size="sm", scale=0, min_width=90, visible=False)
        self.filters = [self.search, self.standing, self.domain]
        self.wanted: list[Component] = [*self.filters, self.cursors, self.deleted, opened]
        shown = [self.away, self.notice, self.undo, self.list, self.newer, self.older]
        self.changed = [self.timer, self.following, *self.filters, self.cursors, self.deleted, *shown]

    def fill(self, catalogue: Json) -> Updates:
        """Offer the domains there are."""
        return {self.domain: gr.Dropdown(choices=[ANY, *catalogue["domains"]], value=ANY)}

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        cleared: Updates = dict.fromkeys([self.away, self.notice, self.undo, self.list, self.search], "")
        hidden: Updates = {button: gr.Button(visible=False) for button in (self.newer, self.older)}
        chosen: Updates = {self.standing: ANY, self.domain: ANY, self.cursors: [""], self.deleted: []}
        return cleared | hidden | chosen | self.rest()

    def rest(self) -> Updates:
        """Read nothing anew while another page is on show."""
        return {self.timer: gr.Timer(active=False)}

    def show(self, token: str, wanted: Wanted) -> Updates:
        """The part that is wanted, as it is now.

        Raises:
            SignedOut: the session has ended.
        """
        now = datetime.now(UTC)
        deleted = [query for query in wanted.deleted if moment(query["until"]) > now]
        offered: Updates = {self.undo: entries.undoable(deleted), self.timer: gr.Timer(active=True)}
        try:
            page = self._gateway.history(token, LENGTH, **_filters(wanted))
        except SignedOut:
            raise
        except GatewayError as error:
            return offered | {self.away: render.notice(f"{error} What is shown here may be out of date.")}
        listed = entries.entries(page["queries"], now, opened=wanted.opened["job_id"], is_filtered=wanted.is_filtered)
        return offered | {
            self.away: "",
            self.list: listed,
            self.following: page["next_cursor"] or "",
            self.newer: gr.Button(visible=len(wanted.cursors) > 1),
            self.older: gr.Button(visible=page["next_cursor"] is not None),
        }

    def find(self, token: str, wanted: Wanted) -> Updates:
        """The first page of what is wanted now."""
        return {self.cursors: [""], self.notice: ""} | self.show(token, wanted._replace(cursors=[""]))

    def turn(self, token: str, wanted: Wanted, cursors: list[str]) -> Updates:
        """Another page: the one that the last of these cursors leads to."""
        return {self.cursors: cursors} | self.show(token, wanted._replace(cursors=cursors))

    def delete(self, token: str, wanted: Wanted, job_id: str) -> Updates:
        """Delete a query, and offer to bring it back."""
        try:
            text = self._gateway.query(token, job_id)["query"]
            self._gateway.delete(token, job_id, UNDO_S)
        except (Refused, Unreachable) as error:
            return self.show(token, wanted) | {self.notice: render.notice(str(error))}
        until = datetime.fromtimestamp(datetime.now(UTC).timestamp() + OFFERED_S, UTC).isoformat()
        deleted = [*wanted.deleted, {"job_id": job_id, "query": text, "until": until}]
        return {self.deleted: deleted, self.notice: ""} | self.show(token, wanted._replace(deleted=deleted))

    def bring_back(self, token: str, wanted: Wanted, job_id: str) -> Updates:
        """Take a deletion back."""
        told: Updates = {self.notice: ""}
        try:
            self._gateway.restore(token, job_id)
        except (Refused, Unreachable) as error:
            told = {self.notice: render.notice(str(error))}
        deleted = [query for query in wanted.deleted if query["job_id"] != job_id]
        return {self.deleted: deleted} | self.show(token, wanted._replace(deleted=deleted)) | told


def _filters(wanted: Wanted) -> dict[str, Any]:
    domain = "" if wanted.domain == ANY else wanted.domain
    sought = {"q": wanted.search.strip(), "status": STANDINGS[wanted.standing], "domain": domain}
    return {name: value for name, value in (sought | {"cursor": wanted.cursors[-1]}).items() if value}
