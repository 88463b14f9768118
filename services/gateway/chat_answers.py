"""A council's consensus in the shapes that OpenAI's clients know: whole, and as a stream of chunks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from folkmoot import answers, prompts, replay
from folkmoot.errors import AnswerInvalid, CouncilFailed
from folkmoot.prompts import Question
from folkmoot.resources import ConsensusResource, QueryResource, ResponseResource
from folkmoot.runtime import Runtime
from folkmoot.store import queries as store
from services.gateway import openai_errors
from services.gateway.chat import COUNCIL, ChatBody
from services.gateway.speech import Speech, TakenBack

#: When these models came to be, in seconds since 1970, as OpenAI's shape wants it: the first commit of this product.
CREATED = 1_795_350_709


class HungUp(Exception):
    """Whoever asked is gone, and nobody reads what would be answered."""


class ModelAnswer(BaseModel):
    """A model in OpenAI's shape."""

    id: str
    object: str = "model"
    created: int = CREATED
    owned_by: str = COUNCIL


class ModelsAnswer(BaseModel):
    """All models."""

    object: str = "list"
    data: list[ModelAnswer]


class CompletionAnswer(BaseModel):
    """A chat completion in OpenAI's shape; `folkmoot` tells what is beyond it."""

    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, int]
    folkmoot: dict[str, Any]


def why_not(query: QueryResource) -> str:
    """The reason in a sentence for a query that ended without a consensus."""
    if query.status == "cancelled":
        return "The query was cancelled before it had a consensus."
    return " ".join(["The council came to no consensus.", *query.notes])


def completion(body: ChatBody, query: QueryResource) -> CompletionAnswer:
    """The consensus of a query that has one, in one piece."""
    assert query.consensus is not None
    message = {"role": "assistant", "content": query.consensus.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return CompletionAnswer(
        id=_id(query),
        created=int(query.created_at.timestamp()),
        model=body.model,
        choices=[choice],
        usage=_usage(query),
        folkmoot=_beyond(query),
    )


def _id(query: QueryResource) -> str:
    return f"chatcmpl-{query.job_id}"


def _usage(query: QueryResource) -> dict[str, int]:
    """Tokens of the panel and of the aggregator; the only response of a panel is its consensus, and counts once."""
    counted: list[ResponseResource | ConsensusResource] = [*query.responses]
    if query.consensus is not None and query.aggregator.used is not None:
        counted.append(query.consensus)
    prompt = sum(one.prompt_tokens or 0 for one in counted)
    completion = sum(one.completion_tokens or 0 for one in counted)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _beyond(query: QueryResource) -> dict[str, Any]:
    """What OpenAI's shape has no place for; all the rest is at `/api/v1/queries/{job_id}`."""
    return {"job_id": query.job_id, "degraded": query.degraded, "notes": query.notes}


class Telling:
    """A completion as a stream of chunks."""

    def __init__(self, runtime: Runtime, body: ChatBody, query: QueryResource) -> None:
        self._runtime = runtime
        self._body = body
        self._query = query
        is_council = body.model == COUNCIL
        self._speech = Speech("consensus" if is_council else "response", self._can_stand)
        question = Question(query.query, query.domain, query.question_type)
        self._instructions = prompts.synthesis_instructions(question, len(query.panel)) if is_council else ""

    def _can_stand(self, opening: str) -> bool:
        try:
            if self._instructions:
                answers.check_consensus(opening, instructions=self._instructions, question=self._query.query)
            else:
                answers.check_response(opening)
        except AnswerInvalid:
            return False
        return True

    def lines(self, is_wanted: Callable[[], bool]) -> Iterator[str]:
        """The lines of the stream; what goes wrong after its beginning ends it with an error.

        Raises:
            HungUp: nobody reads them any more.
        """
        yield ": open\n\n"
        yield self._chunk({"role": "assistant", "content": ""})
        try:
            for event in replay.follow(self._runtime, self._query.job_id, after=0, is_wanted=is_wanted):
                if event is None:
                    yield ": keep-alive\n\n"
                elif event.type in ("consensus", "end"):
                    yield from self._end()
                    return
                elif text := self._speech.hear(event):
                    yield self._chunk({"content": text})
        except (TakenBack, CouncilFailed) as error:
            kind = "taken-back" if isinstance(error, TakenBack) else "council-failed"
            yield _framed(openai_errors.content(503, kind, str(error)))
            return
        raise HungUp

    def _end(self) -> Iterator[str]:
        query = store.find(self._runtime.db, self._query.job_id)
        if query.consensus is None:
            raise CouncilFailed(why_not(query))
        if text := self._speech.end(query.consensus.text):
            yield self._chunk({"content": text})
        yield self._chunk({}, finish_reason="stop")
        if self._body.stream_options and self._body.stream_options.include_usage:
            yield self._framed_chunk(choices=[], usage=_usage(query), folkmoot=_beyond(query))
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._framed_chunk(choices=[choice])

    def _framed_chunk(self, **more: Any) -> str:
        return _framed(
            {
                "id": _id(self._query),
                "object": "chat.completion.chunk",
                "created": int(self._query.created_at.timestamp()),
                "model": self._body.model,
                **more,
            }
        )


def _framed(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
