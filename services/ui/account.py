"""The card to sign in and sign up with."""

from typing import Any

import gradio as gr

from services.ui import render
from services.ui.memory import Memory

#: Handlers answer with what to change, by component.
Updates = dict[Any, Any]


class Account:
    """The card; the browser itself sends what is typed here, see `session`.

    Attributes:
        card: the whole card, shown while nobody is signed in.
        changed: what its steps may change.
    """

    def __init__(self, memory: Memory) -> None:
        """Draw the card into the page being built."""
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
        self.changed = [memory.user, self.card, self.notice, self.password]

    def tell(self, _username: str, refusal: str) -> Updates:
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


def _autocomplete(purpose: str) -> gr.InputHTMLAttributes:
    return gr.InputHTMLAttributes(autocomplete=purpose, autocapitalize="none", spellcheck=False)
