"""The scripted model server by itself: it has to be right before anything that is tested with it can be."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests

from tests.scripted_model import ScriptedModel
from tests.stack import ROOT, eventually

QUESTION = [
    {"role": "system", "content": "Judge by duties and rights."},
    {"role": "user", "content": "Should vaccination be compulsory? #case-a7"},
]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A server with one seat's port of its own."""
    with ScriptedModel(seats=["qwen"]) as server:
        yield server


def complete(model: ScriptedModel, name: str = "m", timeout: float = 10, **more: Any) -> requests.Response:
    """Ask for a completion in one piece."""
    body = {"model": name, "messages": QUESTION, **more}
    return requests.post(f"{model.url}/chat/completions", json=body, timeout=timeout)


def content(answer: requests.Response) -> str:
    """The text of a completion in one piece."""
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


def stream(model: ScriptedModel, name: str = "m", **more: Any) -> list[str]:
    """The data lines of a streamed completion."""
    answer = complete(model, name, stream=True, **more)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]


def pieces(events: list[str]) -> str:
    """The deltas of a stream, joined."""
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk.get("choices"))


def test_default_answer_is_a_completion_of_several_sentences(model: ScriptedModel) -> None:
    """Without a script a model answers in OpenAI's shape, with several sentences, usage and a reason."""
    answer = complete(model).json()

    assert answer["object"] == "chat.completion" and answer["model"] == "m"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"].count(".") >= 4
    assert answer["usage"]["total_tokens"] > answer["usage"]["completion_tokens"] > 20


def test_default_answer_depends_on_model_and_role_only_by_what_was_asked(model: ScriptedModel) -> None:
    """The same question gets the same answer; another model or role gives another; the tag stays."""
    rawlsian = [{"role": "system", "content": "Judge from behind a veil of ignorance."}, QUESTION[1]]

    first, again, other = content(complete(model)), content(complete(model)), content(complete(model, "n"))

    assert first == again != other
    assert "veil" in content(complete(model, messages=rawlsian)) and "veil" not in first
    assert "#case-a7" in first


def test_prompt_that_quotes_an_answer_is_answered_with_a_consensus(model: ScriptedModel) -> None:
    """A synthesis prompt is told apart by the answers in it, and gets a consensus that is no copy of them."""
    answer = content(complete(model))
    quoted = [{"role": "user", "content": f"> {answer}\n\nWrite the consensus."}]

    consensus = content(complete(model, messages=quoted))

    assert consensus.startswith("Taken together") and "#case-a7" in consensus
    assert [call.stage for call in model.calls()] == ["response", "consensus"]


def test_stream_ends_with_reason_usage_and_done(model: ScriptedModel) -> None:
    """A stream is role, deltas, finish reason, usage when asked for, [DONE]; its deltas are the answer."""
    whole = content(complete(model))

    events = stream(model, stream_options={"include_usage": True})

    assert events[-1] == "[DONE]"
    usage, last = json.loads(events[-2]), json.loads(events[-3])
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] > 0
    assert last["choices"][0]["finish_reason"] == "stop"
    assert json.loads(events[0])["choices"][0]["delta"]["role"] == "assistant"
    assert pieces(events) == whole
    assert "usage" not in "".join(stream(model))


def test_steps_are_used_one_a_call_and_the_last_repeats(model: ScriptedModel) -> None:
    """A script is followed in order, by model and by stage; the last step stays."""
    model.script("m", {"text": "One."}, {"text": "Two."})
    model.script("n", {"text": "Never here."}, stage="consensus")

    assert [content(complete(model)) for _ in range(3)] == ["One.", "Two.", "Two."]
    assert content(complete(model, "n")) != "Never here."


@pytest.mark.parametrize("streamed", [False, True])
def test_error_status_comes_in_openai_shape(model: ScriptedModel, streamed: bool) -> None:
    """A failing step answers with its status, its message and Retry-After, streamed or not."""
    model.script("m", {"status": 429, "error": "slow down", "retry_after": 2})

    answer = complete(model, stream=streamed)

    assert answer.status_code == 429 and answer.headers["Retry-After"] == "2"
    assert answer.json()["error"]["message"] == "slow down"


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"empty": True}, ""),
        ({"echo": True}, "\n\n".join(message["content"] for message in QUESTION)),
        ({"text": "Grüße, 世界."}, "Grüße, 世界."),
    ],
)
def test_scripted_texts_come_back_whole(model: ScriptedModel, step: dict[str, Any], text: str) -> None:
    """What a step says is what the client gets, in one piece and streamed."""
    model.script("m", step)

    assert content(complete(model)) == text
    assert pieces(stream(model)) == text


def test_answer_is_cut_at_max_tokens(model: ScriptedModel) -> None:
    """Like a real server, no more tokens are given than asked for, and the reason says so."""
    answer = complete(model, max_tokens=3).json()

    assert len(answer["choices"][0]["message"]["content"].split()) == 3
    assert answer["choices"][0]["finish_reason"] == "length"


def test_cut_stream_breaks_the_connection_without_done(model: ScriptedModel) -> None:
    """A cut reaches the client as a broken transfer after the tokens that were told."""
    model.script("m", {"text": "One two three four.", "cut_after_tokens": 2})

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        stream(model)
    assert model.calls()[0].answer == "One two"
    assert model.calls()[0].disconnected_at is None


def test_cut_before_an_answer_in_one_piece(model: ScriptedModel) -> None:
    """Without streaming, a cut closes the connection with no answer at all."""
    model.script("m", {"cut_after_tokens": 0})

    with pytest.raises(requests.exceptions.ConnectionError):
        complete(model)


def test_error_in_mid_stream_is_an_event_without_done(model: ScriptedModel) -> None:
    """An error in mid-stream comes as its own event after the tokens told, as hosted routers send it."""
    model.script("m", {"text": "One two three four.", "error_after_tokens": 2})

    events = stream(model)

    assert pieces(events) == "One two"
    assert json.loads(events[-1])["error"]["code"] == 502


@pytest.mark.parametrize("step", [{"hang": True}, {"hang_after_tokens": 2}])
def test_hanging_call_records_when_the_client_left(model: ScriptedModel, step: dict[str, Any]) -> None:
    """A hang never answers, and the time at which the client gave up is recorded."""
    model.script("m", step)

    async def give_up() -> None:
        async with aiohttp.ClientSession() as session:
            body = {"model": "m", "messages": QUESTION, "stream": True}
            async with session.post(f"{model.url}/chat/completions", json=body) as answer:
                await answer.read()

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(give_up(), 0.3))

    eventually(lambda: model.calls()[0].disconnected_at, 5, "the disconnect is recorded")
    assert model.calls()[0].finished_at is None


def test_delays_are_kept(model: ScriptedModel) -> None:
    """The first token waits for delay_s and each token for token_delay_s, without holding up another call."""
    model.script("m", {"text": "a b c", "delay_s": 0.2, "token_delay_s": 0.1})
    started = time.monotonic()

    stream(model)

    assert 0.45 < time.monotonic() - started < 3


def test_calls_tell_what_was_received(model: ScriptedModel) -> None:
    """Messages, parameters and headers of each call can be read back, by model."""
    body = {"model": "m", "messages": QUESTION, "temperature": 0.3}
    headers = {"Authorization": "Bearer key"}
    requests.post(f"{model.seat_url('qwen')}/chat/completions", json=body, headers=headers, timeout=5)
    complete(model, "n")

    [call] = model.calls("m")

    assert call.messages == QUESTION and call.parameters == {"temperature": 0.3}
    assert call.headers["authorization"] == "Bearer key"
    assert call.finished_at is not None and call.finished_at >= call.at


def test_refused_seat_refuses_until_reset(model: ScriptedModel) -> None:
    """A seat's port can be closed, kept-alive connections too, and comes back at a reset."""
    session = requests.Session()
    address = f"{model.seat_url('qwen')}/models"
    assert session.get(address, timeout=5).ok
    model.refuse("qwen")

    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(address, timeout=5)
    model.reset()

    assert session.get(address, timeout=5).json()["object"] == "list"


@pytest.mark.parametrize("sent", ["{", "[]", "{}", '{"model": "m", "messages": [{"role": "user"}]}'])
def test_nonsense_is_refused_in_openai_shape(model: ScriptedModel, sent: str) -> None:
    """What is no completion request gets 400 with an error object, so that a wrong client is seen."""
    answer = requests.post(f"{model.url}/chat/completions", data=sent, timeout=5)

    assert answer.status_code == 400 and "message" in answer.json()["error"]


def test_misspelt_step_is_refused(model: ScriptedModel) -> None:
    """A script with an unknown name is refused: a test must not pass because its fault never happened."""
    with pytest.raises(ValueError, match="delays"):
        model.script("m", {"delays": 3})


def test_server_runs_as_a_process_of_its_own() -> None:
    """The module runs by itself and prints where it listens."""
    command = [sys.executable, "-m", "tests.scripted_model", "--seats", "qwen"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            addresses = json.loads(server.stdout.readline())
            assert requests.get(f"{addresses['qwen']}/models", timeout=5).ok
        finally:
            server.terminate()
