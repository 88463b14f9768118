"""The face that OpenAI's clients know: models, and chat completions that are a council's consensus."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel

from folkmoot import answers, prompts, replay, submission
from folkmoot.errors import AnswerInvalid, CouncilFailed, InvalidRequest, NotFound, Unavailable
from folkmoot.prompts import Question
from folkmoot.resources import ConsensusResource, QueryResource, ResponseResource
from folkmoot.runtime import Runtime
from folkmoot.store import queries as store
from services.gateway import identity, openai_errors, queries
from services.gateway.chat import COUNCIL, FIELDS, ChatBody, UnknownModel, models
from services.gateway.documents import SIGNED_IN, all_refusals
from services.gateway.openai_errors import OpenAIRefusal
from services.gateway.speech import Speech, TakenBack
from services.gateway.streams import Streams, reader

#: When these models came to be, in seconds since 1970, as OpenAI's shape wants it: the first commit of this product.
CREATED = 1_795_350_709

log = logging.getLogger(__name__)


class HungUp(Exception):
    """Whoever asked is gone, and nobody reads what would be answered."""


class ModelPath(BaseModel):
    """A model's address."""

    model: str


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


def refusals(*statuses: int) -> dict[str | int, Any]:
    """The refusals of an operation, for its documentation."""
    return dict.fromkeys(all_refusals(*statuses), OpenAIRefusal)


def api(runtime: Runtime, streams: Streams) -> APIBlueprint:
    """The routes; whoever waits for a completion counts among this replica's `streams`."""
    blueprint = APIBlueprint("completions", __name__, url_prefix="/v1")

    @blueprint.get("/models", security=SIGNED_IN, responses={200: ModelsAnswer, **refusals(401)})
    def list_models() -> Response:
        """The council, and each seat by itself."""
        return jsonify(ModelsAnswer(data=[ModelAnswer(id=name) for name in models(runtime.roster)]).model_dump())

    @blueprint.get("/models/<path:model>", security=SIGNED_IN, responses={200: ModelAnswer, **refusals(401, 404)})
    def show_model(path: ModelPath) -> Response:
        """One of them."""
        if path.model not in (known := models(runtime.roster)):
            raise UnknownModel(f"The model {path.model[:128]!r} does not exist. Choose from: {', '.join(known)}.")
        return jsonify(ModelAnswer(id=path.model).model_dump())

    @blueprint.post(
        "/chat/completions",
        security=SIGNED_IN,
        responses={200: CompletionAnswer, **refusals(400, 401, 403, 404, 413, 415)},
    )
    def complete(body: ChatBody) -> Response:
        """Ask the council, or one seat, and get its answer as a chat completion, streamed or whole."""
        end = streams.begin()
        try:
            asked, is_new = _submitted(runtime, body)
            user_id, is_wanted = identity.account().user_id, reader(request.environ)

            def let_go() -> None:
                if is_new:
                    _let_go(runtime, user_id, asked.job_id)

            if body.stream:
                told = _heard_out(_Telling(runtime, body, asked).lines(is_wanted), let_go)
                answer = Response(told, mimetype="text/event-stream")
                answer.headers["Cache-Control"] = "no-cache"
                answer.headers["X-Accel-Buffering"] = "no"
            else:
                answer = _whole(runtime, body, asked, is_wanted, let_go)
        except BaseException:
            end()
            raise
        answer.call_on_close(end)
        return answer

    return blueprint


def _submitted(runtime: Runtime, body: ChatBody) -> tuple[QueryResource, bool]:
    """The query, and whether this request made it."""
    try:
        ask = body.as_ask(runtime.roster, runtime.settings)
        return submission.submit(
            runtime,
            identity.account().user_id,
            ask,
            idempotency_key=queries.idempotency_key(),
            request_id=g.request_id,
        )
    except InvalidRequest as error:
        # What a question is called there has another name here.
        error.fields = {FIELDS.get(name, name): sentence for name, sentence in error.fields.items()}
        raise


def _let_go(runtime: Runtime, user_id: int, job_id: str) -> None:
    """Cancel a query that nobody waits for any more."""
    try:
        submission.cancel(runtime, user_id, job_id)
    except (NotFound, Unavailable) as error:
        log.warning("job %s runs on, though nobody listens: %s", job_id, error)


def _heard_out(lines: Iterator[str], let_go: Callable[[], None]) -> Iterator[str]:
    """The lines of a stream, whose query is let go when its client hangs up before their end."""
    try:
        yield from lines
    except GeneratorExit:
        let_go()
        raise
    except HungUp:
        let_go()


def _whole(
    runtime: Runtime, body: ChatBody, asked: QueryResource, is_wanted: Callable[[], bool], let_go: Callable[[], None]
) -> Response:
    """The completion in one piece, as soon as there is a consensus.

    Raises:
        CouncilFailed: there is none.
    """
    try:
        return jsonify(_completion(body, _concluded(runtime, asked.job_id, is_wanted)).model_dump())
    except HungUp:
        let_go()
        return Response()


def _concluded(runtime: Runtime, job_id: str, is_wanted: Callable[[], bool]) -> QueryResource:
    """Wait for a query's consensus.

    Raises:
        CouncilFailed: there is none.
        HungUp: nobody waits for it any more.
    """
    for event in replay.follow(runtime, job_id, after=0, is_wanted=is_wanted):
        if event is not None and event.type in ("consensus", "end"):
            break
        if not is_wanted():
            raise HungUp
    else:
        raise HungUp
    query = store.find(runtime.db, job_id)
    if query.consensus is None:
        raise CouncilFailed(_why_not(query))
    return query


def _why_not(query: QueryResource) -> str:
    if query.status == "cancelled":
        return "The query was cancelled before it had a consensus."
    return " ".join(["The council came to no consensus.", *query.notes])


def _completion(body: ChatBody, query: QueryResource) -> CompletionAnswer:
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


class _Telling:
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
            raise CouncilFailed(_why_not(query))
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
