"""Every refusal as RFC 9457 `application/problem+json`: the one place that knows HTTP statuses of errors."""

import logging
import math
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json, make_response
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from folkmoot import errors
from services.gateway import openai_errors
from services.gateway.chat import ContextExceeded, UnknownModel

#: What the address of a problem type begins with; the types are names, not pages.
TYPES = "urn:folkmoot:problem:"
RETRY_AFTER_S = 2

#: Error class to status and the name of the problem type; the first that fits counts.
KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (ContextExceeded, 422, "context-length-exceeded"),
    (UnknownModel, 404, "model-not-found"),
    (errors.InvalidRequest, 422, "invalid-request"),
    (errors.MalformedRequest, 400, "malformed-request"),
    (errors.NotSignedIn, 401, "not-signed-in"),
    (errors.NotAllowed, 403, "not-allowed"),
    (errors.NotFound, 404, "not-found"),
    (errors.NotReady, 409, "not-ready"),
    (errors.UsernameTaken, 409, "username-taken"),
    (errors.LastAdmin, 409, "last-admin"),
    (errors.TooManyAttempts, 429, "too-many-attempts"),
    (errors.IdempotencyMismatch, 422, "idempotency-mismatch"),
    (errors.BudgetSpent, 429, "budget-spent"),
    (errors.LimitReached, 429, "limit-reached"),
    (errors.CouncilFailed, 503, "council-failed"),
    (errors.Unavailable, 503, "unavailable"),
)

#: Sentences for what the framework itself refuses.
FRAMEWORK = {
    400: "The request could not be read. Its body must be valid JSON.",
    404: "There is nothing at this address. /api/docs lists what there is.",
    405: "This address does not know the method. /api/docs lists the ones it knows.",
    413: "The request is too large.",
    415: "The body must be JSON, announced by `Content-Type: application/json`.",
}

log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one field, and what would be right."""

    field: str
    detail: str


class Problem(BaseModel):
    """Why a request was refused; `errors` names each field where fields were wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def register(app: Flask) -> None:
    """Answer every error of the app as a problem; what was not foreseen is logged, and told without any detail."""
    app.register_error_handler(errors.FolkmootError, _refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _refuse_unforeseen)


def answer(
    status: int,
    type_: str,
    detail: str,
    *,
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem document as the answer; to clients of OpenAI's protocol, in their own shape."""
    if openai_errors.applies():
        return openai_errors.answer(status, type_, detail, fields=fields, headers=headers)
    content: dict[str, Any] = {
        "type": TYPES + type_,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if fields is not None:
        content["errors"] = [{"field": name, "detail": sentence} for name, sentence in fields.items()]
    reply = make_response(json.dumps(content), status, headers or {})
    reply.headers["Content-Type"] = "application/problem+json"
    return reply


def _refuse(error: errors.FolkmootError) -> Response:
    for kind, status, type_ in KINDS:
        if isinstance(error, kind):
            fields = error.fields if isinstance(error, errors.InvalidRequest) else None
            if status == 503:
                log.warning("unavailable: %s", error.__cause__)
            return answer(status, type_, str(error), fields=fields, headers=_headers(error, status))
    return _refuse_unforeseen(error)


def _headers(error: errors.FolkmootError, status: int) -> dict[str, str]:
    if isinstance(error, errors.CouncilFailed):
        # The council has tried all it could; OpenAI's clients would ask it twice more by themselves.
        return {"X-Should-Retry": "false"}
    if isinstance(error, errors.TooManyAttempts):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, errors.LimitReached):
        # Nobody's retry helps before the budget begins anew; OpenAI's clients would try at once, and twice.
        hopeless = {"X-Should-Retry": "false"} if isinstance(error, errors.BudgetSpent) else {}
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s))), **hopeless}
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_AFTER_S)} if status == 503 or isinstance(error, errors.NotReady) else {}


def _refuse_http(error: HTTPException) -> Response:
    if error.response is not None:
        # A refusal that was made above already, such as that of `refuse_fields`.
        return make_response(error.response)
    status = error.code or 500
    if 300 <= status < 400:
        return make_response(error.get_response())
    detail = FRAMEWORK.get(status) or f"{error.description}"
    headers = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    return answer(status, HTTPStatus(status).phrase.lower().replace(" ", "-"), detail, headers=headers)


def _refuse_unforeseen(error: Exception) -> Response:
    log.error("unforeseen error", exc_info=error)
    return answer(500, "internal-error", "Something went wrong here, not with the request. It has been logged.")


def refuse_fields(error: ValidationError) -> Response:
    """The refusal of a request whose fields do not fit the schema."""
    fields: dict[str, str] = {}
    for problem in error.errors():
        fields.setdefault(_name(problem["loc"]), _sentence(problem))
    detail = " ".join(f"{name}: {sentence}" for name, sentence in fields.items())
    return answer(422, "invalid-request", detail, fields=fields)


#: Markers that pydantic puts into a location for the branch of a union, which no user ever named.
BRANCHES = ("dict[", "tuple[", "list[")


def _name(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location if not str(part).startswith(BRANCHES) and part != "[key]"]
    return ".".join(parts) or "body"


def _sentence(problem: Any) -> str:
    if problem["type"] == "missing":
        return "This field is required."
    if problem["type"] == "extra_forbidden":
        return "There is no such field. /api/docs lists the ones there are."
    return f"{str(problem['msg']).removeprefix('Value error, ').rstrip('.')}."
