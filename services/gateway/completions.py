"""The face that OpenAI's clients know: models, and chat completions that are a council's consensus."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel

from folkmoot import replay, submission
from folkmoot.errors import CouncilFailed, InvalidRequest, NotFound, Unavailable
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime
from folkmoot.store import queries as store
from services.gateway import identity, queries
from services.gateway.chat import FIELDS, ChatBody, UnknownModel, models
from services.gateway.chat_answers import (
    CompletionAnswer,
    HungUp,
    ModelAnswer,
    ModelsAnswer,
    Telling,
    completion,
    why_not,
)
from services.gateway.documents import SIGNED_IN, all_refusals
from services.gateway.openai_errors import OpenAIRefusal
from services.gateway.streams import Streams, reader

log = logging.getLogger(__name__)


class ModelPath(BaseModel):
    """A model's address."""

    model: str


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
                told = _heard_out(Telling(runtime, body, asked).lines(is_wanted), let_go)
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
        return jsonify(completion(body, _concluded(runtime, asked.job_id, is_wanted)).model_dump())
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
        raise CouncilFailed(why_not(query))
    return query
