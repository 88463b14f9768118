"""The hosted models that give a second opinion on conflicts: who may, and their calls, bounded in number and time."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot import figures, provider_keys
from folkmoot.agents import Seat
from folkmoot.calls import key_for, spent
from folkmoot.errors import AgentError, Interrupted, Unavailable, Undecipherable
from folkmoot.llm import Call
from folkmoot.prompts import Message
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import usage
from folkmoot.wire import OwnKey, Request

#: Enough for a yes or no with one sentence, in tokens.
MAX_TOKENS = 150

log = logging.getLogger(__name__)


class Judges:
    """The seats of the roster that may judge."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hosted = [
            agent_id
            for agent_id, seat in runtime.roster.seats.items()
            if is_hosted(seat, model_url=runtime.settings.model_url)
        ]

    @property
    def most(self) -> int:
        """How many conflicts of one query are judged."""
        return self._runtime.settings.judge_conflicts

    @property
    def models(self) -> Mapping[str, str]:
        """The model of each seat: none judges what it wrote itself in another seat."""
        return {agent_id: seat.model for agent_id, seat in self._runtime.roster.seats.items()}

    def available(self) -> list[str]:
        """Who may be asked now, the healthy first; nobody without a hosted roster."""
        if not self._hosted:
            return []
        board = self._runtime.health.board(now=utcnow().timestamp())
        states = {agent_id: board[agent_id].state if agent_id in board else "healthy" for agent_id in self._hosted}
        return sorted((one for one in self._hosted if states[one] != "failed"), key=lambda one: states[one])

    def ask(
        self,
        asked: Sequence[tuple[str, Sequence[Message]]],
        schema: dict[str, Any],
        *,
        job_id: str = "",
        user_id: int = 0,
    ) -> list[str | None]:
        """Each one's answer to its messages, all asked at once; None of those that fail, or take too long.

        Args:
            asked: (agent_id, messages) of each.
            schema: of the JSON that each answer has to be.
            job_id: whose account the calls go to; empty for nobody's.
            user_id: whose own key they are made with, where they have set one; 0 for nobody's.
        """
        wake, ends_at = threading.Event(), time.monotonic() + self._runtime.settings.judge_s
        try:
            own_key = self._own_key(user_id) if user_id else None
        except (Undecipherable, Unavailable) as error:
            log.warning("nobody could judge: %s", error)
            return [None] * len(asked)
        requests = [self._request(agent_id, messages, schema, own_key) for agent_id, messages in asked]
        waiting = {place: self._start(one, wake) for place, one in enumerate(requests) if one is not None}
        begun = [(one, waiting[place]) for place, one in enumerate(requests) if one is not None]
        answers: list[str | None] = [None] * len(requests)
        while waiting and (left_s := ends_at - time.monotonic()) > 0:
            wake.wait(left_s)
            wake.clear()
            for place, call in list(waiting.items()):
                answers[place] = self._answer(asked[place][0], call)
                if answers[place] is not None:
                    del waiting[place]
        for call in waiting.values():
            call.cancel()
        self._count(job_id, begun)
        return [answer or None for answer in answers]

    def _own_key(self, user_id: int) -> OwnKey | None:
        seats = (self._runtime.roster.seats[agent_id] for agent_id in self._hosted)
        return provider_keys.own(self._runtime.db, self._runtime.settings, user_id, seats)

    def _request(
        self, agent_id: str, messages: Sequence[Message], schema: dict[str, Any], own_key: OwnKey | None
    ) -> Request | None:
        seat = self._runtime.roster.seats[agent_id]
        try:
            return Request(
                endpoint=seat,
                messages=list(messages),
                temperature=0,
                max_tokens=MAX_TOKENS,
                api_key=key_for(seat, own_key),
                schema=schema,
            )
        except AgentError as error:
            log.warning("%s could not judge: %s", agent_id, error)
            return None

    def _start(self, request: Request, wake: threading.Event) -> Call:
        return self._runtime.provider.start(request, timeout_s=self._runtime.settings.judge_s, wake=wake)

    def _count(self, job_id: str, begun: Sequence[tuple[Request, Call]]) -> None:
        """Count what the calls have used; one that failed counts like one that was given up."""
        if not job_id:
            return
        used = [spent(self._runtime, "analysis", request, call.completion) for request, call in begun]
        figures.spent(self._runtime, used)
        try:
            usage.count(self._runtime.db, job_id, used)
        except Unavailable as error:
            log.warning("what judges have used is not counted: %s", error.__cause__)

    @staticmethod
    def _answer(agent_id: str, call: Call) -> str | None:
        """What has come of a call: its text, nothing where it failed, None while it goes on."""
        try:
            call.take()
        except (AgentError, Interrupted) as error:
            log.warning("%s could not judge: %s", agent_id, error)
            return ""
        return call.completion.text if call.completion is not None else None


def is_hosted(seat: Seat, *, model_url: str) -> bool:
    """Whether a seat's model is a provider's, with a key; the embedded one is too small to judge anything."""
    return seat.api_key_env is not None and seat.base_url.rstrip("/") != model_url.rstrip("/")
