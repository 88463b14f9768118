"""The page of one's account: password, API tokens, provider key, the way out, and what is for admins."""

from contextlib import suppress
from datetime import UTC, datetime

import gradio as gr

from services.client.rest import Gateway, GatewayError, Json, Refused, SignedOut, Unreachable
from services.ui import render, secrets, spending
from services.ui.account import Updates, autocomplete
from services.ui.farewell import Farewell
from services.ui.own_key import OwnKey

#: The lists are read anew this often while they are on show, in seconds.
EVERY_S = 2.0
#: What a token may do, and for how many days, as the page offers it.
SCOPES = {"Ask and read": "ask", "Read only": "read"}
LASTING = {"Never": None, "In 30 days": 30, "In 90 days": 90, "In a year": 365}

HEADING = '<h2 class="fm-title">Password</h2>'
TOKENS = (
    '<h2 class="fm-title">API tokens</h2><p class="fm-absent">For programs, in place of your password: they ask and '
    "read as you, and can neither make tokens nor change your password. A new password leaves them as they are.</p>"
)
INVITATIONS = (
    '<h2 class="fm-title">Invitations</h2><p class="fm-absent">Each is good for one account and for seven days.</p>'
)
USAGE = '<h2 class="fm-title">Usage today</h2>'
DROP = 'folkmootActions(element, trigger, "drop")'


class Access:
    """The page of one's account.

    Attributes:
        changed: what its steps may change.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Draw the page, still empty, into the page being built."""
        self._gateway = gateway
        self.timer = gr.Timer(EVERY_S, active=False)
        self.away = gr.HTML("", js_on_load=None)
        self._draw_password()
        gr.HTML(TOKENS, js_on_load=None)
        with gr.Row(elem_classes="fm-fill"):
            self.name = gr.Textbox(
                label="Token name", placeholder="Where it will be used", max_lines=1, max_length=64, min_width=180,
                html_attributes=autocomplete("off"),
            )  # fmt: skip
            self.scope = gr.Dropdown(label="It may", choices=list(SCOPES), value=next(iter(SCOPES)), min_width=140)
            self.lasting = gr.Dropdown(label="Expires", choices=list(LASTING), value=next(iter(LASTING)), min_width=140)
            self.create = gr.Button("Create token", size="md", scale=0, min_width=150)
        self.notice, self.made = gr.HTML("", js_on_load=None), gr.HTML("", js_on_load=None)
        self.tokens = gr.HTML("", js_on_load=DROP, elem_id="fm-tokens")
        self.own_key = OwnKey(gateway)
        with gr.Column(visible=False) as self.for_admins:
            gr.HTML(INVITATIONS, js_on_load=None)
            self.invite = gr.Button("Invite somebody", size="sm", scale=0, min_width=130)
            self.invited = gr.HTML("", js_on_load=None)
            self.invitations = gr.HTML("", js_on_load=DROP, elem_id="fm-invitations")
            gr.HTML(USAGE, js_on_load=None)
            self.usage = gr.HTML("", js_on_load=None, elem_id="fm-usage")
        self.farewell = Farewell()
        self.said = [self.told, self.current, self.new]
        shown = [self.away, self.notice, self.made, self.tokens, self.for_admins, self.invited, self.invitations]
        parts = [*self.own_key.changed, self.usage, *self.farewell.changed]
        self.changed = [self.timer, *self.said, self.name, *shown, *parts]

    def _draw_password(self) -> None:
        gr.HTML(HEADING, js_on_load=None)
        self.told = gr.HTML("", js_on_load=None)
        with gr.Row(elem_classes="fm-fill"):
            self.current = gr.Textbox(
                label="Current password", type="password", max_lines=1, min_width=180,
                html_attributes=autocomplete("current-password"),
            )  # fmt: skip
            self.new = gr.Textbox(
                label="New password", type="password", max_lines=1, min_width=180,
                html_attributes=autocomplete("new-password"),
            )  # fmt: skip
            self.change = gr.Button("Change password", size="md", scale=0, min_width=170)

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        texts = [self.told, self.current, self.new, self.name, self.away, self.notice, self.made, self.tokens]
        cleared: Updates = dict.fromkeys([*texts, self.invited, self.invitations, self.usage], "")
        cleared |= self.own_key.empty() | self.farewell.empty()
        return cleared | {self.for_admins: gr.Column(visible=False)} | self.rest()

    def rest(self) -> Updates:
        """Read nothing anew while another page is on show."""
        return {self.timer: gr.Timer(active=False)}

    def enter(self, token: str, *, is_admin: bool) -> Updates:
        """The page as it is when somebody comes to it: without what was said before, and without any secret."""
        said: Updates = dict.fromkeys([self.told, self.notice, self.made, self.invited], "")
        # What comes next says it when the gateway is away.
        with suppress(Refused, Unreachable):
            said |= self.own_key.enter(token) | self.farewell.empty()
        return said | self.show(token, is_admin=is_admin)

    def show(self, token: str, *, is_admin: bool) -> Updates:
        """The lists as they are now; when the gateway is away, what was seen last stays, and it is said.

        Raises:
            SignedOut: the session has ended.
        """
        now, shown = datetime.now(UTC), {self.timer: gr.Timer(active=True)}
        try:
            lists: Updates = {self.tokens: secrets.tokens(self._gateway.tokens(token), now)}
            lists |= self.own_key.show(token)
            if is_admin:
                lists[self.usage] = spending.table(self._gateway.usage_of_users(token))
                lists[self.invitations] = secrets.invitations(self._gateway.invitations(token), now)
        except SignedOut:
            raise
        except GatewayError as error:
            return shown | {self.away: render.notice(f"{error} What is shown here may be out of date.")}
        return shown | lists | {self.away: "", self.for_admins: gr.Column(visible=is_admin)}

    def tell(self, sentence: str, tone: str) -> Updates:
        """Say what became of the new password; what was typed is left where it was refused."""
        emptied: Updates = {} if tone == "bad" else {self.current: "", self.new: ""}
        return {self.told: render.notice(sentence, tone)} | emptied

    def create_token(self, token: str, user: Json, name: str, scope: str, lasting: str) -> Updates:
        """Make a token, and show it this once."""
        body = {"name": name, "scopes": [SCOPES[scope]], "expires_in_days": LASTING[lasting]}
        try:
            text = self._gateway.create_token(token, body)
        except (Refused, Unreachable) as error:
            return {self.notice: render.notice(str(error)), self.made: ""}
        shown = self.show(token, is_admin=user.get("is_admin", False))
        return shown | {
            self.notice: "",
            self.name: "",
            self.made: secrets.made(f"The new token “{name.strip()}”.", text),
        }

    def revoke(self, token: str, user: Json, token_id: str) -> Updates:
        """Revoke a token."""
        told: Updates = {self.notice: "", self.made: ""}
        try:
            self._gateway.revoke(token, token_id)
        except (Refused, Unreachable) as error:
            told = {self.notice: render.notice(str(error))}
        return self.show(token, is_admin=user.get("is_admin", False)) | told

    def make_invitation(self, token: str, user: Json) -> Updates:
        """Make an invitation, and show it this once."""
        try:
            told: Updates = {self.invited: secrets.made("The new invitation.", self._gateway.invite(token))}
        except (Refused, Unreachable) as error:
            told = {self.invited: render.notice(str(error))}
        return self.show(token, is_admin=user.get("is_admin", False)) | told

    def withdraw(self, token: str, user: Json, invitation_id: str) -> Updates:
        """Withdraw an invitation, or forget one that was used."""
        told: Updates = {self.invited: ""}
        try:
            self._gateway.withdraw(token, invitation_id)
        except (Refused, Unreachable) as error:
            told = {self.invited: render.notice(str(error))}
        return self.show(token, is_admin=user.get("is_admin", False)) | told
