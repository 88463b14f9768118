"""The page: its views, and what each button does."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import gradio as gr

from services.client.rest import Gateway, GatewayError, Json, SignedOut
from services.ui import form, render, session
from services.ui.account import Account, Updates
from services.ui.earlier import Earlier
from services.ui.form import Form
from services.ui.live import Live
from services.ui.memory import EMPTY_DRAFT, Memory
from services.ui.places import QUIET, Places

#: Users who can watch at the same time; each holds one place while a query runs.
WATCHERS = 400

#: Seconds between two looks for steps to take.
QUEUE_LOOK_S = 0.02

#: The address names the query on show, so that it can be kept and sent; what the address names is opened.
SHOW_ADDRESS = """opened => {
  if (window.folkmootLinked && window.folkmootLinked !== opened.job_id) return;
  if (window.folkmootLinked) requestAnimationFrame(folkmootShowAnswer);
  window.folkmootLinked = "";
  folkmootGo({job_id: opened.job_id});
}"""
REMEMBERED = """(user, draft, opened, offered) => {
  const job_id = window.folkmootLinked;
  const {place} = window.folkmootAt;
  return [user, draft, job_id ? {job_id, is_linked: true} : {...opened, place}, offered];
}"""
#: Of whoever leaves by themselves, nobody is there any more to be told that the session has ended.
UNLESS_LEFT = "(ended, user) => [ended, window.folkmootLeft ? {username: ''} : user]"
SHOW_QUESTION = """() => {
  const box = document.querySelector("#fm-ask textarea");
  box.focus();
  box.scrollIntoView({block: "center"});
}"""


class Page:
    """The page with its parts, drawn and wired.

    Attributes:
        blocks: the Gradio application.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Draw everything; nothing is asked of the gateway before a browser comes."""
        self._gateway = gateway
        with gr.Blocks(title="Folkmoot", analytics_enabled=False, fill_width=True) as self.blocks:
            self.memory = Memory()
            self._draw_start()
            self.account = Account(self._gateway, self.memory)
            self._draw_workspace()
            self._wire()
        self.blocks.max_threads = WATCHERS
        self.blocks.queue(default_concurrency_limit=None)
        # By itself the queue looks a thousand times a second for steps to take, at the cost of a tenth of a core.
        self.blocks._queue.sleep_when_free = QUEUE_LOOK_S
        self.blocks._queue.progress_update_sleep_when_free = 1.0

    def _draw_start(self) -> None:
        with gr.Column(elem_id="fm-start") as self.start:
            self.start_notice = gr.HTML(render.BRAND + render.OPENING, js_on_load=None)
            self.again_button = gr.Button("Try again", visible=False)

    def _draw_workspace(self) -> None:
        with gr.Column(visible=False, elem_id="fm-workspace") as self.workspace:
            with gr.Row(elem_id="fm-top"):
                gr.HTML(render.BRAND, js_on_load=None)
                self.whoami = gr.HTML("", js_on_load=None)
                self.sign_out_button = gr.Button("Sign out", size="sm", scale=0, min_width=90)
            self.places = Places(self._gateway, self.memory)
            with self.places.ask, gr.Row(elem_id="fm-sides"):
                with gr.Column(scale=0, min_width=300, elem_id="fm-form"):
                    self.form = Form(self.memory)
                    self.earlier = Earlier(self._gateway)
                    self.notice = gr.HTML("", js_on_load=None)
                    self.ask_button = gr.Button("Ask the panel", variant="primary")
                with gr.Column(scale=1, min_width=300, elem_id="fm-live"):
                    self.live = Live(self._gateway, self.memory)

    def _wire(self) -> None:
        self._enter_after(self.blocks.load, self._open)
        self._enter_after(self.again_button.click, self._open)
        self._wire_account()
        self._wire_form()
        self._wire_live()

    def _wire_account(self) -> None:
        account = self.account
        credentials = [account.username, account.password]
        told = [account.notice, account.password]
        for trigger in (account.sign_in_button.click, account.username.submit, account.password.submit):
            self._enter_after(trigger(account.tell, credentials, told, js=session.SIGN_IN, **QUIET).then, self._enter)
        with_invitation = [*credentials, account.invitation]
        for trigger in (account.sign_up_button.click, account.invitation.submit):
            signed_up = trigger(account.tell, with_invitation, told, js=session.SIGN_UP, **QUIET)
            self._enter_after(signed_up.then, self._enter)
        # What the sign-out said takes the place of the input.
        self.sign_out_button.click(self._sign_out, self.whoami, self._changed(), js=session.SIGN_OUT, **QUIET)
        farewell = self.places.access.farewell
        for trigger in (farewell.leave.click, farewell.password.submit):
            trigger(self._leave, farewell.typed, self._changed(), js=session.LEAVE, **QUIET)

    def _wire_form(self) -> None:
        ask = self.form
        keep = "(question, draft) => [{...draft, question}]"
        kept = [ask.question, self.memory.draft]
        ask.question.change(None, kept, self.memory.draft, js=keep, **QUIET)
        offered = [ask.offered, ask.domain]
        named = [*offered, ask.question_type]
        ask.domain.input(ask.choose_domain, named, [ask.examples, ask.chosen], **QUIET)
        ask.question_type.input(ask.explain, named, ask.chosen, **QUIET)
        panel = [ask.offered, ask.dealing, *ask.asked, *ask.roles]
        told = [ask.dealing.input, *[box.input for box in ask.asked], *[box.input for box in ask.roles]]
        gr.on(told, ask.explain_roles, panel, ask.reasoning, trigger_mode="always_last", **QUIET)
        filled = [ask.question, ask.question_type, ask.chosen]
        ask.examples.click(ask.take_example, [*offered, ask.examples], filled, **QUIET)
        asked = [ask.question.change, ask.domain.input, ask.question_type.input, ask.dealing.input]
        compared = [self.memory.opened, *ask.fields]
        gr.on(asked, self._look_back, compared, self.earlier.line, trigger_mode="always_last", **QUIET)
        for choice in (ask.dealing.input, *[box.input for box in ask.asked]):
            choice(ask.show_roles, [ask.dealing, *ask.asked], ask.roles, **QUIET)

    def _wire_live(self) -> None:
        opened, live = self.memory.opened, self.live
        submitted = self.ask_button.click(self._ask, self.form.fields, self._changed(), **QUIET)
        picked = self.places.wire(live.clear, live.changed)
        ended = [self.places.ended, self.memory.user]
        self.places.ended.change(self._explain_end, ended, self._changed(), js=UNLESS_LEFT, **QUIET)
        afresh = live.afresh_button.click(self._ask_afresh, [opened, self.form.offered], self._changed(), **QUIET)
        for shown in (submitted, afresh, picked):
            shown.then(None, js="folkmootShowAnswer", **QUIET)
            self._watch_after(shown.then)
        opened.change(None, opened, js=SHOW_ADDRESS, **QUIET)
        form_changed = [self.notice, *self.form.changed]
        followed = live.follow_up_button.click(self._follow_up, opened, form_changed, **QUIET)
        repeated = live.again_button.click(self._repeat, [opened, self.form.offered], form_changed, **QUIET)
        for filled in (followed, repeated):
            filled.then(None, js=SHOW_QUESTION, **QUIET)
        kept = [self.memory.draft, self.form.following, self.form.parent]
        self.form.alone_button.click(self._ask_alone, self.memory.draft, kept, **QUIET)
        live.cancel_button.click(self._cancel, opened, self._changed(), **QUIET)

    def _enter_after(self, trigger: Callable[..., Any], enter: Callable[..., Updates]) -> None:
        remembered = [self.memory.user, self.memory.draft, self.memory.opened, self.form.offered]
        self._watch_after(trigger(enter, remembered, self._changed(), js=REMEMBERED, **QUIET).then)

    def _watch_after(self, trigger: Callable[..., Any]) -> None:
        trigger(self._watch, self.memory.opened, self._changed(), trigger_mode="multiple", **QUIET)

    def _changed(self) -> list[Any]:
        """All that a step may change; a step answers with what it does change."""
        views = [
            self.start,
            self.start_notice,
            self.again_button,
            self.workspace,
            self.whoami,
            self.notice,
            self.earlier.line,
        ]
        return [*views, *self.account.changed, *self.form.changed, *self.live.changed, *self.places.changed]

    def _open(self, user: Json, draft: Json, opened: Json, offered: Json, request: gr.Request) -> Updates:
        """Enter; who was signed in and is no more hears why."""
        try:
            session.token_of(request)
        except SignedOut as error:
            told = self.account.explain(str(error)) if user["username"] else {}
            return self._show_card() | told
        return self._enter(user, draft, opened, offered, request)

    def _enter(self, user: Json, draft: Json, opened: Json, offered: Json, request: gr.Request) -> Updates:
        """Show the workspace to who has a session, and the card to everybody else."""
        try:
            token = session.token_of(request)
        except SignedOut:
            return self._show_card()
        try:
            account = self._gateway.whose(token)
            left: Updates = {self.memory.user: account}
            if user["username"] not in {"", account["username"]}:
                left |= self._empty()
                draft, offered = EMPTY_DRAFT, {}
                opened = opened if opened.get("is_linked") else {"job_id": ""}
            left[self.memory.opened] = {"job_id": opened["job_id"]}
            left |= self.places.go(opened.get("place", ""))
            if not offered:
                catalogue = self._gateway.catalogue()
                left |= self.form.fill(catalogue, draft) | self.places.fill(catalogue)
        except SignedOut as error:
            return self._show_card() | self.account.explain(str(error))
        except GatewayError as error:
            return self._show(self.start) | {self.start_notice: render.BRAND + render.notice(str(error))}
        return self._show(self.workspace) | left | {self.whoami: render.signed_in_as(account["username"])}

    def _empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        return self.live.clear() | self.form.empty() | self.places.empty() | {self.notice: "", self.earlier.line: ""}

    def _show(self, view: gr.Column) -> Updates:
        views = (self.start, self.account.card, self.workspace)
        updates: Updates = {each: gr.Column(visible=each is view) for each in views}
        return updates | {self.again_button: gr.Button(visible=view is self.start)}

    def _show_card(self) -> Updates:
        return self._show(self.account.card) | self.account.offer()

    def _sign_out(self, sentence: str, request: gr.Request) -> Updates:
        self.live.forget(request.session_hash or "")
        return self._show_card() | self._empty() | self.account.part(sentence)

    def _leave(self, sentence: str, tone: str, request: gr.Request) -> Updates:
        """Show out whoever has deleted their account, or say why it is still there."""
        return self.places.access.farewell.refuse(sentence) if tone == "bad" else self._sign_out(sentence, request)

    async def _look_back(self, opened: Json, request: gr.Request, *fields: Any) -> str:
        """Say whether the question in the form was asked before."""
        filled, rows = form.parted(fields)
        if not filled.catalogue:
            # The form is being emptied, or not filled yet.
            return ""
        return await self.earlier.look(form.body(filled, rows), opened, request)

    def _ask(self, request: gr.Request, *fields: Any) -> Updates:
        """Submit the question; what was typed stays where it is, whatever happens."""
        filled, rows = form.parted(fields)
        begun = self._submit(request, filled.catalogue, form.body(filled, rows))
        followed = self.form.follow({"question": filled.question})
        return begun | followed if self.memory.opened in begun else begun

    def _ask_afresh(self, opened: Json, offered: Json, request: gr.Request) -> Updates:
        """Ask the query on show once more, of the models themselves and not of the cache."""
        try:
            asked = self._gateway.query(session.token_of(request), opened["job_id"])
        except GatewayError as error:
            return self._refusal(error)
        return self._submit(request, offered, form.afresh(asked))

    def _submit(self, request: gr.Request, catalogue: Json, body: Json) -> Updates:
        try:
            resource = self._gateway.ask(session.token_of(request), body, uuid4().hex)
        except GatewayError as error:
            return self._refusal(error)
        seats = [agent["agent_id"] for agent in catalogue["agents"]]
        return self.live.begin(resource, seats) | {self.notice: "", self.earlier.line: ""}

    def _follow_up(self, opened: Json, request: gr.Request) -> Updates:
        """Have the next question follow up the query on show."""
        try:
            asked = self._gateway.query(session.token_of(request), opened["job_id"])
        except GatewayError as error:
            return {self.notice: render.notice(str(error))}
        draft = {"question": "", "parent_job_id": asked["job_id"], "parent": asked["query"]}
        return self.form.follow(draft) | {self.form.question: "", self.notice: ""}

    def _ask_alone(self, draft: Json) -> Updates:
        """Have the next question follow up nothing."""
        return self.form.follow({"question": draft["question"]})

    def _repeat(self, opened: Json, offered: Json, request: gr.Request) -> Updates:
        """Fill the form with the query on show."""
        try:
            asked = self._gateway.query(session.token_of(request), opened["job_id"])
        except GatewayError as error:
            return {self.notice: render.notice(str(error))}
        return self.form.repeat(offered, asked) | {self.notice: ""}

    def _cancel(self, opened: Json, request: gr.Request) -> Updates:
        """Ask the gateway to stop the query on show; its stream tells the rest."""
        try:
            self._gateway.cancel(session.token_of(request), opened["job_id"])
        except GatewayError as error:
            return self._refusal(error)
        return {self.notice: ""}

    def _refusal(self, error: GatewayError) -> Updates:
        """The error as its sentence; one that ends the session brings the card back."""
        if isinstance(error, SignedOut):
            return self._show_card() | self.account.explain(str(error))
        return {self.notice: render.notice(str(error))}

    def _explain_end(self, ended: list[str], user: Json) -> Updates:
        if not ended[0] or not user["username"]:
            return {self.notice: gr.skip()}
        return self._show_card() | self.account.explain(ended[0])

    async def _watch(self, opened: Json, request: gr.Request) -> AsyncIterator[Updates]:
        """Keep the live side true until the query on show has ended."""
        # Gradio empties the outputs of a generator that ends without a word.
        yield {self.notice: gr.skip()}
        if not opened["job_id"]:
            return
        try:
            token = session.token_of(request)
        except SignedOut:
            return
        try:
            async for updates in self.live.follow(request.session_hash or "", token, opened["job_id"]):
                yield updates
        except GatewayError as error:
            yield self._refusal(error)
