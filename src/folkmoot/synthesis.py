"""The synthesis: one aggregator after another, until one has written a consensus that can stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from folkmoot import answers, cache, calls, prompts, provider_keys
from folkmoot.agents import Roster, Seat
from folkmoot.calls import NOTHING_UNTOLD, Untold
from folkmoot.errors import AgentError, Undecipherable
from folkmoot.panel import next_aggregator
from folkmoot.prompts import Prompt, Question
from folkmoot.race import Race
from folkmoot.resources import ConsensusResource
from folkmoot.runtime import Runtime, seconds_until, utcnow
from folkmoot.store import concluding
from folkmoot.store.cache import Look
from folkmoot.store.concluding import Conclusion
from folkmoot.store.usage import Spent
from folkmoot.wire import Completion, Request

#: Time kept at the end of a query for storing what came of it.
STORING_S = 0.3
#: A seat that concludes gets this share of the time left while another could still take over.
FAILOVER_SHARE = 0.5


@dataclass(frozen=True)
class Synthesised:
    """What came of it.

    Attributes:
        why_other: why another seat wrote it than the requested one, in words that hold nothing of the query; None when
            that one did.
        is_keepable: whether the same call may get it again.
        untold: what of it is still to be told.
    """

    consensus: ConsensusResource
    why_other: str | None = None
    is_keepable: bool = False
    untold: Untold = NOTHING_UNTOLD


@dataclass(frozen=True)
class _Draft:
    """A consensus that ran out of length: it stands only when no other model writes a whole one."""

    consensus: ConsensusResource
    note: str


def first_try(runtime: Runtime, fence: int) -> int:
    """The number of the first try of a claim: each seat is tried at each of its endpoints before the next claim."""
    return 1 + (fence - 1) * len(runtime.roster.seats) * runtime.roster.most_endpoints


class Plan:
    """What an aggregator will be asked: made before the query is claimed, and followed when one is called."""

    def __init__(self, runtime: Runtime, found: Conclusion) -> None:
        """Plan how to conclude what was found."""
        self._runtime = runtime
        self._found = found
        self._prompts: dict[int, prompts.Synthesis] = {}
        #: The call of the requested aggregator, as the cache knows it; None without a cache.
        self.request: Request | None = None

    def look_for(self) -> Look | None:
        """What to look for in the cache before the query is concluded; None when there is none to be looked for."""
        found, settings = self._found, self._runtime.settings
        seat = self._runtime.roster.seats.get(found.job.aggregator_requested)
        if seat is None or not settings.cache_hours or len(found.responses) < max(2, len(found.panel)):
            return None
        messages, most = self.prompt(_prompt_tokens(seat)).messages, seat.aggregator_max_tokens
        self.request = cache.request(seat, messages, temperature=seat.temperature, max_tokens=most)
        key = cache.key(found.job.user_id, found.job.aggregator_requested, "consensus", self.request)
        return cache.look_for(self._runtime, key, reads=found.job.use_cache is not False)

    def prompt(self, tokens: int) -> prompts.Synthesis:
        """The messages, within so many tokens."""
        if tokens not in self._prompts:
            question, responses = self._found.question, [(row.role, row.text) for row in self._found.responses]
            # By what is weighed and not by the job: the same responses make the same call.
            seed = repr((question.text, responses))
            self._prompts[tokens] = prompts.synthesis_prompt(question, responses, seed=seed, tokens=tokens)
        return self._prompts[tokens]


def _prompt_tokens(seat: Seat) -> int:
    return seat.context_tokens - seat.aggregator_max_tokens


def synthesise(
    runtime: Runtime, conclusion: Conclusion, plan: Plan, notes: list[str], spent: list[Spent]
) -> Synthesised:
    """Try one aggregator after another, health read anew for each, until one writes what can stand.

    Args:
        runtime: the process' collaborators.
        conclusion: the right to conclude.
        plan: what was planned before it was claimed.
        notes: takes what the user should know of it.
        spent: takes what the calls have used.
    Returns:
        The consensus, with who wrote it and why.
    Raises:
        AgentError: none did; `notes` says why each did not.
        ClaimLost: somebody else concludes, or the query has ended.
        Interrupted: the process is ending.
    """
    tried: list[str] = []
    failures: dict[str, str] = {}
    draft: _Draft | None = None
    if conclusion.fence > 1:
        calls.void_abandoned(runtime, conclusion.job.job_id, "consensus")
    while (agent_id := _next(runtime, conclusion, tried, draft)) is not None:
        tried.append(agent_id)
        if draft is not None:
            calls.void_abandoned(runtime, conclusion.job.job_id, "consensus")
        try:
            timeout_s = _timeout_s(runtime.roster, conclusion, tried)
            written, is_whole = _written(
                runtime,
                conclusion,
                plan,
                agent_id,
                attempt=first_try(runtime, conclusion.fence) + (len(tried) - 1) * runtime.roster.most_endpoints,
                timeout_s=timeout_s,
                notes=notes,
                spent=spent,
            )
        except AgentError as error:
            notes.append(f"{agent_id} could not conclude: {error}")
            failures[agent_id] = error.brief
            continue
        if is_whole:
            _note_passed_over(runtime, conclusion, tried, notes)
            return replace(written, why_other=_why_other(runtime, conclusion, written.consensus, failures))
        failures[agent_id] = "it ran out of length"
        runtime.events.append(conclusion.job.job_id, written.untold.events, also=written.untold.also)
        draft = draft or _Draft(
            written.consensus, f"{agent_id} ran out of length: the consensus ends at its last whole sentence."
        )
    if draft is not None:
        notes.append(draft.note)
        return Synthesised(draft.consensus, _why_other(runtime, conclusion, draft.consensus, failures))
    raise AgentError("No consensus: no agent could conclude the responses.")


def _note_passed_over(runtime: Runtime, conclusion: Conclusion, tried: Sequence[str], notes: list[str]) -> None:
    """Say why another seat concluded than the one asked for, when that one was not even tried."""
    requested = conclusion.job.aggregator_requested
    if requested not in tried:
        reason = _standing(runtime, requested)
        notes.append(f"{requested} was passed over as aggregator ({reason}); {tried[-1]} concluded.")


def _why_other(
    runtime: Runtime, conclusion: Conclusion, consensus: ConsensusResource, failures: Mapping[str, str]
) -> str | None:
    """Why this consensus is another seat's than the requested one's: that one failed, or was not even tried."""
    requested = conclusion.job.aggregator_requested
    if consensus.agent_id == requested:
        return None
    return failures.get(requested) or f"passed over, {_standing(runtime, requested)}"


def _standing(runtime: Runtime, agent_id: str) -> str:
    """What the health board says of a seat that nobody tried."""
    entry = runtime.health.board(now=utcnow().timestamp()).get(agent_id)
    return f"{entry.state}: {entry.reason}" if entry is not None else "not in the roster any more"


def _next(runtime: Runtime, conclusion: Conclusion, tried: Sequence[str], draft: _Draft | None) -> str | None:
    """The seat to try next; beside a draft only one of another model, for the same would run out of length again."""
    if tried and seconds_until(conclusion.job.deadline_at) <= STORING_S:
        return None
    seats = runtime.roster.seats
    models = {_model(seats[seat]) for seat in tried} if draft else set()
    passed_over = [*tried, *(seat for seat, one in seats.items() if _model(one) in models)]
    board = runtime.health.board(now=utcnow().timestamp())
    return next_aggregator(runtime.roster, conclusion.job.aggregator_requested, conclusion.panel, passed_over, board)


def _model(seat: Seat) -> tuple[str, str]:
    return seat.model, seat.base_url


def _timeout_s(roster: Roster, conclusion: Conclusion, tried: Sequence[str]) -> float:
    """What the seat tried last may take: a share of the time left while another model could still take over."""
    seat = roster.seats[tried[-1]]
    left_s = seconds_until(conclusion.job.deadline_at) - STORING_S
    others = (one for agent_id, one in roster.seats.items() if agent_id not in tried)
    has_another = any(_model(one) != _model(seat) for one in others)
    return left_s * FAILOVER_SHARE if has_another else left_s


def _written(
    runtime: Runtime,
    conclusion: Conclusion,
    plan: Plan,
    agent_id: str,
    *,
    attempt: int,
    timeout_s: float,
    notes: list[str],
    spent: list[Spent],
) -> tuple[Synthesised, bool]:
    """What this seat writes as the consensus, and whether it is whole.

    Raises:
        AgentError: nothing that can stand.
    """
    job, seat = conclusion.job, runtime.roster.seats[agent_id]
    try:
        own_key = provider_keys.own(runtime.db, runtime.settings, job.user_id, seat.endpoints)
    except Undecipherable as error:
        raise AgentError("the provider key of the one who asks cannot be read any more") from error
    assignment = calls.Assignment(
        job_id=job.job_id,
        agent_id=agent_id,
        seat=seat,
        stage="consensus",
        attempt=attempt,
        max_tokens=seat.aggregator_max_tokens,
        prompt_tokens=_prompt_tokens(seat),
        own_key=own_key,
    )
    race = Race(
        runtime,
        assignment,
        plan.prompt,
        timeout_s=timeout_s,
        keep=lambda: concluding.renew(runtime.db, conclusion, lease_until=runtime.lease_until(utcnow())),
        check=partial(_check, conclusion.question),
        spent=spent,
    )
    completion, prompt = race.run()
    text, is_whole = _text(completion)
    if prompt.shortened:
        notes.append(f"{agent_id} concluded from shortened texts: its model's context does not hold them whole.")
    consensus = ConsensusResource(
        text=text,
        agent_id=agent_id,
        model=completion.model,
        latency_ms=completion.latency_ms,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cost_usd=race.answered.cost_usd if race.answered else None,
    )
    is_keepable = (
        is_whole
        and plan.request is not None
        and len(conclusion.responses) == len(conclusion.panel)
        and race.sent is not None
        and cache.is_same(race.sent, plan.request)
    )
    return Synthesised(consensus, is_keepable=is_keepable, untold=race.untold), is_whole


def _text(completion: Completion) -> tuple[str, bool]:
    """What of a completion can stand, and whether that is all of it."""
    is_whole = completion.finish_reason != "length"
    return completion.text if is_whole else answers.whole_sentences(completion.text), is_whole


def _check(question: Question, completion: Completion, prompt: Prompt) -> None:
    assert isinstance(prompt, prompts.Synthesis)
    text, _ = _text(completion)
    answers.check_consensus(text, instructions=prompt.instructions, question=question.text, frame=prompt.frame)
