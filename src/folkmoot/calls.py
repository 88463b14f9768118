"""One call to a seat's model for a job: streamed to the job's events, held by a lease, remembered by the health."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from folkmoot import settings as environment
from folkmoot.agents import Seat
from folkmoot.errors import (
    AgentError,
    AnswerInvalid,
    ClaimLost,
    EndpointRefused,
    EndpointTimedOut,
    EndpointUnreachable,
    Unavailable,
)
from folkmoot.prompts import Prompt
from folkmoot.runtime import Runtime, utcnow
from folkmoot.wire import Completion, Request

#: Whose words a delta belongs to.
Stage = Literal["response", "consensus"]

#: A prompt that the endpoint finds too long is halved this often.
HALVINGS = 3
#: A call that had less time than this says nothing about its seat when the time runs out, in seconds.
FAIR_S = 3.0
#: Statuses that tell about this one request, not about the seat.
OUR_FAULT = (400, 413, 422)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assignment:
    """What to do for whom: the job, the seat, which attempt it is, and which stage its words belong to."""

    job_id: str
    agent_id: str
    seat: Seat
    stage: Stage
    attempt: int
    max_tokens: int
    prompt_tokens: int


def call(
    runtime: Runtime,
    assignment: Assignment,
    prompt_within: Callable[[int], Prompt],
    *,
    timeout_s: float,
    keep: Callable[[], bool],
) -> tuple[Completion, Prompt]:
    """Ask the seat's model, and return its answer with the prompt that it answered.

    Args:
        runtime: the process' collaborators.
        assignment: what to do for whom.
        prompt_within: builds the prompt for a number of tokens.
        timeout_s: when the call has to be over, retries included.
        keep: renews the claim; False when it is lost.
    Raises:
        AgentError: there is no usable answer; the deltas streamed so far are void.
        ClaimLost: nobody wants the answer any more; the call was closed.
        Interrupted: the process is ending; the call was closed.
    """
    ends_at = time.monotonic() + timeout_s
    halved = 0
    while True:
        prompt = prompt_within(assignment.prompt_tokens >> halved)
        try:
            return _call_once(runtime, assignment, prompt, ends_at - time.monotonic(), keep), prompt
        except EndpointRefused as error:
            if not error.context_exceeded or halved == HALVINGS:
                raise
        halved += 1


def _call_once(
    runtime: Runtime, assignment: Assignment, prompt: Prompt, timeout_s: float, keep: Callable[[], bool]
) -> Completion:
    if timeout_s <= 0:
        raise EndpointTimedOut("no time was left to ask it")
    agent_id = assignment.agent_id
    try:
        completion = _stream(runtime, assignment, _request(assignment, prompt), timeout_s, keep)
    except AgentError as error:
        if _tells_of_the_seat(error, timeout_s):
            runtime.health.erred(agent_id, str(error), now=utcnow().timestamp())
        raise
    runtime.health.succeeded(agent_id, completion.latency_ms)
    return completion


def _tells_of_the_seat(error: AgentError, timeout_s: float) -> bool:
    """Whether an error says that the seat is not well; a user's short deadline must not take it from everybody."""
    if isinstance(error, EndpointRefused):
        return error.status not in OUR_FAULT
    if isinstance(error, EndpointTimedOut):
        return timeout_s >= FAIR_S
    return isinstance(error, EndpointUnreachable)


def _request(assignment: Assignment, prompt: Prompt) -> Request:
    seat = assignment.seat
    return Request(
        endpoint=seat,
        messages=prompt.messages,
        temperature=seat.temperature,
        max_tokens=assignment.max_tokens,
        api_key=_key(seat.api_key_env),
    )


def _key(name: str | None) -> str | None:
    if name is None:
        return None
    key = environment.variable(name)
    if key is None:
        raise AnswerInvalid(f"the variable {name}, which holds its key, is not set")
    return key


def _stream(
    runtime: Runtime, assignment: Assignment, request: Request, timeout_s: float, keep: Callable[[], bool]
) -> Completion:
    """Follow the call, passing its pieces on, renewing the claim thrice a lease, and voiding what a failure left."""
    under_way = runtime.provider.start(request, timeout_s=timeout_s)
    lease = _Lease(keep, runtime.settings.lease_s)
    has_streamed = False
    try:
        for pieces in under_way.pieces(tick_s=min(lease.every_s, 1.0)):
            if pieces:
                _append(runtime, assignment, f"{assignment.stage}.delta", text="".join(pieces))
                has_streamed = True
            if not lease.is_held():
                raise ClaimLost(f"job {assignment.job_id} does not wait for {assignment.agent_id} any more")
    except Exception:
        if has_streamed:
            void(runtime, assignment)
        raise
    finally:
        under_way.cancel()
    assert under_way.completion is not None
    return under_way.completion


class _Lease:
    """The lease on a claim, renewed thrice while it lasts; a database that is away for less costs nothing."""

    def __init__(self, keep: Callable[[], bool], lease_s: float) -> None:
        self.every_s = lease_s / 3
        self._keep = keep
        self._lease_s = lease_s
        self._kept_at = self._tried_at = time.monotonic()

    def is_held(self) -> bool:
        """Renew it when it is time to; False when it is lost, or ran out before it could be renewed."""
        now = time.monotonic()
        if now - self._tried_at < self.every_s:
            return True
        self._tried_at = now
        try:
            is_kept = self._keep()
        except Unavailable as error:
            log.warning("a lease was not renewed, to be tried again: %s", error.__cause__)
            return now - self._kept_at < self._lease_s
        self._kept_at = now
        return is_kept


def void(runtime: Runtime, assignment: Assignment) -> None:
    """Tell whoever watches that the words of this attempt do not count."""
    _reset(runtime, assignment.job_id, assignment.stage, [(assignment.agent_id, assignment.attempt)])


def void_abandoned(runtime: Runtime, job_id: str, stage: Stage, *, agent_id: str | None = None) -> None:
    """Void what earlier attempts have left in the stream, of one agent or of all."""
    left = runtime.events.unvoided(job_id, stage)
    _reset(runtime, job_id, stage, [one for one in left if agent_id in (None, one[0])])


def _reset(runtime: Runtime, job_id: str, stage: Stage, attempts: Sequence[tuple[str, int]]) -> None:
    told = [("reset", {"agent_id": agent_id, "attempt": number, "stage": stage}) for agent_id, number in attempts]
    if told:
        runtime.events.append(job_id, told)


def _append(runtime: Runtime, assignment: Assignment, type_: str, *, text: str) -> None:
    data = {"agent_id": assignment.agent_id, "attempt": assignment.attempt, "text": text}
    runtime.events.append(assignment.job_id, [(type_, data)])
