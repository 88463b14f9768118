"""What one call to a seat's model needs around it: its leave, its lease, its place in the job's events."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from folkmoot import prompts
from folkmoot import settings as environment
from folkmoot.agents import Endpoint, Seat, provider_of
from folkmoot.errors import (
    AgentError,
    AnswerInvalid,
    EndpointRefused,
    EndpointTimedOut,
    EndpointUnreachable,
    OwnKeyRefused,
    Unavailable,
)
from folkmoot.redis_client import Command
from folkmoot.resources import Stage
from folkmoot.runtime import Runtime
from folkmoot.store.usage import Spent
from folkmoot.wire import Completion, OwnKey, Request

#: Whose words a delta belongs to.
Speaking = Literal["response", "consensus"]
#: An event to be told: its type, and what it says.
Event = tuple[str, dict[str, Any]]

#: A call that had less time than this says nothing about its endpoint when the time runs out, in seconds.
FAIR_S = 3.0
#: Statuses that tell about this one request, not about the endpoint.
OUR_FAULT = (400, 413, 422)
#: Statuses that tell about the key: unknown, without funds, not permitted, used too often.
KEYS_FAULT = (401, 402, 403, 429)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assignment:
    """What to do for whom.

    Attributes:
        stage: whose words these are.
        attempt: the number of its first try; tries are numbered on from it, one for each endpoint of the seat.
        own_key: the user's own key, for the endpoints of its provider.
    """

    job_id: str
    agent_id: str
    seat: Seat
    stage: Speaking
    attempt: int
    max_tokens: int
    prompt_tokens: int
    own_key: OwnKey | None = None


def tells_of_the_endpoint(error: AgentError, timeout_s: float) -> bool:
    """Whether an error says that the endpoint is not well; a user's short deadline must not take it from everybody."""
    if isinstance(error, EndpointRefused):
        return error.status not in OUR_FAULT
    if isinstance(error, EndpointTimedOut):
        return timeout_s >= FAIR_S
    return isinstance(error, EndpointUnreachable)


def spent(runtime: Runtime, stage: Stage, request: Request, completion: Completion | None, heard: str = "") -> Spent:
    """What a call has used; what its endpoint does not tell is estimated from what was sent and `heard`."""
    names = (request.endpoint.model,) if completion is None else (completion.model, request.endpoint.model)
    prompt_tokens = completion.prompt_tokens if completion is not None else None
    completion_tokens = completion.completion_tokens if completion is not None else None
    is_estimate = prompt_tokens is None or completion_tokens is None
    if prompt_tokens is None:
        prompt_tokens = prompts.tokens_in(request.messages)
    if completion_tokens is None:
        completion_tokens = prompts.tokens_of(heard if completion is None else completion.text)
    nano_usd = runtime.prices.nano_usd(names, prompt_tokens, completion_tokens)
    return Spent(stage, prompt_tokens, completion_tokens, nano_usd, is_estimate)


def is_charged(error: AgentError, heard: str) -> bool:
    """Whether a call that failed may have used something: not one that was turned away, or never got through."""
    return bool(heard) or not isinstance(error, EndpointRefused | EndpointUnreachable | OwnKeyRefused)


def key(name: str | None) -> str | None:
    """The key that lies in the variable of this name.

    Raises:
        AnswerInvalid: the roster names a variable that is not set.
    """
    if name is None:
        return None
    found = environment.variable(name)
    if found is None:
        raise AnswerInvalid(f"the variable {name}, which holds its key, is not set")
    return found


def is_for(own_key: OwnKey | None, endpoint: Endpoint) -> bool:
    """Whether an endpoint is called with the user's own key."""
    name = endpoint.api_key_env
    return own_key is not None and name is not None and provider_of(name) == own_key.provider


def key_for(endpoint: Endpoint, own_key: OwnKey | None) -> str | None:
    """The key to call an endpoint with: the user's own, where it is its provider's, else the server's.

    Raises:
        AnswerInvalid: the roster names a variable that is not set.
    """
    if own_key is not None and is_for(own_key, endpoint):
        return own_key.value
    return key(endpoint.api_key_env)


def blamed(error: AgentError, own_key: OwnKey | None, endpoint: Endpoint) -> AgentError:
    """The error, as that of the user's own key when it is the key that the endpoint does not take."""
    if own_key is None or not is_for(own_key, endpoint):
        return error
    if not isinstance(error, EndpointRefused) or error.status not in KEYS_FAULT:
        return error
    return OwnKeyRefused(f"the key of your own for {own_key.provider} was refused: {error}")


class Lease:
    """The lease on a claim, renewed thrice while it lasts; a database that is away for less costs nothing."""

    def __init__(self, keep: Callable[[], bool], lease_s: float) -> None:
        """Renew by `keep`, which says whether the claim was still ours."""
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


@dataclass(frozen=True)
class Untold:
    """What is told with an answer when it is stored: the last of its words, and that its endpoint is well."""

    events: Sequence[Event] = ()
    also: Sequence[Command] = ()


NOTHING_UNTOLD = Untold()


def delta(assignment: Assignment, attempt: int, text: str) -> Event:
    """What tells of a piece of an answer."""
    return f"{assignment.stage}.delta", {"agent_id": assignment.agent_id, "attempt": attempt, "text": text}


def void(runtime: Runtime, assignment: Assignment, attempt: int) -> None:
    """Tell whoever watches that the words of this attempt do not count."""
    _reset(runtime, assignment.job_id, assignment.stage, [(assignment.agent_id, attempt)])


def void_abandoned(
    runtime: Runtime, job_id: str, stage: Speaking, *, agent_id: str | None = None, before: int | None = None
) -> None:
    """Void what attempts have left in the stream: of one agent or of all, up to a number or every one."""
    left = runtime.events.unvoided(job_id, stage)
    _reset(
        runtime,
        job_id,
        stage,
        [one for one in left if agent_id in (None, one[0]) and (before is None or one[1] < before)],
    )


def _reset(runtime: Runtime, job_id: str, stage: Speaking, attempts: Sequence[tuple[str, int]]) -> None:
    told = [("reset", {"agent_id": agent_id, "attempt": number, "stage": stage}) for agent_id, number in attempts]
    if told:
        runtime.events.append(job_id, told)
