"""The embedded model as its own process: the real weights, over real HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.stack import ROOT, eventually, free_port

ALIAS = "SmolLM2-135M-Instruct"
#: Loading takes a second on a quiet machine.
READY_S = 60.0


def start(url: str) -> "subprocess.Popen[str]":
    """The service with this address."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.model"],
        cwd=ROOT,
        env={**os.environ, "FOLKMOOT_MODEL_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Model:
    """A running model server."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}/v1"
        self.process = start(self.url)
        try:
            eventually(self._is_ready, READY_S, "the model answers")
        except AssertionError:
            self.process.kill()
            raise AssertionError(self.process.communicate()) from None

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, "the model ended by itself"
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/models", timeout=2).status_code == 200
        return False

    def ask(self, question: str, **more: Any) -> requests.Response:
        """Ask for a completion."""
        body = {"model": ALIAS, "messages": [{"role": "user", "content": question}], **more}
        return requests.post(f"{self.url}/chat/completions", json=body, stream=bool(more.get("stream")), timeout=60)

    def end(self) -> int:
        """End it by SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=10)
        finally:
            self.process.kill()
        return self.process.returncode


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """One server for the tests that only ask."""
    running = Model()
    yield running
    running.end()


def test_answers_under_its_own_name(model: Model) -> None:
    """A question gets words, the tokens they took, and the name of the model that really answered."""
    answer = model.ask("Is it right to lie?", max_tokens=12).json()

    assert answer["model"] == ALIAS
    assert answer["choices"][0]["message"]["content"].strip()
    assert 0 < answer["usage"]["completion_tokens"] <= 12 and answer["usage"]["prompt_tokens"] > 0
    assert [entry["id"] for entry in requests.get(f"{model.url}/models", timeout=5).json()["data"]] == [ALIAS]


def test_streams_token_by_token(model: Model) -> None:
    """A stream brings the answer in many pieces, each as an event, and says when it is over."""
    with model.ask("Is it right to lie?", max_tokens=12, temperature=0, stream=True) as stream:
        data = [line.removeprefix(b"data: ") for line in stream.iter_lines() if line]

    assert data[-1] == b"[DONE]"
    pieces = [json.loads(line)["choices"][0]["delta"].get("content") for line in data[:-1]]
    assert len([piece for piece in pieces if piece]) > 3


def test_several_are_answered_at_once(model: Model) -> None:
    """Four requests are all under way together, one a slot."""
    begun = threading.Barrier(4, timeout=60)

    def ask(results: list[bool]) -> None:
        with model.ask("Count.", max_tokens=16, ignore_eos=True, stream=True) as stream:
            lines = stream.iter_lines()
            next(lines)
            begun.wait()
            results.append(b"[DONE]" in b"".join(lines))

    results: list[bool] = []
    threads = [threading.Thread(target=ask, args=(results,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert results == [True] * 4


def test_more_than_a_slot_holds_is_refused(model: Model) -> None:
    """A prompt longer than the model's context gets 400 at once, and the next one is answered as ever."""
    refused = model.ask("word " * 9000)

    assert refused.status_code == 400 and "context" in refused.json()["error"]["message"]
    assert model.ask("Yes?", max_tokens=2).status_code == 200


def test_ends_while_answering() -> None:
    """SIGTERM ends it within seconds, whatever it is in the middle of."""
    running = Model()
    with running.ask("Count.", max_tokens=5000, ignore_eos=True, stream=True) as stream:
        next(stream.iter_lines())

        asked = time.monotonic()
        assert running.end() == 0
        assert time.monotonic() - asked < 5


def test_taken_port_is_named() -> None:
    """A port that somebody else has is told by number, and the process ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(f"http://127.0.0.1:{port}/v1")
        _, told = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in told and "in use" in told and "Traceback" not in told


@pytest.mark.parametrize("url", ["http://127.0.0.1/v1", "127.0.0.1:8081", "http://127.0.0.1:8081/v2"])
def test_wrong_address_is_named(url: str) -> None:
    """An address without a port, or of another shape, is refused with one that would do."""
    process = start(url)
    _, told = process.communicate(timeout=30)

    assert process.returncode == 1
    assert url in told and "http://127.0.0.1:8081/v1" in told and "Traceback" not in told
