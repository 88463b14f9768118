"""The provider client: one streamed call to any OpenAI-compatible endpoint, bounded in time, cancelled at once.

Worker threads call; all calls of a process run on one event loop in a thread of its own, so that a limit of time is
one limit for the whole call, and a call that nobody wants any more is closed at the endpoint too.
"""

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future

import aiohttp

from folkmoot import traces
from folkmoot.agents import Endpoint
from folkmoot.errors import (
    AgentError,
    AnswerInvalid,
    EndpointTimedOut,
    EndpointUnreachable,
    Interrupted,
)
from folkmoot.wire import Completion, Reading, Request, body, headers, hidden, refusal

#: A connection that takes longer than this will not come.
CONNECT_TIMEOUT_S = 5.0
#: An idle connection is dropped before common servers drop it (5 s), so that no call meets a dead one.
KEEPALIVE_S = 4.0
#: The longest line of a stream, in bytes; a whole answer in one chunk fits.
LONGEST_LINE = 4 * 2**20

log = logging.getLogger(__name__)


class Call:
    """One call under way: look at it whenever it wakes you, until `completion` is there."""

    def __init__(self, wake: threading.Event) -> None:
        """Wait for what comes from the loop's thread."""
        self.completion: Completion | None = None
        self._failure: AgentError | Interrupted | None = None
        self._wake = wake
        self._arrived: queue.SimpleQueue[str | Completion | AgentError | Interrupted] = queue.SimpleQueue()
        self._future: Future[None] | None = None

    def take(self) -> list[str]:
        """The pieces that have come since the last look; with the last of them `completion` is set.

        A failure is raised by the look after that which took the last piece before it.

        Raises:
            AgentError: the call failed; what came before is not an answer.
            Interrupted: the process is ending.
        """
        pieces: list[str] = []
        while self._failure is None and not self._arrived.empty():
            arrived = self._arrived.get()
            if isinstance(arrived, AgentError | Interrupted):
                self._failure = arrived
                self._wake.set()
            elif isinstance(arrived, Completion):
                self.completion = arrived
            else:
                pieces.append(arrived)
        if self._failure is not None and not pieces:
            raise self._failure
        return pieces

    def cancel(self) -> None:
        """Close the connection of a call that nobody wants any more; harmless after its end."""
        if self._future is not None:
            self._future.cancel()

    def _put(self, arrived: str | Completion | AgentError | Interrupted) -> None:
        self._arrived.put(arrived)
        self._wake.set()


class Provider:
    """Calls models. One per process: it owns a thread with an event loop and a pool of connections."""

    def __init__(self) -> None:
        """Start the loop's thread."""
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        self._is_ending = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
        self._thread.start()

    def start(self, request: Request, *, timeout_s: float, wake: threading.Event) -> Call:
        """Begin a call that ends within `timeout_s`, one way or the other; `wake` is set whenever something comes."""
        call = Call(wake)
        call._future = asyncio.run_coroutine_threadsafe(self._run(request, call, timeout_s), self._loop)
        return call

    def reachable(self, endpoint: Endpoint, api_key: str | None, *, timeout_s: float) -> None:
        """See that something answers at the endpoint, by asking for its models.

        Raises:
            AgentError: nothing does, or only errors come.
            Interrupted: the process is ending.
        """
        try:
            asyncio.run_coroutine_threadsafe(self._probe(endpoint, api_key, timeout_s), self._loop).result()
        except CancelledError as error:
            raise Interrupted("this process is ending") from error

    def interrupt(self) -> None:
        """End all calls under way, and from now on each new one at once, because the process is ending."""
        asyncio.run_coroutine_threadsafe(self._interrupt(), self._loop).result(timeout=5)

    async def _interrupt(self) -> None:
        self._is_ending = True
        calls = asyncio.all_tasks() - {asyncio.current_task()}
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def close(self) -> None:
        """End all calls, close the connections and end the thread."""

        async def close() -> None:
            await self._interrupt()
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
        if self._is_ending:
            call._put(Interrupted("this process is ending"))
            return
        try:
            async with asyncio.timeout(timeout_s):
                with traces.span("model call", model=request.endpoint.model):
                    completion = await self._stream(request, call)
        except TimeoutError:
            call._put(EndpointTimedOut(f"no whole answer within {timeout_s:.0f} s"))
        except AgentError as error:
            call._put(error)
        except (aiohttp.ClientError, OSError) as error:
            call._put(EndpointUnreachable(_reason(request.endpoint, error)))
        except asyncio.CancelledError:
            cancelled = "the call was cancelled"
            call._put(Interrupted(cancelled) if self._is_ending else EndpointUnreachable(cancelled))
            raise
        except Exception as error:
            call._put(AnswerInvalid(f"its answer could not be read: {type(error).__name__}"))
        else:
            call._put(completion)

    async def _stream(self, request: Request, call: Call) -> Completion:
        """Make the call; whatever of it is kept or told no longer holds the key that was sent."""
        started = time.monotonic()
        url = f"{request.endpoint.base_url.rstrip('/')}/chat/completions"
        async with self._client().post(url, json=body(request), headers=headers(request.api_key)) as answer:
            if answer.status >= 400:
                said = hidden(await _body_of(answer), request.api_key)
                raise refusal(answer.status, said, answer.headers.get("Retry-After"))
            reading = Reading(request)
            if "text/event-stream" in answer.headers.get("Content-Type", ""):
                async for chunk in _chunks(answer):
                    piece = reading.take(hidden(chunk, request.api_key))
                    if piece:
                        call._put(piece)
            else:
                call._put(reading.take_whole(hidden(await _body_of(answer), request.api_key)))
        return reading.completion(latency_ms=round((time.monotonic() - started) * 1000))

    async def _probe(self, endpoint: Endpoint, api_key: str | None, timeout_s: float) -> None:
        url = f"{endpoint.base_url.rstrip('/')}/models"
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._client().get(url, headers=headers(api_key)) as answer,
            ):
                if answer.status >= 500 or answer.status in (401, 403):
                    raise refusal(answer.status, hidden(await _body_of(answer), api_key))
        except TimeoutError as error:
            raise EndpointTimedOut(f"its endpoint did not answer within {timeout_s:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointUnreachable(_reason(endpoint, error)) from error


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The data of each server-sent event; its other fields mean nothing in this protocol."""
    async for line in answer.content:
        if line.startswith(b"data:"):
            data = line[5:].strip().decode("utf-8", errors="replace")
            yield data
            if data == "[DONE]":
                return


async def _body_of(answer: aiohttp.ClientResponse) -> str:
    """The body of an answer that comes in one piece.

    Raises:
        AnswerInvalid: it does not end.
    """
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > LONGEST_LINE:
            raise AnswerInvalid(f"it answered HTTP {answer.status} with a body that does not end")
    return body.decode("utf-8", errors="replace")


def _reason(endpoint: Endpoint, error: Exception) -> str:
    """The reason that users see; where the endpoint lies is for the log alone."""
    log.warning("endpoint %s: %s", endpoint.base_url, error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no connection to its endpoint: its host name is not known"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to its endpoint: {os.strerror(error.errno) if error.errno else 'connection failed'}"
    if isinstance(error, aiohttp.ServerTimeoutError):
        return f"no connection to its endpoint within {CONNECT_TIMEOUT_S:.0f} s"
    return "its answer was cut off: the connection broke"
