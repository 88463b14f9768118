"""One call to a scripted model: the step that says what happens, what is recorded of it, and the reply."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, fields
from typing import Any

from aiohttp import web

from tests.scripted_answers import answer


@dataclass(frozen=True)
class Step:
    """What the model does with one call; the defaults are a good answer at once."""

    text: str | None = None
    delay_s: float = 0.0
    token_delay_s: float = 0.0
    status: int = 200
    error: str | None = None
    retry_after: float | None = None
    hang: bool = False
    hang_after_tokens: int | None = None
    cut_after_tokens: int | None = None
    error_after_tokens: int | None = None
    finish_reason: str = "stop"
    echo: bool = False
    empty: bool = False
    content_type_html: bool = False
    broken_json: bool = False

    @classmethod
    def parse(cls, step: Any) -> "Step":
        """Read a step from JSON; a misspelt name is an error, or a test would pass for nothing."""
        known = {each.name for each in fields(cls)}
        if not isinstance(step, dict) or not set(step) <= known:
            raise ValueError(f"a step is an object with names from {sorted(known)}, not {step!r}")
        return cls(**step)


@dataclass
class Call:
    """One request for a completion and what became of it; times are seconds since the epoch."""

    model: str
    stage: str
    messages: list[dict[str, Any]]
    parameters: dict[str, Any]
    headers: dict[str, str]
    at: float
    step: dict[str, Any] = field(default_factory=dict)
    answer: str = ""
    first_token_at: float | None = None
    finished_at: float | None = None
    disconnected_at: float | None = None

    @property
    def prompt(self) -> str:
        """All that the model was told, in one string."""
        return prompt_of(self.messages)


@dataclass
class Reply:
    """One answer on its way to one client."""

    request: web.Request
    call: Call
    step: Step
    tokens: list[str]
    reason: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")

    async def whole(self) -> web.StreamResponse:
        """The answer in one piece."""
        async for token in self._spoken():
            self.call.answer += token
        if self._is_cut():
            return self._hang_up(web.StreamResponse())
        message = {"role": "assistant", "content": self.call.answer}
        choice = {"index": 0, "message": message, "finish_reason": self.reason}
        self.call.finished_at = time.time()
        return web.json_response(self._object("chat.completion", [choice]) | {"usage": self._usage()})

    async def stream(self) -> web.StreamResponse:
        """The answer token by token, as server-sent events."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(self.request)
        await self._send(response, self._delta({"role": "assistant", "content": ""}))
        async for token in self._spoken():
            await self._send(response, self._delta({"content": token}))
            self.call.answer += token
        if self._is_cut():
            return self._hang_up(response)
        await self._finish(response)
        self.call.finished_at = time.time()
        return response

    async def _spoken(self) -> AsyncIterator[str]:
        """The tokens at the pace of the step, up to where it stops."""
        last = self.step.cut_after_tokens
        last = self.step.error_after_tokens if last is None else last
        for position, token in enumerate(self.tokens[:last]):
            if position == self.step.hang_after_tokens:
                await for_ever()
            await asyncio.sleep(self.step.token_delay_s)
            self.call.first_token_at = self.call.first_token_at or time.time()
            yield token
        if self.step.hang_after_tokens is not None:
            await for_ever()

    async def _finish(self, response: web.StreamResponse) -> None:
        if self.step.error_after_tokens is not None:
            await self._send(response, _error_body(502, "scripted failure in mid-stream"))
            return
        await self._send(response, self._delta({}, self.reason))
        if (self.call.parameters.get("stream_options") or {}).get("include_usage"):
            await self._send(response, self._object("chat.completion.chunk", []) | {"usage": self._usage()})
        await response.write(b"data: [DONE]\n\n")

    def _is_cut(self) -> bool:
        return self.step.cut_after_tokens is not None

    def _hang_up(self, response: web.StreamResponse) -> web.StreamResponse:
        self.call.finished_at = time.time()
        if self.request.transport is not None:
            self.request.transport.close()
        return response

    def _delta(self, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return self._object("chat.completion.chunk", [choice])

    def _object(self, kind: str, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": int(self.call.at),
            "model": self.call.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        asked, told = len(self.call.prompt.split()), len(self.tokens)
        return {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}

    async def _send(self, response: web.StreamResponse, event: dict[str, Any]) -> None:
        await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


async def for_ever() -> None:
    """Wait until the client leaves or the server ends."""
    await asyncio.Event().wait()


def refusal(status: int, message: str, retry_after: float | None = None) -> web.Response:
    """An error in OpenAI's shape."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response(_error_body(status, message), status=status, headers=headers)


def _error_body(status: int, message: str) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


def prompt_of(messages: list[dict[str, Any]]) -> str:
    """The contents of all messages in one string."""
    return "\n\n".join(message["content"] for message in messages)


def text_of(call: Call, step: Step) -> str:
    """What the model is to say."""
    if step.empty:
        return ""
    if step.echo:
        return call.prompt
    return answer(call.model, call.stage, call.prompt) if step.text is None else step.text


def cut_to_size(text: str, step: Step, parameters: dict[str, Any]) -> tuple[list[str], str]:
    """Words with the space before them; like a real server, no more of them than asked for."""
    tokens = re.findall(r"\s*\S+|\s+$", text)
    most = parameters.get("max_tokens") or parameters.get("max_completion_tokens") or len(tokens)
    return (tokens[:most], "length") if len(tokens) > most else (tokens, step.finish_reason)
