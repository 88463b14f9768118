"""What goes over the wire to an OpenAI-compatible endpoint and back: requests, chunks, answers, refusals. Pure."""

import json
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from folkmoot.agents import Endpoint
from folkmoot.answers import excerpt
from folkmoot.errors import AnswerInvalid, EndpointRefused, EndpointUnreachable
from folkmoot.prompts import Message

#: Longest name of a model that is kept.
MODEL_CHARS = 255
#: What is kept of an answer that never ends, in characters.
LONGEST_ANSWER = 400_000


@dataclass(frozen=True)
class Request:
    """What to ask of a model; `api_key` is kept out of every text.

    Attributes:
        schema: of the JSON that the answer has to be; without one it is prose.
    """

    endpoint: Endpoint
    messages: list[Message]
    temperature: float
    max_tokens: int
    api_key: str | None = field(default=None, repr=False)
    schema: dict[str, Any] | None = None


@dataclass(frozen=True)
class OwnKey:
    """A user's own key of a provider; `value` is kept out of every text."""

    provider: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Completion:
    """A whole answer, with the model that gave it as the endpoint named it."""

    text: str
    model: str
    finish_reason: str | None
    latency_ms: int
    prompt_tokens: int | None
    completion_tokens: int | None


def body(request: Request) -> dict[str, Any]:
    """The JSON of a streamed request."""
    form = {"name": "answer", "strict": True, "schema": request.schema}
    return {
        **({"response_format": {"type": "json_schema", "json_schema": form}} if request.schema else {}),
        "model": request.endpoint.model,
        "messages": request.messages,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def headers(api_key: str | None) -> dict[str, str]:
    """The headers that carry the key, if there is one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


class Reading:
    """What has come of an answer so far."""

    def __init__(self, request: Request) -> None:
        """Begin with nothing but what was asked."""
        self._request = request
        self._model = request.endpoint.model
        self._texts: list[str] = []
        self._chars = 0
        self._finish_reason: str | None = None
        self._ended = False
        self._usage: dict[str, Any] = {}

    def take(self, chunk: str) -> str:
        """Take one chunk of a stream; returns the piece of text in it."""
        if chunk == "[DONE]":
            self._ended = True
            return ""
        return self._choose(_parsed(chunk), "delta")

    def take_whole(self, body: str) -> str:
        """Take an answer that came in one piece; returns its text."""
        self._ended = True
        return self._choose(_parsed(body), "message")

    def _choose(self, content: dict[str, Any], part: str) -> str:
        if content.get("error"):
            raise EndpointRefused(_said("its endpoint answered with an error", content), status=200)
        self._model = _clean(str(content.get("model") or self._model))[:MODEL_CHARS]
        self._usage = content.get("usage") or self._usage
        choices = content.get("choices") or [{}]
        reason = choices[0].get("finish_reason")
        self._finish_reason = str(reason) if reason else self._finish_reason
        text = (choices[0].get(part) or {}).get("content") or ""
        if not isinstance(text, str):
            raise AnswerInvalid("its answer was not text")
        self._chars += len(text)
        if self._chars > LONGEST_ANSWER:
            raise AnswerInvalid(f"it did not stop after {LONGEST_ANSWER} characters")
        self._texts.append(text)
        return _clean(text)

    def completion(self, *, latency_ms: int) -> Completion:
        """The whole answer.

        Raises:
            EndpointUnreachable: the stream ended before the answer did.
        """
        if not self._ended and self._finish_reason is None:
            raise EndpointUnreachable("its answer was cut off: the connection ended before the answer did")
        return Completion(
            text=hidden(_clean("".join(self._texts)).strip(), self._request.api_key),
            model=self._model,
            finish_reason=self._finish_reason,
            latency_ms=latency_ms,
            prompt_tokens=_count(self._usage.get("prompt_tokens")),
            completion_tokens=_count(self._usage.get("completion_tokens")),
        )


def hidden(text: str, api_key: str | None) -> str:
    """The text without the key, should the endpoint repeat it."""
    return text.replace(api_key, "[key]") if api_key else text


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise AnswerInvalid(f"its answer could not be read: {excerpt(text, 80)}") from error
    if not isinstance(content, dict):
        raise AnswerInvalid(f"its answer could not be read: {excerpt(text, 80)}")
    return content


def refusal(status: int, text: str, retry_after: str | None = None) -> EndpointRefused:
    """The error that an answer with this status, body and `Retry-After` header stands for."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = text
    message = _said(f"its endpoint answered HTTP {status}", content)
    exceeded = status in (400, 413) and any(
        sign in text.lower() for sign in ("context", "maximum length", "too long", "too many tokens")
    )
    return EndpointRefused(message, status=status, context_exceeded=exceeded, retry_after_s=_seconds(retry_after))


def _seconds(retry_after: str | None) -> float | None:
    """The wait that a `Retry-After` header asks for, in seconds or until a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, until.timestamp() - time.time())


def _said(what: str, content: Any) -> str:
    """The provider's own words after ours."""
    error = content.get("error", content) if isinstance(content, dict) else content
    words = error.get("message", "") if isinstance(error, dict) else error
    said = excerpt(_clean(str(words))) if words else ""
    return f"{what}: {said}" if said else what


def _clean(text: str) -> str:
    """The text without what no database stores: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None
