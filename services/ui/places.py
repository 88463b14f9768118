"""The places of the workspace, Ask, History, Agents and Account: how to go there, and what each step there does."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import gradio as gr

from services.client.rest import Gateway, Json, SignedOut
from services.ui import session
from services.ui.access import Access
from services.ui.account import Updates
from services.ui.board import Board
from services.ui.history import History, Wanted
from services.ui.memory import Memory

ASK, HISTORY, AGENTS, ACCOUNT = "ask", "history", "agents", "account"

#: The address names the place that is on show.
GO = """(...values) => {
  folkmootGo({place: "PLACE"});
  return values;
}"""
#: None of the page's own steps is an address for others; the product's interface is the gateway.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}


class Places:
    """The tabs of the workspace; what belongs into the first is drawn by the page, with `ask` as its context.

    Attributes:
        ended: why the session is over, when a step has found that; never the same twice.
        changed: what `fill`, `go` and `empty` may change.
    """

    def __init__(self, gateway: Gateway, memory: Memory) -> None:
        """Draw the tabs into the page being built."""
        self._memory = memory
        self.ended = gr.State(["", ""])
        with gr.Tabs(selected=ASK, elem_id="fm-places") as self.tabs:
            with gr.Tab("Ask", id=ASK) as self.ask:
                pass
            with gr.Tab("History", id=HISTORY) as self._history_tab:
                self.history = History(gateway, memory.opened)
            with gr.Tab("Agents", id=AGENTS) as self._agents_tab:
                self.board = Board(gateway)
            with gr.Tab("Account", id=ACCOUNT) as self._account_tab:
                self.access = Access(gateway)
        self._timers = [self.history.timer, self.board.timer, self.access.timer]
        self.changed = [self.tabs, *self.history.changed, *self.board.changed, *self.access.changed]

    def wire(self, close: Callable[[], Updates], closed: list[Any]) -> Any:
        """Say what happens in each place.

        Args:
            close: shows no query any more.
            closed: what `close` may change.
        Returns:
            The opening of a query, after which the page watches it.
        """
        self._close = close
        self.ask.select(self._rest, None, self._timers, js=GO.replace("PLACE", ASK), **QUIET)
        self._wire_board()
        self._wire_access()
        return self._wire_history(closed)

    def _wire_history(self, closed: list[Any]) -> Any:
        history, wanted = self.history, self.history.wanted
        changed = [self.ended, self.board.timer, self.access.timer, *history.changed]
        self._history_tab.select(self._look, wanted, changed, js=GO.replace("PLACE", HISTORY), **QUIET)
        history.timer.tick(self._look, wanted, changed, **QUIET)
        sought = [history.search.input, history.standing.input, history.domain.input]
        gr.on(sought, self._find, wanted, changed, trigger_mode="always_last", **QUIET)
        history.newer.click(self._newer, wanted, changed, **QUIET)
        history.older.click(self._older, [history.following, *wanted], changed, **QUIET)
        history.list.delete(self._delete, wanted, [*changed, *closed], **QUIET)
        history.undo.undo(self._undo, wanted, changed, **QUIET)
        return history.list.select(self._open, None, [self._memory.opened, self.tabs, *self._timers], **QUIET)

    def _wire_board(self) -> None:
        board, seen = self.board, [self.board.shown, self._memory.user]
        changed = [self.ended, self.history.timer, self.access.timer, *board.changed]
        self._agents_tab.select(self._see, seen, changed, js=GO.replace("PLACE", AGENTS), **QUIET)
        board.timer.tick(self._see, seen, changed, **QUIET)
        board.more.click(self._see_more, seen, changed, **QUIET)
        board.seats.reset(self._reset, seen, changed, **QUIET)

    def _wire_access(self) -> None:
        access, user = self.access, self._memory.user
        changed = [self.ended, self.history.timer, self.board.timer, *access.changed]
        self._account_tab.select(self._enter, user, changed, js=GO.replace("PLACE", ACCOUNT), **QUIET)
        access.timer.tick(self._look_after, user, changed, **QUIET)
        typed = [access.current, access.new]
        for trigger in (access.change.click, access.new.submit):
            trigger(access.tell, typed, access.said, js=session.REPLACE, **QUIET)
        for trigger in (access.create.click, access.name.submit):
            trigger(self._create, [user, access.name, access.scope, access.lasting], changed, **QUIET)
        key = access.own_key
        for trigger in (key.keep.click, key.key.submit):
            kept = trigger(key.tell, key.typed, key.said, js=session.SET_KEY, **QUIET)
            kept.then(self._look_after, user, changed, **QUIET)
        removed = key.remove.click(key.tell, key.typed, key.said, js=session.REMOVE_KEY, **QUIET)
        removed.then(self._look_after, user, changed, **QUIET)
        access.tokens.drop(self._revoke, user, changed, **QUIET)
        access.invite.click(self._invite, user, changed, **QUIET)
        access.invitations.drop(self._withdraw, user, changed, **QUIET)

    def fill(self, catalogue: Json) -> Updates:
        """Offer what the catalogue holds."""
        return self.history.fill(catalogue)

    def go(self, place: str) -> Updates:
        """Show a place, and keep it up to date; what is no place leaves the one on show."""
        if place not in (ASK, HISTORY, AGENTS, ACCOUNT):
            return {}
        timers = {HISTORY: self.history.timer, AGENTS: self.board.timer, ACCOUNT: self.access.timer}
        turned: Updates = {timer: gr.Timer(active=place == its) for its, timer in timers.items()}
        return {self.tabs: gr.Tabs(selected=place)} | turned

    def empty(self) -> Updates:
        """Leave nothing of one user to the next."""
        return self.history.empty() | self.board.empty() | self.access.empty() | self.go(ASK)

    def _rest(self) -> Updates:
        return self.history.rest() | self.board.rest() | self.access.rest()

    def _guarded(self, request: gr.Request, step: Callable[[str], Updates]) -> Updates:
        try:
            return step(session.token_of(request))
        except SignedOut as error:
            # What never was the same before is a change, whoever is signed out again with the same words.
            return self._rest() | {self.ended: [str(error), uuid4().hex]}

    def _look(self, request: gr.Request, *wanted: Any) -> Updates:
        return self._guarded(request, lambda token: self._rest() | self.history.show(token, Wanted(*wanted)))

    def _find(self, request: gr.Request, *wanted: Any) -> Updates:
        return self._guarded(request, lambda token: self.history.find(token, Wanted(*wanted)))

    def _newer(self, request: gr.Request, *wanted: Any) -> Updates:
        part = Wanted(*wanted)
        return self._guarded(request, lambda token: self.history.turn(token, part, part.cursors[:-1] or [""]))

    def _older(self, request: gr.Request, following: str, *wanted: Any) -> Updates:
        part = Wanted(*wanted)
        return self._guarded(request, lambda token: self.history.turn(token, part, [*part.cursors, following]))

    def _open(self, event: gr.EventData) -> Updates:
        return {self._memory.opened: {"job_id": event.subject}} | self.go(ASK)

    def _delete(self, event: gr.EventData, request: gr.Request, *wanted: Any) -> Updates:
        part = Wanted(*wanted)
        closed = self._close() if part.opened["job_id"] == event.subject else {}
        return self._guarded(request, lambda token: closed | self.history.delete(token, part, event.subject))

    def _undo(self, event: gr.EventData, request: gr.Request, *wanted: Any) -> Updates:
        return self._guarded(request, lambda token: self.history.bring_back(token, Wanted(*wanted), event.subject))

    def _see(self, shown: int, user: Json, request: gr.Request) -> Updates:
        is_admin = user.get("is_admin", False)
        return self._guarded(request, lambda token: self._rest() | self.board.show(token, shown, is_admin=is_admin))

    def _see_more(self, shown: int, user: Json, request: gr.Request) -> Updates:
        is_admin = user.get("is_admin", False)
        return self._guarded(request, lambda token: self.board.show_more(token, shown, is_admin=is_admin))

    def _reset(self, event: gr.EventData, request: gr.Request, shown: int, user: Json) -> Updates:
        is_admin = user.get("is_admin", False)
        return self._guarded(request, lambda token: self.board.reset(token, event.subject, shown, is_admin=is_admin))

    def _enter(self, user: Json, request: gr.Request) -> Updates:
        is_admin = user.get("is_admin", False)
        return self._guarded(request, lambda token: self._rest() | self.access.enter(token, is_admin=is_admin))

    def _look_after(self, user: Json, request: gr.Request) -> Updates:
        is_admin = user.get("is_admin", False)
        return self._guarded(request, lambda token: self._rest() | self.access.show(token, is_admin=is_admin))

    def _create(self, request: gr.Request, user: Json, *typed: str) -> Updates:
        return self._guarded(request, lambda token: self.access.create_token(token, user, *typed))

    def _revoke(self, event: gr.EventData, request: gr.Request, user: Json) -> Updates:
        return self._guarded(request, lambda token: self.access.revoke(token, user, event.subject))

    def _invite(self, request: gr.Request, user: Json) -> Updates:
        return self._guarded(request, lambda token: self.access.make_invitation(token, user))

    def _withdraw(self, event: gr.EventData, request: gr.Request, user: Json) -> Updates:
        return self._guarded(request, lambda token: self.access.withdraw(token, user, event.subject))
