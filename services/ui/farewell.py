"""The part of the account page for whoever wants to take everything along, or to leave."""

import gradio as gr

from services.ui import render
from services.ui.account import Updates, autocomplete

TAKE_ALONG = (
    '<h2 class="fm-title">Everything of yours</h2><p class="fm-absent">Your account and all your questions, with what '
    'came of them and their charts, in one ZIP file.</p><p><a class="fm-small" href="/account/export" download>'
    "Export everything</a></p>"
)
HEADING = (
    '<h2 class="fm-title">Delete the account</h2><p class="fm-absent">Your questions, their responses and charts, your '
    "API tokens and your provider key are erased at once, and what runs is given up. Nothing brings them back: export "
    "first what you want to keep. The username is free for anybody afterwards.</p>"
)


class Farewell:
    """What ends an account; the browser itself sends what is typed here, see `session`.

    Attributes:
        changed: what its steps may change.
    """

    def __init__(self) -> None:
        """Draw the part into the page being built."""
        gr.HTML(TAKE_ALONG, js_on_load=None)
        gr.HTML(HEADING, js_on_load=None)
        self.told = gr.HTML("", js_on_load=None)
        with gr.Row(elem_classes="fm-fill"):
            self.username = gr.Textbox(
                label="Your username, to confirm", max_lines=1, min_width=180, html_attributes=autocomplete("off")
            )
            self.password = gr.Textbox(
                label="Your password, to confirm", type="password", max_lines=1, min_width=180,
                html_attributes=autocomplete("current-password"),
            )  # fmt: skip
            self.leave = gr.Button("Delete my account", variant="stop", size="md", scale=0, min_width=170)
        self.typed = [self.username, self.password]
        self.changed = [self.told, *self.typed]

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        return dict.fromkeys(self.changed, "")

    def refuse(self, sentence: str) -> Updates:
        """Say why the account is still there; what was typed stays."""
        return {self.told: render.notice(sentence)}
