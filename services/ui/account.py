"""The card to sign in and sign up with."""

from typing import Any

import gradio as gr

from services.ui import render
from services.ui.memory import Memory
from services.ui.rest import Gateway, GatewayError, Json

#: Handlers answer with what to change, by component.
Updates = dict[Any, Any]


class Account:
    """Signing in and out.

    Attributes:
        card: the whole card, shown while nobody is signed in.
        changed: what its steps may change.
    """

    def __init__(self, gateway: Gateway, memory: Memory) -> None:
        """Draw the card into the page being built."""
        self._gateway = gateway
        self._memory = memory
        with gr.Column(visible=False, elem_id="fm-account") as self.card:
            gr.HTML(render.BRAND + render.CLAIM, js_on_load=None)
            self.notice = gr.HTML("", js_on_load=None)
            self.username = gr.Textbox(label="Username", max_lines=1, html_attributes=_autocomplete("username"))
            self.password = gr.Textbox(
                label="Password", type="password", max_lines=1, html_attributes=_autocomplete("current-password")
            )
            self.sign_in_button = gr.Button("Sign in", variant="primary")
            self.sign_up_button = gr.Button("Create an account")
        self.changed = [memory.session, self.card, self.notice, self.password]

    def sign_in(self, username: str, password: str, session: Json) -> Updates:
        """Open a session; on failure say why and leave what was typed."""
        try:
            token = self._gateway.sign_in(username, password)
        except GatewayError as error:
            return {self.notice: render.notice(str(error))}
        # What an ended session left on the page is shown again to its own user only.
        again = session.get("username") in {None, username}
        session = {"token": token, "username": username, "again": again}
        return {self._memory.session: session, self.notice: "", self.password: ""}

    def sign_up(self, username: str, password: str, session: Json) -> Updates:
        """Make the account and sign in with it."""
        try:
            self._gateway.sign_up(username, password)
        except GatewayError as error:
            return {self.notice: render.notice(str(error))}
        return self.sign_in(username, password, session)

    def sign_out(self, session: Json) -> Updates:
        """End the session; the browser forgets it even when the gateway cannot be told."""
        try:
            self._gateway.sign_out(session.get("token", ""))
        except GatewayError as error:
            sentence = f"You are signed out in this browser only, for the gateway could not be told. {error}"
            return {self._memory.session: {}, self.notice: render.notice(sentence)}
        return {self._memory.session: {}, self.notice: render.notice("You are signed out.", "idle")}

    def forget(self, session: Json, sentence: str) -> Updates:
        """Drop a session that the gateway no longer knows, and say so; whose it was is remembered."""
        kept = {"username": session.get("username", "")}
        return {self._memory.session: kept, self.notice: render.notice(f"{sentence} What you typed is kept.")}


def _autocomplete(purpose: str) -> gr.InputHTMLAttributes:
    return gr.InputHTMLAttributes(autocomplete=purpose, autocapitalize="none", spellcheck=False)
