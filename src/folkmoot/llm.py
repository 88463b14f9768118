"""The provider client: one streamed call to any OpenAI-compatible endpoint, bounded in time, cancelled at once.

Worker threads call; all calls of a process run on one event loop in a thread of its own, so that a limit of time is
one limit for the whole call, and a call that nobody wants any more is closed at the endpoint too.
"""

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from folkmoot.agents import Endpoint
from folkmoot.answers import excerpt
from folkmoot.errors import (
    AgentError,
    AnswerInvalid,
    EndpointRefused,
    EndpointTimedOut,
    EndpointUnreachable,
)
from folkmoot.prompts import Message

#: A connection that takes longer than this will not come.
CONNECT_TIMEOUT_S = 5.0
#: An idle connection is dropped before common servers drop it (5 s), so that no call meets a dead one.
KEEPALIVE_S = 4.0
#: The longest line of a stream, in bytes; a whole answer in one chunk fits.
LONGEST_LINE = 4 * 2**20
#: Longest name of a model that is kept.
MODEL_CHARS = 255
#: What is kept of an answer that never ends, in characters.
LONGEST_ANSWER = 400_000


@dataclass(frozen=True)
class Request:
    """What to ask of a model; `api_key` is kept out of every text."""

    endpoint: Endpoint
    messages: list[Message]
    temperature: float
    max_tokens: int
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Completion:
    """A whole answer, with the model that gave it as the endpoint named it."""

    text: str
    model: str
    finish_reason: str | None
    latency_ms: int
    prompt_tokens: int | None
    completion_tokens: int | None


class Call:
    """One call under way: iterate over it for the pieces as they come, then take `completion`."""

    def __init__(self) -> None:
        """Wait for pieces from the loop's thread."""
        self.completion: Completion | None = None
        self._pieces: queue.SimpleQueue[str | Completion | AgentError] = queue.SimpleQueue()
        self._future: Future[None] | None = None

    def pieces(self, *, tick_s: float) -> Iterator[list[str]]:
        """The pieces that have come since the last look, as soon as there is one; an empty list each silent `tick_s`.

        Raises:
            AgentError: the call failed; what came before is not an answer.
        """
        failure: AgentError | None = None
        while self.completion is None and failure is None:
            pieces: list[str] = []
            for piece in self._arrived(tick_s):
                if isinstance(piece, AgentError):
                    failure = piece
                elif isinstance(piece, Completion):
                    self.completion = piece
                else:
                    pieces.append(piece)
            if pieces or (self.completion is None and failure is None):
                yield pieces
        if failure is not None:
            raise failure

    def _arrived(self, tick_s: float) -> Iterator[str | Completion | AgentError]:
        try:
            yield self._pieces.get(timeout=tick_s)
            while True:
                yield self._pieces.get_nowait()
        except queue.Empty:
            return

    def cancel(self) -> None:
        """Close the connection of a call that nobody wants any more; harmless after its end."""
        if self._future is not None:
            self._future.cancel()


class Provider:
    """Calls models. One per process: it owns a thread with an event loop and a pool of connections."""

    def __init__(self) -> None:
        """Start the loop's thread."""
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
        self._thread.start()

    def start(self, request: Request, *, timeout_s: float) -> Call:
        """Begin a call that ends within `timeout_s`, one way or the other."""
        call = Call()
        call._future = asyncio.run_coroutine_threadsafe(self._run(request, call, timeout_s), self._loop)
        return call

    def reachable(self, endpoint: Endpoint, api_key: str | None, *, timeout_s: float) -> None:
        """See that something answers at the endpoint, by asking for its models.

        Raises:
            AgentError: nothing does, or only errors come.
        """
        asyncio.run_coroutine_threadsafe(self._probe(endpoint, api_key, timeout_s), self._loop).result()

    def close(self) -> None:
        """End all calls, close the connections and end the thread."""

        async def close() -> None:
            if self._session is not None:
                await self._session.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                read_bufsize=LONGEST_LINE,
            )
        return self._session

    async def _run(self, request: Request, call: Call, timeout_s: float) -> None:
        """Put every piece, and last the completion or the error, where the calling thread waits for it."""
        try:
            async with asyncio.timeout(timeout_s):
                completion = await self._stream(request, call)
        except TimeoutError:
            call._pieces.put(EndpointTimedOut(f"no whole answer within {timeout_s:.0f} s"))
        except AgentError as error:
            call._pieces.put(error)
        except (aiohttp.ClientError, OSError) as error:
            call._pieces.put(EndpointUnreachable(_reason(request.endpoint, error)))
        except asyncio.CancelledError:
            call._pieces.put(EndpointUnreachable("the call was cancelled"))
            raise
        except Exception as error:
            call._pieces.put(AnswerInvalid(f"its answer could not be read: {type(error).__name__}"))
        else:
            call._pieces.put(completion)

    async def _stream(self, request: Request, call: Call) -> Completion:
        started = time.monotonic()
        url = f"{request.endpoint.base_url.rstrip('/')}/chat/completions"
        async with self._client().post(url, json=_body(request), headers=_headers(request.api_key)) as answer:
            if answer.status >= 400:
                raise _refusal(answer.status, await answer.text(errors="replace"), request.api_key)
            reading = _Reading(request)
            if "text/event-stream" in answer.headers.get("Content-Type", ""):
                async for chunk in _chunks(answer):
                    piece = reading.take(chunk)
                    if piece:
                        call._pieces.put(piece)
            else:
                piece = reading.take_whole(await answer.text(errors="replace"))
                call._pieces.put(piece)
        return reading.completion(latency_ms=round((time.monotonic() - started) * 1000))

    async def _probe(self, endpoint: Endpoint, api_key: str | None, timeout_s: float) -> None:
        url = f"{endpoint.base_url.rstrip('/')}/models"
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._client().get(url, headers=_headers(api_key)) as answer,
            ):
                if answer.status >= 500 or answer.status in (401, 403):
                    raise _refusal(answer.status, await answer.text(errors="replace"), api_key)
        except TimeoutError as error:
            raise EndpointTimedOut(f"its endpoint did not answer within {timeout_s:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointUnreachable(_reason(endpoint, error)) from error


class _Reading:
    """What has come of an answer so far."""

    def __init__(self, request: Request) -> None:
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
        if "error" in content:
            raise EndpointRefused(
                _said("its endpoint answered with an error", content, self._request.api_key), status=200
            )
        self._model = _clean(str(content.get("model") or self._model))[:MODEL_CHARS]
        self._usage = content.get("usage") or self._usage
        choices = content.get("choices") or [{}]
        self._finish_reason = choices[0].get("finish_reason") or self._finish_reason
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
            text=_clean("".join(self._texts)).strip(),
            model=self._model,
            finish_reason=self._finish_reason,
            latency_ms=latency_ms,
            prompt_tokens=_count(self._usage.get("prompt_tokens")),
            completion_tokens=_count(self._usage.get("completion_tokens")),
        )


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The data of each server-sent event; its other fields mean nothing in this protocol."""
    async for line in answer.content:
        if line.startswith(b"data:"):
            data = line[5:].strip().decode("utf-8", errors="replace")
            yield data
            if data == "[DONE]":
                return


def _body(request: Request) -> dict[str, Any]:
    return {
        "model": request.endpoint.model,
        "messages": request.messages,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _headers(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise AnswerInvalid(f"its answer could not be read: {excerpt(text, 80)}") from error
    if not isinstance(content, dict):
        raise AnswerInvalid(f"its answer could not be read: {excerpt(text, 80)}")
    return content


def _refusal(status: int, body: str, api_key: str | None) -> EndpointRefused:
    try:
        content = json.loads(body)
    except ValueError:
        content = body
    message = _said(f"its endpoint answered HTTP {status}", content, api_key)
    exceeded = status in (400, 413) and any(
        sign in body.lower() for sign in ("context", "maximum length", "too long", "too many tokens")
    )
    return EndpointRefused(message, status=status, context_exceeded=exceeded)


def _said(what: str, content: Any, api_key: str | None) -> str:
    """The provider's own words after ours, without the key should it repeat it."""
    error = content.get("error", content) if isinstance(content, dict) else content
    words = error.get("message", "") if isinstance(error, dict) else error
    said = excerpt(_clean(str(words))) if words else ""
    if api_key:
        said = said.replace(api_key, "[key]")
    return f"{what}: {said}" if said else what


def _reason(endpoint: Endpoint, error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to its endpoint {endpoint.base_url}: {error.strerror or 'connection failed'}"
    if isinstance(error, aiohttp.ServerTimeoutError):
        return f"no connection to its endpoint {endpoint.base_url} within {CONNECT_TIMEOUT_S:.0f} s"
    return "its answer was cut off: the connection broke"


def _clean(text: str) -> str:
    """The text without what no database stores: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
