"""Refusals in the shape that OpenAI's clients read."""

from typing import Any

from flask import Response, json, make_response, request
from pydantic import BaseModel

#: Where clients of OpenAI's protocol ask.
PREFIX = "/v1/"
#: Where OpenAI's code is another word than our problem's.
CODES = {
    "not-signed-in": "invalid_api_key",
    "limit-reached": "rate_limit_exceeded",
    "budget-spent": "insufficient_quota",
}
#: What OpenAI calls the kind of error, where it is not told by the status.
KINDS = {"limit-reached": "requests", "budget-spent": "insufficient_quota"}


class OpenAIError(BaseModel):
    """Why; `param` is the field that is wrong, where one is."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIRefusal(BaseModel):
    """What a request that was not answered gets."""

    error: OpenAIError


def applies() -> bool:
    """Whether the request under way came by OpenAI's protocol."""
    return request.path.startswith(PREFIX)


def content(status: int, type_: str, detail: str, *, param: str | None = None) -> dict[str, Any]:
    """The refusal as JSON values; `type_` is the name of the problem type."""
    code = CODES.get(type_, type_.replace("-", "_"))
    kind = KINDS.get(type_) or ("invalid_request_error" if status < 500 else "server_error")
    return OpenAIRefusal(error=OpenAIError(message=detail, type=kind, param=param, code=code)).model_dump()


def answer(
    status: int, type_: str, detail: str, *, fields: dict[str, str] | None, headers: dict[str, str] | None
) -> Response:
    """The refusal as the answer; where a field is wrong OpenAI says 400, not 422."""
    status = 400 if status == 422 else status
    body = content(status, type_, detail, param=next(iter(fields), None) if fields else None)
    reply = make_response(json.dumps(body), status, headers or {})
    reply.headers["Content-Type"] = "application/json"
    return reply
