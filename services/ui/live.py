"""The side of the page where a query is seen: its progress, its columns, its consensus, what was measured of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count

import gradio as gr

from services.client.job import Job
from services.client.rest import Gateway, Json, Refused, SignedOut
from services.client.watch import watch
from services.ui import charts, findings, render
from services.ui.account import Updates
from services.ui.memory import Memory


class Live:
    """What is seen of one query.

    Attributes:
        changed: what its steps may change.
    """

    def __init__(self, gateway: Gateway, memory: Memory) -> None:
        """Draw the side, still empty, into the page being built."""
        self._gateway = gateway
        self._memory = memory
        self._serials = count()
        #: The newest watching of each browser tab, with whose session and which job; an older one ends when it is not.
        self._watching: dict[str, tuple[int, str, str]] = {}
        self.heading = gr.HTML(render.EMPTY, js_on_load=None)
        with gr.Row(elem_classes="fm-line"):
            self.progress = gr.HTML("", js_on_load=None)
            self.cancel_button = gr.Button("Cancel", size="sm", visible=False, scale=0, min_width=90)
        with gr.Tabs(visible=False, elem_id="fm-views") as self.views:
            with gr.Tab("Answer"):
                self.board = gr.HTML("", js_on_load=None)
                self.answer = gr.HTML("", js_on_load=None)
                self.findings = gr.HTML("", js_on_load=None)
            with gr.Tab("Analysis"):
                self.charts = gr.HTML("", js_on_load=None)
        with gr.Row(visible=False, elem_id="fm-next") as self.next:
            self.follow_up_button = gr.Button("Ask a follow-up", size="sm", scale=0, min_width=150)
            self.again_button = gr.Button("Ask again with other roles", size="sm", scale=0, min_width=220)
            self.afresh_button = gr.Button("Ask afresh", size="sm", scale=0, min_width=120)
            self.links = gr.HTML("", js_on_load=None)
        self._texts = [self.heading, self.progress, self.board, self.answer, self.findings, self.charts, self.links]
        panes = [self.cancel_button, self.follow_up_button, self.views, self.next]
        self.changed = [memory.opened, *self._texts, *panes]

    def begin(self, resource: Json, seats: list[str]) -> Updates:
        """Show a query the moment it was accepted."""
        return self.picture(Job(resource, seats)) | {self._memory.opened: {"job_id": resource["job_id"]}}

    def clear(self) -> Updates:
        """Show no query."""
        cleared: Updates = dict.fromkeys(self._texts, "")
        hidden: Updates = {part: gr.update(visible=False) for part in (self.cancel_button, self.views, self.next)}
        return {self._memory.opened: {"job_id": ""}} | cleared | hidden | {self.heading: render.EMPTY}

    def picture(self, job: Job) -> Updates:
        """All that is shown of a query as it stands."""
        return {
            self.heading: render.heading(job),
            self.progress: render.progress(job, datetime.now(UTC)),
            self.board: render.board(job),
            self.answer: render.answer(job),
            self.findings: findings.findings(job),
            self.charts: charts.charts(job),
            self.links: render.links(job),
            self.cancel_button: gr.update(visible=not job.ended),
            self.follow_up_button: gr.update(visible=job.status == "done"),
            self.views: gr.update(visible=True),
            self.next: gr.update(visible=job.ended),
        }

    def forget(self, tab: str) -> None:
        """End what the tab watches."""
        self._watching.pop(tab, None)

    async def follow(self, tab: str, token: str, job_id: str) -> AsyncIterator[Updates]:
        """Show a query as it comes forward, until it ends or the tab shows another.

        Raises:
            GatewayError: the query cannot be shown.
        """
        if self._watching.get(tab, (0, "", ""))[1:] == (token, job_id):
            return
        mine = self._watching[tab] = (next(self._serials), token, job_id)
        shown: Updates = {}
        try:
            seats = await asyncio.to_thread(self._gateway.seats)
            async for job in watch(self._gateway, token, job_id):
                if self._watching.get(tab) != mine:
                    return
                job.seats = seats
                picture = self.picture(job)
                # Gradio takes an empty answer for a wrong one.
                if news := {pane: value for pane, value in picture.items() if shown.get(pane) != value}:
                    yield news
                shown = picture
        except SignedOut:
            # Whoever has signed in again meanwhile must not be shown out for the session before.
            if self._watching.get(tab) == mine:
                raise
        except Refused as error:
            yield self.clear() | {self.heading: render.notice(str(error)) + render.EMPTY}
        finally:
            if self._watching.get(tab) == mine:
                del self._watching[tab]
