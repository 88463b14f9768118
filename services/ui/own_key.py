"""The part of the account page about one's own provider key: whether one is set, another one, none."""

from html import escape

import gradio as gr

from services.client.rest import Gateway, Json
from services.ui import render
from services.ui.account import Updates, autocomplete

HEADING = (
    '<h2 class="fm-title">Provider key</h2><p class="fm-absent">Your own questions are then asked with your key in '
    "place of this installation's. It is kept encrypted, and shown to nobody again, you included.</p>"
)
OFF = "This installation keeps no keys of its users; questions are asked with its own."
NOT_SET = "You have set no key."
UNREADABLE = "it cannot be read any more: set it again"


class OwnKey:
    """One's own provider key; the browser itself sends what is typed here, see `session`.

    Attributes:
        typed: what the steps with a key take.
        said: what they may change.
        changed: what all steps may change.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Draw the part, still empty, into the page being built."""
        self._gateway = gateway
        gr.HTML(HEADING, js_on_load=None)
        self.notice, self.state = gr.HTML("", js_on_load=None), gr.HTML("", js_on_load=None, elem_id="fm-key")
        with gr.Row(elem_classes="fm-fill", visible=False) as self.fields:
            self.provider = gr.Dropdown(label="Provider", choices=[], min_width=140)
            self.key = gr.Textbox(
                label="Key", type="password", max_lines=1, min_width=240, html_attributes=autocomplete("off")
            )
            self.keep = gr.Button("Set key", size="md", scale=0, min_width=110)
            self.remove = gr.Button("Remove key", size="md", scale=0, min_width=130, visible=False)
        # A step is given the sentence in the key's place, and the tone in the notice's.
        self.typed = [self.key, self.notice, self.provider]
        self.said = [self.notice, self.key]
        self.changed = [*self.said, self.state, self.fields, self.provider, self.remove]

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        return {self.notice: "", self.key: "", self.state: ""}

    def enter(self, token: str) -> Updates:
        """The part as it is when somebody comes to it, with the providers there are to choose from."""
        known = self._gateway.provider_key(token)
        choices = known["providers"]
        chosen = known["provider"] or (choices[0] if choices else None)
        return {self.notice: "", self.provider: gr.Dropdown(choices=choices, value=chosen)} | self._of(known)

    def show(self, token: str) -> Updates:
        """Whether a key is set, as it is now; what is being typed stays."""
        return self._of(self._gateway.provider_key(token))

    def _of(self, known: Json) -> Updates:
        is_useful = bool(known["available"] and known["providers"])
        return {
            self.state: f'<p class="fm-absent" role="status">{escape(_state(known))}</p>',
            self.fields: gr.Row(visible=is_useful),
            self.remove: gr.Button(visible=known["is_set"]),
        }

    def tell(self, sentence: str, tone: str, _provider: str) -> Updates:
        """Say what became of the key; what was typed is left where it was refused."""
        emptied: Updates = {} if tone == "bad" else {self.key: ""}
        return {self.notice: render.notice(sentence, tone)} | emptied


def _state(known: Json) -> str:
    if not (known["available"] and known["providers"]):
        return OFF
    if not known["is_set"]:
        return NOT_SET
    ending = f"it ends in {known['last_four']}" if known["last_four"] else UNREADABLE
    return f"A key for {known['provider']} is set; {ending}."
