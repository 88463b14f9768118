"""A response: one agent asked for its answer, which comes, or does not and says why."""

from folkmoot import answers, cache, calls, prompts, provider_keys
from folkmoot.errors import AgentError, EndpointTimedOut, Undecipherable
from folkmoot.race import Race
from folkmoot.runtime import Runtime, seconds_until, utcnow
from folkmoot.store import asking, queries
from folkmoot.store.asking import Claim, Outcome
from folkmoot.store.cache import Look
from folkmoot.store.usage import Spent

SHORTENED = "Question and conversation did not fit into every model's context; those models answered a shortened text."

KEY_LOST = "the provider key of your own cannot be read any more; set it anew, or remove it"


def first_try(runtime: Runtime, attempt: int) -> int:
    """The number of the first try of a claim: a seat is tried at each of its endpoints before it is claimed again."""
    return 1 + (attempt - 1) * runtime.roster.most_endpoints


def look_for(runtime: Runtime, job_id: str, agent_id: str) -> Look | None:
    """What to look for in the cache before the agent is asked; None when there is none to be looked for."""
    found = asking.to_ask(runtime.db, job_id, agent_id) if runtime.settings.cache_hours else None
    seat = runtime.roster.seats.get(agent_id)
    if found is None or seat is None:
        return None
    job, role = found
    tokens = seat.prompt_tokens or seat.context_tokens - seat.max_tokens
    prompt = prompts.agent_prompt(queries.question(runtime.db, job), role, tokens=tokens)
    sent = cache.request(seat, prompt.messages, temperature=seat.temperature, max_tokens=seat.max_tokens)
    return cache.look_for(runtime, cache.key(job.user_id, agent_id, "response", sent), reads=job.use_cache)


def answer(runtime: Runtime, claim: Claim, spent: list[Spent]) -> Outcome:
    """Ask the agent; how it ended, well or not, is the outcome. `spent` takes what the calls have used."""
    job = claim.job
    seat = runtime.roster.seats.get(claim.agent_id)
    if seat is None:
        return Outcome("failed", model="", error="this seat is not in the roster any more")
    try:
        own_key = provider_keys.own(runtime.db, runtime.settings, job.user_id, seat.endpoints)
    except Undecipherable:
        return Outcome("failed", model=seat.model, error=KEY_LOST)
    assignment = calls.Assignment(
        job_id=job.job_id,
        agent_id=claim.agent_id,
        seat=seat,
        stage="response",
        attempt=first_try(runtime, claim.attempt),
        max_tokens=seat.max_tokens,
        prompt_tokens=seat.prompt_tokens or seat.context_tokens - seat.max_tokens,
        own_key=own_key,
    )
    if claim.attempt > 1:
        calls.void_abandoned(runtime, job.job_id, "response", agent_id=claim.agent_id)
    question = queries.question(runtime.db, job)
    race = Race(
        runtime,
        assignment,
        lambda tokens: prompts.agent_prompt(question, claim.role, tokens=tokens),
        timeout_s=seconds_until(job.ask_deadline_at),
        keep=lambda: asking.renew(runtime.db, claim, lease_until=runtime.lease_until(utcnow())),
        check=lambda completion, _: answers.check_response(completion.text),
        spent=spent,
    )
    try:
        completion, prompt = race.run()
    except EndpointTimedOut as error:
        return Outcome("timed_out", model=seat.model, error=str(error))
    except AgentError as error:
        return Outcome("failed", model=seat.model, error=str(error))
    return Outcome(
        "ok",
        model=completion.model,
        text=completion.text,
        latency_ms=completion.latency_ms,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cost_usd=race.answered.cost_usd if race.answered else None,
        note=SHORTENED if prompt.shortened else None,
        is_keepable=completion.finish_reason != "length"
        and claim.key is not None
        and race.sent is not None
        and cache.is_same(race.sent, claim.key, job.user_id, claim.agent_id, "response"),
    )
