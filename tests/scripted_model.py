"""A model server that does as a test tells it: OpenAI's protocol on a real socket, misbehaving on demand.

- `PUT /control/models/<model>` takes a script: a step (`scripted_reply.Step`), or a list of steps used one a
  call, the last one for ever; or `{"stage": "response"|"consensus", "steps": [...]}` when a seat does both.
- `GET /control/calls?model=&stage=` tells what was received.
- `PUT /control/seats/<seat>` with `{"listening": false}` makes a seat's own port refuse connections.
- `DELETE /control` forgets scripts and calls, and listens everywhere again.

Without a script a model answers sensibly; see `scripted_answers`.
"""

import argparse
import asyncio
import json
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import requests
from aiohttp import web

from tests.scripted_reply import Call, Reply, Step, cut_to_size, for_ever, prompt_of, refusal, text_of

#: The seats of the default roster, whose models the tests script.
SEATS = ("qwen", "llama3", "mistral", "deephermes")
#: Only the newest answers tell a synthesis prompt from a question, so that long runs stay fast.
REMEMBERED_ANSWERS = 400


class ScriptedModel:
    """The server in a thread of this process, and the control calls to it.

    Args:
        seats: names that get a port of their own, which `refuse` can close.
        port: of the control calls and of everything that has no seat; 0 takes a free one.
        host: this machine's address to listen on.
    """

    def __init__(self, seats: Sequence[str] = (), port: int = 0, host: str = "127.0.0.1") -> None:
        self._server = _Server(seats, port, host)
        self._thread = threading.Thread(target=self._run, name="scripted-model", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> Self:
        """Listen; returns once connections are taken."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the scripted model server did not start within 10 s")
        return self

    def stop(self) -> None:
        """Close every socket and end the thread."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """The base URL as an OpenAI client wants it."""
        return f"http://{self._server.host}:{self._server.ports['']}/v1"

    def seat_url(self, seat: str, host: str = "") -> str:
        """The base URL of a seat's own port; `host` is what the caller knows this machine by, if not its address."""
        return f"http://{host or self._server.host}:{self._server.ports[seat]}/v1"

    def script(self, model: str, *steps: dict[str, Any], stage: str | None = None) -> None:
        """Tell a model what to do, one step a call, the last one for ever."""
        self._control("PUT", f"/models/{model}", {"stage": stage, "steps": list(steps)})

    def calls(self, model: str | None = None, stage: str | None = None) -> list[Call]:
        """The completions asked for since the last reset, oldest first."""
        chosen = {"model": model, "stage": stage}
        return [Call(**call) for call in self._control("GET", "/calls", params=chosen).json()]

    def refuse(self, seat: str) -> None:
        """Close a seat's port: whoever calls it is refused."""
        self._control("PUT", f"/seats/{seat}", {"listening": False})

    def reset(self) -> None:
        """Forget scripts and calls, and listen on every port."""
        self._control("DELETE", "")

    def _control(
        self, method: str, path: str, body: Any = None, params: dict[str, str | None] | None = None
    ) -> requests.Response:
        address = self.url.removesuffix("/v1") + "/control" + path
        answer = requests.request(method, address, json=body, params=params, timeout=10)
        if not answer.ok:
            raise ValueError(answer.text)
        return answer

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self._server.open()
        self._ready.set()
        await self._stopping.wait()
        await self._server.close()


class _Server:
    """The routes, the scripts and what was received, all in one event loop."""

    def __init__(self, seats: Sequence[str], port: int, host: str = "127.0.0.1") -> None:
        self.host = host
        self.ports = {"": port, **dict.fromkeys(seats, 0)}
        self._runners: dict[str, web.AppRunner] = {}
        self._forget()

    def _forget(self) -> None:
        self._scripts: dict[tuple[str, str | None], list[Step]] = {}
        self._calls: list[Call] = []
        self._answers: deque[str] = deque(maxlen=REMEMBERED_ANSWERS)

    async def open(self) -> None:
        for seat in self.ports:
            if seat not in self._runners:
                await self._listen(seat)

    async def close(self) -> None:
        for seat in list(self._runners):
            await self._runners.pop(seat).cleanup()

    async def _listen(self, seat: str) -> None:
        app = web.Application(client_max_size=8 * 1024**2)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._complete),
                web.get("/v1/models", self._models),
                web.put("/control/models/{model:.+}", self._script),
                web.put("/control/seats/{seat}", self._seat),
                web.get("/control/calls", self._received),
                web.delete("/control", self._reset),
            ]
        )
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.ports[seat]).start()
        self.ports[seat] = runner.addresses[0][1]
        self._runners[seat] = runner

    async def _script(self, request: web.Request) -> web.Response:
        script = await request.json()
        stage = script.pop("stage", None) if isinstance(script, dict) else None
        steps = script.get("steps", [script]) if isinstance(script, dict) else script
        try:
            if not steps or stage not in (None, "response", "consensus"):
                raise ValueError("a script needs a step, and its stage is response, consensus or none")
            self._scripts[request.match_info["model"], stage] = [Step.parse(step) for step in steps]
        except ValueError as problem:
            return refusal(400, str(problem))
        return web.Response(status=204)

    async def _seat(self, request: web.Request) -> web.Response:
        seat, listening = request.match_info["seat"], (await request.json())["listening"]
        if seat not in self.ports or not seat:
            return refusal(404, f"no seat {seat!r}; there are {sorted(self.ports)[1:]}")
        if listening and seat not in self._runners:
            await self._listen(seat)
        if not listening and seat in self._runners:
            await self._runners.pop(seat).cleanup()
        return web.Response(status=204)

    async def _received(self, request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in ("model", "stage") if name in request.query}
        calls = [call for call in self._calls if all(getattr(call, k) == v for k, v in wanted.items())]
        return web.json_response([asdict(call) for call in calls])

    async def _reset(self, request: web.Request) -> web.Response:
        self._forget()
        await self.open()
        return web.Response(status=204)

    async def _models(self, request: web.Request) -> web.Response:
        names = sorted({model for model, _ in self._scripts} | {call.model for call in self._calls})
        return web.json_response(
            {
                "object": "list",
                "data": [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in names],
            }
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
            model, messages = body.pop("model"), body.pop("messages")
            prompt = prompt_of(messages)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return refusal(400, f"not a chat completion request: {problem!r}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(model, self._stage(prompt), messages, body, headers, time.time())
        self._calls.append(call)
        return await self._perform(request, call, self._next_step(call))

    def _stage(self, prompt: str) -> str:
        """A prompt that quotes an answer given before asks for a consensus."""
        letters = _letters(prompt)
        return "consensus" if any(answer in letters for answer in self._answers) else "response"

    def _next_step(self, call: Call) -> Step:
        for key in ((call.model, call.stage), (call.model, None)):
            if script := self._scripts.get(key):
                return script.pop(0) if len(script) > 1 else script[0]
        return Step()

    async def _perform(self, request: web.Request, call: Call, step: Step) -> web.StreamResponse:
        call.step = {name: value for name, value in asdict(step).items() if value != getattr(Step(), name)}
        try:
            await asyncio.sleep(step.delay_s)
            if step.hang:
                await for_ever()
            if step.status != 200 or step.error:
                return refusal(step.status, step.error or "scripted failure", step.retry_after)
            if step.content_type_html or step.broken_json:
                kind = "text/html" if step.content_type_html else "application/json"
                return web.Response(text="<html>502 Bad Gateway</html>", content_type=kind)
            return await self._answer(request, call, step)
        except (asyncio.CancelledError, ConnectionError):
            call.disconnected_at = time.time()
            raise

    async def _answer(self, request: web.Request, call: Call, step: Step) -> web.StreamResponse:
        text = text_of(call, step)
        letters = _letters(text)[:40]
        if call.stage == "response" and not step.echo and len(letters) > 10:
            self._answers.append(letters)
        reply = Reply(request, call, step, *cut_to_size(text, step, call.parameters))
        return await (reply.stream() if call.parameters.get("stream") else reply.whole())


def _letters(text: str) -> str:
    """What is the same of a text however it is quoted."""
    return re.sub(r"\W+", "", text)


async def _alone(port: int, seats: Sequence[str]) -> None:
    server = _Server(seats, port)
    await server.open()
    print(
        json.dumps({seat or "control": f"http://127.0.0.1:{port}/v1" for seat, port in server.ports.items()}),
        flush=True,
    )
    await for_ever()


def main() -> None:
    """Serve until interrupted; prints the addresses as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seats", default="", help="names, with commas between, that get ports of their own")
    options = parser.parse_args()
    asyncio.run(_alone(options.port, [seat for seat in options.seats.split(",") if seat]))


if __name__ == "__main__":
    main()
