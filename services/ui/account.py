"""The card to sign in and sign up with."""

from typing import Any

import gradio as gr

from services.client.rest import Gateway, GatewayError
from services.ui import render
from services.ui.memory import Memory

#: Handlers answer with what to change, by component.
Updates = dict[Any, Any]

CLOSED = '<p class="fm-absent">New accounts are not made here; ask who runs this installation.</p>'


class Account:
    """The card; the browser itself sends what is typed here, see `session`.

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
            self.username = gr.Textbox(label="Username", max_lines=1, html_attributes=autocomplete("username"))
            self.password = gr.Textbox(
                label="Password", type="password", max_lines=1, html_attributes=autocomplete("current-password")
            )
            self.sign_in_button = gr.Button("Sign in", variant="primary")
            self.invitation = gr.Textbox(
                label="Invitation", info="To create an account here, you need one of an admin.", max_lines=1,
                visible=False, html_attributes=autocomplete("off"),
            )  # fmt: skip
            self.sign_up_button = gr.Button("Create an account")
            self.closed = gr.HTML(CLOSED, js_on_load=None, visible=False)
        offered = [self.invitation, self.sign_up_button, self.closed]
        self.changed = [memory.user, self.card, self.notice, self.password, *offered]

    def offer(self) -> Updates:
        """Offer to sign up as far as the gateway says that one can."""
        try:
            mode = self._gateway.catalogue()["sign_up"]
        except GatewayError:
            # What was offered last stays; the gateway has the last word anyway.
            return {}
        return {
            self.invitation: gr.Textbox(visible=mode == "invitation"),
            self.sign_up_button: gr.Button(visible=mode != "closed"),
            self.closed: gr.HTML(visible=mode == "closed"),
        }

    def tell(self, _username: str, refusal: str, _invitation: str = "") -> Updates:
        """Say why somebody could not be signed in and leave what was typed; or forget the password."""
        if refusal:
            return {self.notice: render.notice(refusal)}
        return {self.notice: "", self.password: ""}

    def part(self, sentence: str) -> Updates:
        """Say how the sign-out went, and forget who it was."""
        return {self._memory.user: {"username": ""}, self.notice: render.notice(sentence, "idle")}

    def explain(self, sentence: str) -> Updates:
        """Say that a session has ended by itself; whose it was is remembered."""
        return {self.notice: render.notice(f"{sentence} What you typed is kept.")}


def autocomplete(purpose: str) -> gr.InputHTMLAttributes:
    """What a browser may fill a box with."""
    return gr.InputHTMLAttributes(autocomplete=purpose, autocapitalize="none", spellcheck=False)
