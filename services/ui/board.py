"""The page of the agents: how each is, what happened to them, and for admins a way to have errors forgotten."""

from datetime import UTC, datetime

import gradio as gr

from services.client.rest import Gateway, GatewayError, Json, Refused, SignedOut, Unreachable
from services.ui import health, render
from services.ui.account import Updates

#: The board is read anew this often while it is on show, in seconds; the heartbeat service writes it as often.
EVERY_S = 2.0
#: Incidents on show, and how many more at a time; the gateway gives at most `MOST`.
SHOWN, MOST = 20, 100

INTRODUCTION = (
    '<p class="fm-absent">What the heartbeat service sees of each seat, and of the calls to its model. '
    "This page keeps itself up to date.</p>"
)


class Board:
    """The page of the agents.

    Attributes:
        changed: what its steps may change.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Draw the page, still empty, into the page being built."""
        self._gateway = gateway
        self.timer = gr.Timer(EVERY_S, active=False)
        self.shown = gr.State(SHOWN)
        gr.HTML(INTRODUCTION, js_on_load=None)
        self.away, self.notice = gr.HTML("", js_on_load=None), gr.HTML("", js_on_load=None)
        self.seats = gr.HTML("", js_on_load='folkmootActions(element, trigger, "reset")', elem_id="fm-agents")
        gr.HTML('<h2 class="fm-title">Timeline</h2>', js_on_load=None)
        self.timeline = gr.HTML("", js_on_load=None, elem_id="fm-timeline")
        self.more = gr.Button("Show more", size="sm", scale=0, min_width=110, visible=False)
        self.changed = [self.timer, self.shown, self.away, self.notice, self.seats, self.timeline, self.more]

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        return (
            dict.fromkeys([self.seats, self.timeline, self.away, self.notice], "") | {self.shown: SHOWN} | self.rest()
        )

    def rest(self) -> Updates:
        """Read nothing anew while another page is on show."""
        return {self.timer: gr.Timer(active=False)}

    def show(self, token: str, shown: int, *, is_admin: bool) -> Updates:
        """The board as it is now; when the gateway is away, what was seen last stays, and it is said.

        Raises:
            SignedOut: the session has ended.
        """
        active: Updates = {self.timer: gr.Timer(active=True)}
        try:
            agents = self._gateway.agents(token)
            page = self._gateway.incidents(token, MOST)
        except SignedOut:
            raise
        except GatewayError as error:
            return active | {self.away: render.notice(f"{error} What is shown here may be out of date.")}
        return active | {self.away: ""} | self._picture(agents, page["incidents"], shown, is_admin)

    def _picture(self, agents: list[Json], incidents: list[Json], shown: int, is_admin: bool) -> Updates:
        now = datetime.now(UTC)
        seats = [agent["agent_id"] for agent in agents]
        return {
            self.seats: health.board(agents, incidents, now, is_admin=is_admin),
            self.timeline: health.timeline(incidents[:shown], seats, now),
            self.more: gr.Button(visible=len(incidents) > shown),
        }

    def show_more(self, token: str, shown: int, *, is_admin: bool) -> Updates:
        """A longer timeline."""
        return {self.shown: shown + SHOWN} | self.show(token, shown + SHOWN, is_admin=is_admin)

    def reset(self, token: str, agent_id: str, shown: int, *, is_admin: bool) -> Updates:
        """Have a seat's errors forgotten."""
        try:
            self._gateway.reset(token, agent_id)
        except (Refused, Unreachable) as error:
            return self.show(token, shown, is_admin=is_admin) | {self.notice: render.notice(str(error))}
        done = f"{agent_id} was reset: its errors are forgotten, and it is asked again."
        return self.show(token, shown, is_admin=is_admin) | {self.notice: render.notice(done, "idle")}
