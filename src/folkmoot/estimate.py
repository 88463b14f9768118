"""What a query may use at the most when nothing goes wrong, before anybody is asked: so much is reserved for it."""

from collections.abc import Sequence

from folkmoot import prompts
from folkmoot.agents import Seat
from folkmoot.prompts import TEMPLATE_TOKENS, Question, Turn, tokens_of
from folkmoot.resources import Stage
from folkmoot.runtime import Runtime
from folkmoot.store import queries
from folkmoot.store.queries import NewQuery, NewResponse
from folkmoot.store.usage import Amount

#: Tokens around each response that the aggregator reads: its label and the marks of quotation.
LABEL_TOKENS = 64


def of_query(runtime: Runtime, new: NewQuery, places: Sequence[NewResponse]) -> dict[Stage, Amount]:
    """One call to each seat that is asked, and one consensus of all that they may say.

    What tries after a failure, second endpoints and other aggregators use comes on top as it happens.
    """
    earlier = queries.conversation(runtime.db, new.parent_job_id, user_id=new.user_id)
    turns = (*earlier, *(Turn(*turn) for turn in new.turns))
    question = Question(new.query, new.domain, new.question_type, turns, new.instructions)
    seats = [(runtime.roster.seats[one.agent_id], one.role) for one in places if one.skipped is None]
    panel = sum((_response(runtime, question, seat, role) for seat, role in seats), Amount())
    if len(seats) < 2:
        return {"response": panel}
    answers = sum(seat.max_tokens + LABEL_TOKENS for seat, _ in seats)
    return {
        "response": panel,
        "consensus": _consensus(runtime, question, runtime.roster.seats[new.aggregator], len(seats), answers),
    }


def _response(runtime: Runtime, question: Question, seat: Seat, role: str) -> Amount:
    room = seat.prompt_tokens or seat.context_tokens - seat.max_tokens
    return _amount(
        runtime, seat, prompts.tokens_in(prompts.agent_prompt(question, role, tokens=room).messages), seat.max_tokens
    )


def _consensus(runtime: Runtime, question: Question, seat: Seat, count: int, answers: int) -> Amount:
    said = [question.text, question.instructions, *(f"{turn.query}{turn.consensus}" for turn in question.earlier)]
    task = tokens_of(prompts.synthesis_instructions(question, count)) + TEMPLATE_TOKENS
    whole = task + sum(tokens_of(prompts.quoted(text)) for text in said) + answers
    room = seat.context_tokens - seat.aggregator_max_tokens
    return _amount(runtime, seat, min(whole, max(room, 0)), seat.aggregator_max_tokens)


def _amount(runtime: Runtime, seat: Seat, prompt_tokens: int, completion_tokens: int) -> Amount:
    nano_usd = runtime.prices.nano_usd((seat.model,), prompt_tokens, completion_tokens)
    return Amount(prompt_tokens + completion_tokens, nano_usd or 0)
