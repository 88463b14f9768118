"""One seat asked until one of its endpoints has answered: the next when one fails, a second beside one that is slow."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from folkmoot import calls
from folkmoot.agents import Endpoint, circuits_of
from folkmoot.breaker import Permit
from folkmoot.calls import NOTHING_UNTOLD, Assignment, Lease, Untold
from folkmoot.errors import AgentError, ClaimLost, EndpointRefused, EndpointRests, EndpointTimedOut
from folkmoot.llm import Call
from folkmoot.prompts import Prompt
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store.usage import Spent
from folkmoot.wire import Completion, Request

#: A prompt that the endpoint finds too long is halved this often.
HALVINGS = 3
#: A second endpoint is asked after this share of the time at the latest.
HEDGE_SHARE = 1 / 3
#: Without a second one beside it, an endpoint gets this share of the time while another could still be asked.
FALLBACK_SHARE = 0.5


@dataclass
class _Try:
    """One endpoint being asked; `heard` are the pieces that came, `unheard` those of them that nobody was told yet."""

    number: int
    permit: Permit
    request: Request
    prompt: Prompt
    call: Call
    timeout_s: float
    halvings: int
    unheard: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


class Race:
    """An assignment's tries: usually one, one after the other when they fail, and two at once when the first is slow.

    One try speaks: its pieces go to the job's events as they come. When it fails or another one is there first, its
    words are voided, and the other's are told instead.
    """

    def __init__(
        self,
        runtime: Runtime,
        assignment: Assignment,
        prompt_within: Callable[[int], Prompt],
        *,
        timeout_s: float,
        keep: Callable[[], bool],
        check: Callable[[Completion, Prompt], None],
        spent: list[Spent],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to ask.

        Args:
            runtime: the process' collaborators.
            assignment: what to do for whom.
            prompt_within: builds the prompt for a number of tokens.
            timeout_s: when it has to be over, tries of all endpoints included.
            keep: renews the claim; False when it is lost.
            check: raises an AgentError when a completion cannot stand.
            spent: takes what each call has used, whatever comes of it.
            meanwhile: does what need not be done before the first call has begun.
        """
        self._meanwhile = meanwhile
        self._runtime = runtime
        self._assignment = assignment
        self._prompt_within = prompt_within
        self._check = check
        self._spent = spent
        #: What the call has used whose answer stands.
        self.answered: Spent | None = None
        #: What was sent to get it.
        self.sent: Request | None = None
        #: What whoever stores the answer tells with it.
        self.untold = NOTHING_UNTOLD
        self._ends_at = time.monotonic() + timeout_s
        self._lease = Lease(keep, runtime.settings.lease_s)
        self._left = list(circuits_of(assignment.agent_id, assignment.seat).items())
        self._running: list[_Try] = []
        self._speaker: _Try | None = None
        self._started = 0
        self._wake = threading.Event()
        self._failure: AgentError = EndpointTimedOut("no time was left to ask it")

    def run(self) -> tuple[Completion, Prompt]:
        """Ask, and return the first answer that can stand, with the prompt that it answers.

        Raises:
            AgentError: no endpoint gave one; what was streamed of it is void.
            ClaimLost: nobody wants the answer any more; the calls were closed.
            Interrupted: the process is ending; the calls were closed.
        """
        try:
            try:
                self._start_next()
            finally:
                self._meanwhile()
            hedge_at = time.monotonic() + self._hedge_after_s()
            while True:
                self._wake.wait(min(self._lease.every_s, 1.0, max(0.0, hedge_at - time.monotonic())))
                self._wake.clear()
                for one in list(self._running):
                    if self._has_answered(one):
                        assert one.call.completion is not None
                        self._running.remove(one)
                        self._runtime.health.breaker.release(one.permit)
                        self.answered, self.sent = self._count(one), one.request
                        return one.call.completion, one.prompt
                if not self._lease.is_held():
                    raise ClaimLost(f"{self._assignment.job_id} does not wait for {self._assignment.agent_id} any more")
                if time.monotonic() >= hedge_at:
                    hedge_at = self._ends_at
                    self._hedge()
        except BaseException:
            self._silence()
            raise
        finally:
            for one in self._running:
                one.call.cancel()
                self._count(one)
                self._runtime.health.breaker.release(one.permit)

    def _start_next(self) -> None:
        """Ask the next endpoint that may be asked.

        Raises:
            AgentError: none is left; the error of the last that was asked.
        """
        while self._left:
            circuit, endpoint = self._left.pop(0)
            left_s = self._ends_at - time.monotonic()
            if left_s <= 0:
                break
            hold_s = min(self._assignment.seat.timeout_s, left_s)
            now = utcnow().timestamp()
            permit = self._runtime.health.breaker.permit(circuit, now=now, hold_s=hold_s + 1)
            if permit is None:
                if self._started == 0:
                    self._failure = self._rests()
                continue
            try:
                self._begin(permit, endpoint, halvings=0)
                return
            except AgentError as error:
                self._runtime.health.breaker.release(permit)
                self._failure = error
        raise self._failure

    def _rests(self) -> EndpointRests:
        entry = self._runtime.health.board(now=utcnow().timestamp()).get(self._assignment.agent_id)
        why = f": {entry.reason}" if entry is not None and entry.reason else ""
        return EndpointRests(f"it is left alone for now{why}")

    def _begin(self, permit: Permit, endpoint: Endpoint, *, halvings: int) -> None:
        assignment, left_s = self._assignment, self._ends_at - time.monotonic()
        shares = bool(self._left) and not self._runtime.settings.hedge
        timeout_s = min(assignment.seat.timeout_s, left_s * FALLBACK_SHARE if shares else left_s)
        prompt = self._prompt_within(assignment.prompt_tokens >> halvings)
        request = Request(
            endpoint=endpoint,
            messages=prompt.messages,
            temperature=assignment.seat.temperature,
            max_tokens=assignment.max_tokens,
            api_key=calls.key_for(endpoint, assignment.own_key),
        )
        call = self._runtime.provider.start(request, timeout_s=timeout_s, wake=self._wake)
        number = assignment.attempt + self._started
        self._started += 1
        self._running.append(_Try(number, permit, request, prompt, call, timeout_s, halvings))

    def _hedge_after_s(self) -> float:
        """How long the first endpoint is waited for before a second is asked beside it, in seconds."""
        left_s = self._ends_at - time.monotonic()
        if not self._left or not self._runtime.settings.hedge:
            return left_s
        entry = self._runtime.health.board(now=utcnow().timestamp()).get(self._assignment.agent_id)
        p95_s = entry.p95_latency_ms / 1000 if entry is not None and entry.p95_latency_ms is not None else left_s
        return min(p95_s, left_s * HEDGE_SHARE)

    def _hedge(self) -> None:
        if len(self._running) == 1 and self._left:
            try:
                self._start_next()
            except AgentError as error:
                # The one that is running may still answer.
                self._failure = error

    def _has_answered(self, one: _Try) -> bool:
        """Look at a try, and tell what came of it; True when its answer stands."""
        try:
            pieces = one.call.take()
            one.heard += pieces
            one.unheard += pieces
            if one.call.completion is not None:
                self._approve(one, one.call.completion)
        except AgentError as error:
            self._drop(one, error)
            return False
        if one.call.completion is None:
            self._speak(one)
            return False
        if self._speaker is not one:
            self._silence()
        words = [calls.delta(self._assignment, one.number, "".join(one.unheard))] if one.unheard else ()
        latency_ms = one.call.completion.latency_ms
        self.untold = Untold(words, self._runtime.health.praise(self._assignment.agent_id, one.permit, latency_ms))
        return True

    def _approve(self, one: _Try, completion: Completion) -> None:
        """See whether an answer can stand; the endpoint that gave it is well either way."""
        self._runtime.failpoints.reach(f"{self._assignment.stage}.answered")
        try:
            self._check(completion, one.prompt)
        except AgentError:
            self._runtime.health.answered(self._assignment.agent_id, one.permit, completion.latency_ms)
            raise

    def _speak(self, one: _Try) -> None:
        if self._speaker in (None, one) and one.unheard:
            self._speaker = one
            delta = calls.delta(self._assignment, one.number, "".join(one.unheard))
            self._runtime.events.append(self._assignment.job_id, [delta])
            one.unheard.clear()

    def _silence(self) -> None:
        """Void what the speaker has said."""
        if self._speaker is not None:
            calls.void(self._runtime, self._assignment, self._speaker.number)
            self._speaker = None

    def _drop(self, one: _Try, error: AgentError) -> None:
        """End a try that failed, and go on with the other one, or the next endpoint, or the same with a shorter prompt.

        Raises:
            AgentError: there is nothing to go on with.
        """
        self._running.remove(one)
        self._failure = error = calls.blamed(error, self._assignment.own_key, one.request.endpoint)
        if one.call.completion is not None or calls.is_charged(error, "".join(one.heard)):
            self._count(one)
        if self._speaker is one:
            self._silence()
        self._judge(one, error)
        if isinstance(error, EndpointRefused) and error.context_exceeded and one.halvings < HALVINGS:
            self._started -= 1
            self._begin(one.permit, one.request.endpoint, halvings=one.halvings + 1)
        elif self._running:
            self._speak(self._running[0])
        else:
            self._start_next()

    def _count(self, one: _Try) -> Spent:
        """Count what a try has used."""
        stage, heard = self._assignment.stage, "".join(one.heard)
        self._spent.append(calls.spent(self._runtime, stage, one.request, one.call.completion, heard))
        return self._spent[-1]

    def _judge(self, one: _Try, error: AgentError) -> None:
        """Remember what the error says about the endpoint."""
        breaker = self._runtime.health.breaker
        if one.call.completion is None and calls.tells_of_the_endpoint(error, one.timeout_s):
            retry_after_s = error.retry_after_s if isinstance(error, EndpointRefused) else None
            # What is remembered is shown to everybody: nothing of this query, which a provider may quote, is in it.
            breaker.erred(one.permit, error.brief, now=utcnow().timestamp(), retry_after_s=retry_after_s)
        else:
            breaker.release(one.permit)
