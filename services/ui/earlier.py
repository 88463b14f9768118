"""The line under the question that says whether the user has asked it before, in these words or others."""

import asyncio
from datetime import UTC, datetime
from html import escape

import gradio as gr

from services.client.rest import Gateway, GatewayError, Json
from services.ui import session
from services.ui.entries import shortened
from services.ui.times import ago

#: Typing goes on for at least so many seconds before the next look.
PAUSE_S = 0.6
#: What a look goes by, of the body of a query.
COMPARED = ("query", "domain", "question_type", "roles")


class Earlier:
    """The line, empty while nothing is known.

    Attributes:
        line: the component.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Draw it into the page being built."""
        self._gateway = gateway
        self.line = gr.HTML("", elem_id="fm-earlier", js_on_load=None)

    async def look(self, body: Json, opened: Json, request: gr.Request) -> str:
        """The line for a query that would be asked; a hint only, so that what fails leaves it empty."""
        await asyncio.sleep(PAUSE_S)
        if not body["query"].strip() or body["parent_job_id"]:
            return ""
        compared = {name: body[name] for name in COMPARED}
        try:
            found = await asyncio.to_thread(self._gateway.suggestion, session.token_of(request), compared)
        except GatewayError:
            return ""
        return "" if found is None or found["job_id"] == opened["job_id"] else line(found, datetime.now(UTC))


def line(found: Json, now: datetime) -> str:
    """When it was asked, and a link to what came of it."""
    return (
        f'<p class="fm-notice idle" role="status">You asked this before, {ago(found["asked_at"], now)}: '
        f'<a href="/?job={escape(found["job_id"])}">{escape(shortened(found["query"]))}</a></p>'
    )
