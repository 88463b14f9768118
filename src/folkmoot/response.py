"""A response: one agent asked for its answer, which comes, or does not and says why."""

from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import Connection

from folkmoot import answers, cache, calls, prompts, provider_keys
from folkmoot.calls import NOTHING_UNTOLD, Untold
from folkmoot.errors import AgentError, EndpointTimedOut, Undecipherable
from folkmoot.prompts import Prompt
from folkmoot.race import Race
from folkmoot.runtime import Runtime, seconds_until, utcnow
from folkmoot.statements import Record
from folkmoot.store import asking, queries
from folkmoot.store.asking import Claim, Outcome
from folkmoot.store.cache import Look
from folkmoot.store.usage import Spent
from folkmoot.wire import Request

SHORTENED = "Question and conversation did not fit into every model's context; those models answered a shortened text."

KEY_LOST = "the provider key of your own cannot be read any more; set it anew, or remove it"


def first_try(runtime: Runtime, attempt: int) -> int:
    """The number of the first try of a claim: a seat is tried at each of its endpoints before it is claimed again."""
    return 1 + (attempt - 1) * runtime.roster.most_endpoints


class Plan:
    """What an agent will be asked: made while it is claimed, and followed when it is called."""

    def __init__(self, runtime: Runtime, agent_id: str) -> None:
        """Plan for this seat, which may not be in the roster any more."""
        self._runtime = runtime
        self._agent_id = agent_id
        self.seat = runtime.roster.seats.get(agent_id)
        self._prompt: Callable[[int], Prompt] | None = None
        #: The call, as the cache knows it; None without a cache.
        self.request: Request | None = None

    def look_for(self, connection: Connection, job: Record, role: str) -> Look | None:
        """Read the question, and say what to look for in the cache before the agent is asked; None without a cache."""
        question, seat = queries.question(connection, job), self.seat

        @lru_cache(maxsize=1)
        def prompt(tokens: int) -> Prompt:
            return prompts.agent_prompt(question, role, tokens=tokens)

        self._prompt = prompt
        if seat is None or not self._runtime.settings.cache_hours:
            return None
        messages = prompt(self.tokens).messages
        self.request = cache.request(seat, messages, temperature=seat.temperature, max_tokens=seat.max_tokens)
        key = cache.key(job.user_id, self._agent_id, "response", self.request)
        return cache.look_for(self._runtime, key, reads=job.use_cache is not False)

    @property
    def tokens(self) -> int:
        """What the prompt may take."""
        assert self.seat is not None
        return self.seat.prompt_tokens or self.seat.context_tokens - self.seat.max_tokens

    def prompt(self, tokens: int) -> Prompt:
        """The messages, within so many tokens."""
        assert self._prompt is not None, "nothing was planned"
        return self._prompt(tokens)


def answer(
    runtime: Runtime, claim: Claim, plan: Plan, spent: list[Spent], meanwhile: Callable[[], None]
) -> tuple[Outcome, Untold]:
    """Ask the agent as it was planned.

    Args:
        runtime: the process' collaborators.
        claim: the right to ask.
        plan: what was planned when it was claimed.
        spent: takes what the calls have used.
        meanwhile: does what need not be done before the first call has begun.
    Returns:
        How it ended, well or not, and what of it is still to be told.
    """
    job, seat = claim.job, plan.seat
    if seat is None:
        meanwhile()
        return Outcome("failed", model="", error="this seat is not in the roster any more"), NOTHING_UNTOLD
    try:
        own_key = provider_keys.own(runtime.db, runtime.settings, job.user_id, seat.endpoints)
    except Undecipherable:
        meanwhile()
        return Outcome("failed", model=seat.model, error=KEY_LOST), NOTHING_UNTOLD
    assignment = calls.Assignment(
        job_id=job.job_id,
        agent_id=claim.agent_id,
        seat=seat,
        stage="response",
        attempt=first_try(runtime, claim.attempt),
        max_tokens=seat.max_tokens,
        prompt_tokens=plan.tokens,
        own_key=own_key,
    )
    if claim.attempt > 1:
        calls.void_abandoned(runtime, job.job_id, "response", agent_id=claim.agent_id)
    race = Race(
        runtime,
        assignment,
        plan.prompt,
        timeout_s=seconds_until(job.ask_deadline_at),
        keep=lambda: asking.renew(runtime.db, claim, lease_until=runtime.lease_until(utcnow())),
        check=lambda completion, _: answers.check_response(completion.text),
        spent=spent,
        meanwhile=meanwhile,
    )
    try:
        completion, prompt = race.run()
    except EndpointTimedOut as error:
        return Outcome("timed_out", model=seat.model, error=str(error)), NOTHING_UNTOLD
    except AgentError as error:
        return Outcome("failed", model=seat.model, error=str(error)), NOTHING_UNTOLD
    outcome = Outcome(
        "ok",
        model=completion.model,
        text=completion.text,
        latency_ms=completion.latency_ms,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cost_usd=race.answered.cost_usd if race.answered else None,
        note=SHORTENED if prompt.shortened else None,
        is_keepable=completion.finish_reason != "length"
        and plan.request is not None
        and race.sent is not None
        and cache.is_same(race.sent, plan.request),
    )
    return outcome, race.untold
