"""A model server for benches: OpenAI's protocol, a fixed delay, and nothing that could be the bottleneck.

Run as `python -m bench.stub PORT`. `PUT /control` with `{"delay_s": 0.2, "words": 60}` says how it answers from
then on: after so long, with a text of so many words, streamed in one piece for each `WORDS_A_PIECE`; `"stamped": true`
has each piece come after a pause and begin with the time at which it left. `GET /control` tells how many completions it
gave since then, and how much of one core it left unused.
"""

import asyncio
import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import requests
from aiohttp import web

from tests.stack import free_port

WORDS_A_PIECE = 10
#: Between two stamped pieces, so that each makes its way alone.
PAUSE_S = 0.02
#: An answer that passes for one: neither an error, nor a refusal, nor an echo of the question.
SENTENCE = (
    "Compulsory voting raises turnout among people who would otherwise stay away and it makes the result speak for "
    "everyone though it asks for an effort that some see as a limit of their freedom."
)


class Stub:
    """The server in a process of its own, and the control calls to it; a context manager."""

    def __enter__(self) -> Self:
        """Start, and return once it answers."""
        self._port = free_port()
        self._process = subprocess.Popen([sys.executable, "-m", "bench.stub", str(self._port)])
        ends = time.monotonic() + 10
        while True:
            try:
                self.answer_with(delay_s=0.0)
                return self
            except requests.ConnectionError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)

    @property
    def url(self) -> str:
        """The base URL as an OpenAI client wants it."""
        return f"http://127.0.0.1:{self._port}/v1"

    #: Words of an answer, unless `answer_with` says otherwise.
    words = 60

    def answer_with(self, delay_s: float, words: int | None = None, *, stamped: bool = False) -> None:
        """Let every answer take so many seconds and have so many words, and count anew."""
        told = {"delay_s": delay_s, "words": words or self.words, "stamped": stamped}
        requests.put(self._control, json=told, timeout=10).raise_for_status()

    def usage(self) -> dict[str, float]:
        """`completions` given since the last `answer_with`, and `idle`, the share of one core that it left unused."""
        told: dict[str, float] = requests.get(self._control, timeout=10).json()
        return told

    @property
    def _control(self) -> str:
        return self.url.removesuffix("/v1") + "/control"


class _Server:
    """The routes and what they count."""

    def __init__(self) -> None:
        self._answer_with(0.0, 60)

    def _answer_with(self, delay_s: float, words: int, stamped: bool = False) -> None:
        self._stamped = stamped
        spoken = (SENTENCE.split() * (words // len(SENTENCE.split()) + 1))[:words]
        self._delay_s = delay_s
        self._pieces = [" ".join(spoken[at : at + WORDS_A_PIECE]) + " " for at in range(0, words, WORDS_A_PIECE)]
        self._stream = _stream(self._pieces)
        self._completions = 0
        self._cpu_s, self._began = time.process_time(), time.monotonic()

    async def control(self, request: web.Request) -> web.Response:
        self._answer_with(**await request.json())
        return web.Response(status=204)

    async def usage(self, request: web.Request) -> web.Response:
        busy_s, passed_s = time.process_time() - self._cpu_s, time.monotonic() - self._began
        return web.json_response({"completions": self._completions, "idle": 1 - busy_s / passed_s})

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self._completions += 1
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if not body.get("stream"):
            return web.json_response(_whole(self._pieces))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if self._stamped:
            for piece in self._pieces:
                await asyncio.sleep(PAUSE_S)
                await response.write(_delta(f"at {time.time():.6f} {piece}"))
        for chunk in self._stream[len(self._pieces) if self._stamped else 0 :]:
            await response.write(chunk)
        return response


def _whole(pieces: list[str]) -> dict[str, Any]:
    return {
        "id": "bench",
        "object": "chat.completion",
        "created": 0,
        "model": "bench",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": "stop"}
        ],
        "usage": _used(pieces),
    }


def _stream(pieces: list[str]) -> list[bytes]:
    end = _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    return [*map(_delta, pieces), end, _chunk([], usage=_used(pieces)), b"data: [DONE]\n\n"]


def _delta(text: str) -> bytes:
    return _chunk([{"index": 0, "delta": {"content": text}, "finish_reason": None}])


def _chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
    chunk = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "bench", "choices": choices}
    return f"data: {json.dumps(chunk | more)}\n\n".encode()


def _used(pieces: list[str]) -> dict[str, int]:
    words = sum(len(piece.split()) for piece in pieces)
    return {"prompt_tokens": 50, "completion_tokens": words, "total_tokens": 50 + words}


def main() -> None:
    """Serve until terminated."""
    server, app = _Server(), web.Application(client_max_size=64 * 1024**2)
    app.add_routes(
        [
            web.post("/v1/chat/completions", server.complete),
            web.get("/v1/models", server.models),
            web.get("/control", server.usage),
            web.put("/control", server.control),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
