"""The provider client against real sockets: whatever comes, a call ends in time, as an answer or as our error."""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from folkmoot.agents import Endpoint
from folkmoot.errors import (
    AgentError,
    AnswerInvalid,
    EndpointRefused,
    EndpointTimedOut,
    EndpointUnreachable,
    Interrupted,
)
from folkmoot.llm import LONGEST_LINE, Call, Provider
from folkmoot.wire import LONGEST_ANSWER, Completion, Request
from tests.scripted_model import ScriptedModel
from tests.stack import eventually, free_port
from tests.store.raw_answer import RawAnswer, chunk, data, head, stream
from tests.store.rows import at_once

KEY = "sk-or-v1-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"
LONG = "word " * 300


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider of its own."""
    provider = Provider()
    yield provider
    provider.close()


def request(url: str, key: str | None = None, max_tokens: int = 2000) -> Request:
    """A small question."""
    messages = [{"role": "user", "content": "Should voting be compulsory?"}]
    endpoint = Endpoint(model="m", base_url=url)
    return Request(endpoint, messages, temperature=0.3, max_tokens=max_tokens, api_key=key)


def looks(call: Call, *, tick_s: float = 0.05) -> Iterator[list[str]]:
    """The pieces of each look at a call, whenever it wakes us or a tick is over, until it has ended."""
    while call.completion is None:
        call._wake.wait(tick_s)
        call._wake.clear()
        yield call.take()


def drained(call: Call) -> tuple[list[str], Completion]:
    """All pieces of a call, and its completion."""
    pieces = [piece for some in looks(call) for piece in some]
    assert call.completion is not None
    return pieces, call.completion


def begun(provider: Provider, request: Request, *, timeout_s: float) -> Call:
    """A call that wakes nobody but us."""
    return provider.start(request, timeout_s=timeout_s, wake=threading.Event())


def ask(provider: Provider, url: str, *, timeout_s: float = 10, key: str | None = None) -> tuple[list[str], Completion]:
    """Ask and wait for the whole answer."""
    return drained(begun(provider, request(url, key), timeout_s=timeout_s))


def ask_raw(provider: Provider, pieces: list[bytes], *, key: str | None = None) -> Completion:
    """Ask a socket that answers with these bytes."""
    with RawAnswer(pieces) as server:
        return ask(provider, server.url, key=key)[1]


def test_stream_comes_piece_by_piece_and_adds_up(provider: Provider, model: ScriptedModel) -> None:
    """Pieces arrive while the model still speaks, and together they are the answer, with usage, model and time."""
    model.script("m", {"text": "One two three four.", "token_delay_s": 0.15})
    call = begun(provider, request(model.url), timeout_s=10)

    arrivals = [(time.monotonic(), piece) for some in looks(call) for piece in some]

    assert [piece for _, piece in arrivals] == ["One", " two", " three", " four."]
    assert arrivals[-1][0] - arrivals[0][0] > 0.3
    assert call.completion is not None
    assert call.completion.text == "One two three four."
    assert (call.completion.model, call.completion.finish_reason) == ("m", "stop")
    assert (call.completion.prompt_tokens, call.completion.completion_tokens) == (4, 4)
    assert 500 < call.completion.latency_ms < 5000


def test_silence_is_told_each_tick(provider: Provider, model: ScriptedModel) -> None:
    """While nothing comes, the caller gets control back each tick, to renew its claim."""
    model.script("m", {"text": "Late.", "delay_s": 0.5})
    call = begun(provider, request(model.url), timeout_s=10)

    silent = sum(not pieces for pieces in looks(call))

    assert silent >= 4


def test_request_says_what_was_meant(provider: Provider, model: ScriptedModel) -> None:
    """Model, messages, sampling, streaming with usage and the key in its header reach the endpoint."""
    ask(provider, model.url, key=KEY)
    ask(provider, f"{model.url}/")

    first, second = model.calls("m")
    assert first.messages == [{"role": "user", "content": "Should voting be compulsory?"}]
    assert first.parameters == {
        "temperature": 0.3,
        "max_tokens": 2000,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert first.headers["authorization"] == f"Bearer {KEY}" and "authorization" not in second.headers


def test_answer_in_one_piece_is_read_too(provider: Provider) -> None:
    """An endpoint that does not stream and answers in one JSON object is understood."""
    answer = {
        "model": "whole",
        "choices": [{"message": {"role": "assistant", "content": " All at once. "}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }

    completion = ask_raw(provider, [head("application/json"), json.dumps(answer).encode()])

    assert (completion.text, completion.model, completion.finish_reason) == ("All at once.", "whole", "stop")
    assert (completion.prompt_tokens, completion.completion_tokens) == (7, 3)


@pytest.mark.parametrize("tokens", [0, 2])
def test_cut_is_no_answer(provider: Provider, model: ScriptedModel, tokens: int) -> None:
    """A connection that breaks before the answer ends is an error, however much came."""
    model.script("m", {"text": "One two three four.", "cut_after_tokens": tokens})

    with pytest.raises(EndpointUnreachable, match="cut off"):
        ask(provider, model.url)


def test_stream_that_ends_politely_but_early_is_no_answer(provider: Provider) -> None:
    """A stream that simply ends, without [DONE] and without a reason, is a cut."""
    with pytest.raises(EndpointUnreachable, match="cut off"):
        ask_raw(provider, stream(chunk("Half an"), is_done=False))


def test_stream_with_a_reason_but_without_done_is_whole(provider: Provider) -> None:
    """A stream that says why it finished is whole, though [DONE] is missing."""
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}]}

    assert ask_raw(provider, stream(chunk("Whole."), last, is_done=False)).text == "Whole."


@pytest.mark.parametrize("step", [{"hang": True}, {"text": LONG, "hang_after_tokens": 3}, {"delay_s": 30}])
def test_hang_ends_at_the_timeout(provider: Provider, model: ScriptedModel, step: dict[str, Any]) -> None:
    """A call that hangs ends within half a second of its timeout, and the server sees it leave."""
    model.script("m", step)
    started = time.monotonic()

    with pytest.raises(EndpointTimedOut):
        ask(provider, model.url, timeout_s=0.6)

    assert 0.6 <= time.monotonic() - started <= 1.1
    eventually(lambda: model.calls()[0].disconnected_at, 2, "the server sees the client leave")


def test_slow_drip_ends_at_the_timeout(provider: Provider, model: ScriptedModel) -> None:
    """A model that keeps giving tokens does not outlast the limit for the whole call."""
    model.script("m", {"text": LONG, "token_delay_s": 0.05})
    started = time.monotonic()

    with pytest.raises(EndpointTimedOut):
        ask(provider, model.url, timeout_s=0.6)

    assert 0.6 <= time.monotonic() - started <= 1.1


def test_headers_that_never_end_are_bounded_by_the_timeout(provider: Provider) -> None:
    """A server that drips its headers for ever is left at the timeout."""
    with RawAnswer(itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X-A: b\r\n")), pause_s=0.05) as server:
        started = time.monotonic()
        with pytest.raises(AgentError):
            ask(provider, server.url, timeout_s=0.6)
        assert time.monotonic() - started <= 1.1


def test_server_that_never_accepts_is_bounded_by_the_timeout(provider: Provider) -> None:
    """An endpoint that takes the connection and says nothing, not even a head, is left at the timeout."""
    with RawAnswer([], holds=True) as server:
        with pytest.raises(EndpointTimedOut):
            ask(provider, server.url, timeout_s=0.4)
        assert server.was_left.wait(2)


def test_cancel_closes_the_call_at_the_server(provider: Provider, model: ScriptedModel) -> None:
    """A call that is cancelled is closed at the endpoint at once, and its caller is told."""
    model.script("m", {"text": LONG, "token_delay_s": 0.05})
    call = begun(provider, request(model.url), timeout_s=30)
    eventually(lambda: model.calls() and model.calls()[0].first_token_at, 5, "the model speaks")

    call.cancel()

    with pytest.raises(AgentError):
        drained(call)
    eventually(lambda: model.calls()[0].disconnected_at, 2, "the server sees the client leave")
    assert model.calls()[0].finished_at is None


def test_cancel_after_the_end_is_harmless(provider: Provider, model: ScriptedModel) -> None:
    """Cancelling a call that is over, or twice, does nothing."""
    call = begun(provider, request(model.url), timeout_s=10)
    drained(call)

    call.cancel()
    call.cancel()

    assert ask(provider, model.url)[1].text


def test_stop_at_done_though_the_connection_stays(provider: Provider) -> None:
    """The answer is whole at [DONE]; a server that keeps the connection open is not waited for."""
    with RawAnswer(stream(chunk("Whole.")), holds=True) as server:
        started = time.monotonic()
        _, completion = ask(provider, server.url)

        assert completion.text == "Whole." and time.monotonic() - started < 1
        assert server.was_left.wait(2)


def test_nothing_after_done_counts(provider: Provider) -> None:
    """What a server sends after [DONE] is not part of the answer."""
    assert ask_raw(provider, [*stream(chunk("Whole.")), data(chunk(" More."))]).text == "Whole."


PADDINGS = [0, 100, 120, 140, 150, 158]
PLACES: dict[str, Callable[[str], list[bytes]]] = {
    "refusal": lambda said: [head("application/json", "401 No"), json.dumps({"error": {"message": said}}).encode()],
    "refusal as text": lambda said: [head("text/plain", "403 No"), said.encode()],
    "refusal as page": lambda said: [head("text/html", "502 Bad"), f"<html><body>{said}</body></html>".encode()],
    "refusal as string": lambda said: [head("application/json", "400 No"), json.dumps({"error": said}).encode()],
    "error in an answer": lambda said: [head("application/json"), json.dumps({"error": {"message": said}}).encode()],
    "error in a stream": lambda said: stream(chunk("One"), {"error": {"message": said, "code": 502}}),
    "answer that is no JSON": lambda said: [head("application/json"), said.encode()],
    "chunk that is no JSON": lambda said: stream(chunk("One"), said),
    "answer that is a list": lambda said: [head("application/json"), json.dumps([said]).encode()],
}


@pytest.mark.parametrize("place", PLACES)
def test_key_is_never_in_an_error(provider: Provider, place: str) -> None:
    """A server that repeats the key it was sent, anywhere, does not get it, nor a part of it, into an error's text."""
    for padding in PADDINGS:
        said = f"{'x' * padding} Incorrect API key provided: {KEY}. Check it."
        with pytest.raises(AgentError) as raised:
            ask_raw(provider, PLACES[place](said), key=KEY)
        told = f"{raised.value!r} {raised.value}"
        assert not re.search("|".join(KEY[at : at + 12] for at in range(len(KEY) - 11)), told), told


def test_key_is_not_in_the_text_of_a_request() -> None:
    """A request that is logged does not show its key."""
    assert KEY not in repr(request("http://127.0.0.1:1/v1", KEY))


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json"])
def test_error_page_is_no_answer(provider: Provider, kind: str) -> None:
    """A page that comes with status 200 instead of an answer is an error, and its beginning is told in one line."""
    with pytest.raises(AnswerInvalid, match="could not be read") as raised:
        ask_raw(provider, [head(kind), b"<html>\n<body>\n<h1>502 Bad Gateway</h1>" + b"x" * 5000])
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200


def test_page_with_an_error_status_is_a_refusal(provider: Provider) -> None:
    """An error status with a page is told as its status."""
    with pytest.raises(EndpointRefused, match="HTTP 502") as raised:
        ask_raw(provider, [head("text/html", "502 Bad Gateway"), b"<html>" + b"x" * 5000])
    assert raised.value.status == 502 and len(str(raised.value)) < 300


@pytest.mark.parametrize("broken", ['{"choices": [', "nonsense", "[]", "5", "", '{"a": "' + "x" * 100_000])
def test_chunk_that_is_no_object_is_an_error(provider: Provider, broken: str) -> None:
    """One chunk that cannot be read makes the whole answer invalid: no half of it is taken for an answer."""
    with pytest.raises(AnswerInvalid) as raised:
        ask_raw(provider, stream(chunk("One"), broken, chunk("two")))
    assert len(str(raised.value)) < 200


ODD: dict[str, dict[str, Any]] = {
    "no choices": {"choices": []},
    "null choices": {"choices": None},
    "choices are an object": {"choices": {"0": {}}},
    "choice is null": {"choices": [None]},
    "delta is null": {"choices": [{"delta": None}]},
    "delta is a list": {"choices": [{"delta": [1]}]},
    "content is a number": chunk(5),
    "content is a list": chunk([{"type": "text", "text": "x"}]),
    "model is a number": chunk("", model=5),
    "model is a list": chunk("", model=["m"]),
    "usage is a text": chunk("", usage="none"),
    "usage is negative": chunk("", usage={"prompt_tokens": -1, "completion_tokens": 2.5}),
    "usage is true": chunk("", usage={"prompt_tokens": True, "completion_tokens": None}),
    "reason is a number": {"choices": [{"delta": {"content": ""}, "finish_reason": 1}]},
    "empty": {},
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_shapes_end_as_an_answer_of_the_right_types_or_as_our_error(provider: Provider, odd: str) -> None:
    """Whatever JSON a server sends, the caller gets a completion whose fields are what they say, or an AgentError."""
    try:
        completion = ask_raw(provider, stream(chunk("One."), ODD[odd]))
    except AgentError as error:
        assert len(str(error)) < 300
        return
    assert completion.text == "One."
    assert type(completion.model) is str
    assert completion.finish_reason is None or type(completion.finish_reason) is str
    assert {type(completion.prompt_tokens), type(completion.completion_tokens)} <= {int, type(None)}


def test_error_that_is_null_is_no_error(provider: Provider) -> None:
    """A server that sends `"error": null` with each chunk has not failed."""
    assert ask_raw(provider, stream(chunk("Whole.", error=None))).text == "Whole."


def test_nested_nonsense_ends_as_our_error(provider: Provider) -> None:
    """JSON nested beyond any parser is an invalid answer, not the end of the process."""
    with pytest.raises(AnswerInvalid):
        ask_raw(provider, stream("[" * 100_000))


def test_huge_line_within_the_limit_is_read(provider: Provider) -> None:
    """A whole answer of hundreds of thousands of characters in one line is read."""
    text = "w" * (LONGEST_ANSWER - 10)

    assert ask_raw(provider, stream(chunk(text))).text == text


def test_answer_that_does_not_stop_is_given_up(provider: Provider) -> None:
    """An answer that never ends is given up at its longest, and the server is left, long before the timeout."""
    endless = itertools.chain([head()], itertools.repeat(data(chunk("w" * 10_000))))
    with RawAnswer(endless) as server:
        with pytest.raises(AnswerInvalid, match="did not stop"):
            ask(provider, server.url, timeout_s=30)
        assert server.was_left.wait(5)


def test_line_that_does_not_end_is_given_up(provider: Provider) -> None:
    """A line that never ends is given up without being kept whole."""
    endless = itertools.chain([head(), b"data: "], itertools.repeat(b"w" * 2**18))
    with RawAnswer(endless) as server:
        with pytest.raises(AnswerInvalid) as raised:
            ask(provider, server.url, timeout_s=30)
        assert server.was_left.wait(5)
    assert LONGEST_LINE > LONGEST_ANSWER and len(str(raised.value)) < 200


@pytest.mark.parametrize(("kind", "status"), [("application/json", "200 OK"), ("text/plain", "500 Oh")])
def test_body_that_does_not_end_is_given_up(provider: Provider, kind: str, status: str) -> None:
    """An answer in one piece, or an error page, that grows without end is given up before it fills the memory."""
    sent = itertools.count()
    pieces = itertools.chain([head(kind, status)], (b"w" * 2**20 for _ in range(64) if next(sent) >= 0))
    with RawAnswer(pieces, holds=True) as server:
        with pytest.raises(AgentError):
            ask(provider, server.url, timeout_s=2)
        assert server.was_left.wait(5)
    assert next(sent) < 64, "64 MiB of one answer were read, and more was waited for"


def test_stream_written_oddly_but_rightly_is_read(provider: Provider) -> None:
    """Carriage returns, comments, other fields, no space and characters cut in two are within the protocol."""
    event = json.dumps(chunk("Grüße, 世界."), ensure_ascii=False).encode()
    cut = event.index("世".encode()) + 1
    pieces = [
        head("text/event-stream; charset=utf-8"),
        b": OPENROUTER PROCESSING\r\n\r\nevent: message\r\nid: 4\r\nretry: 10\r\ndata:" + event[:cut],
        event[cut:] + b"\r\n\r\n",
        b"data: [DONE]\r\n\r\n",
    ]
    with RawAnswer(pieces, pause_s=0.05) as server:
        assert ask(provider, server.url)[1].text == "Grüße, 世界."


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_refusal_is_told_with_status_and_words(provider: Provider, model: ScriptedModel, status: int) -> None:
    """An error status is told with the provider's own words."""
    model.script("m", {"status": status, "error": "the provider's own words", "retry_after": 1})

    with pytest.raises(EndpointRefused, match=f"HTTP {status}: the provider's own words") as raised:
        ask(provider, model.url)
    assert raised.value.status == status and not raised.value.context_exceeded


def test_prompt_too_long_is_told_apart(provider: Provider, model: ScriptedModel) -> None:
    """A refusal that says the context is exceeded is known as one; a server error that says so is not."""
    for status, exceeded in ((400, True), (413, True), (500, False)):
        model.script("m", {"status": status, "error": "This model's maximum context length is 2048 tokens."})
        with pytest.raises(EndpointRefused) as raised:
            ask(provider, model.url)
        assert raised.value.context_exceeded is exceeded


def test_error_in_mid_stream_is_a_refusal(provider: Provider, model: ScriptedModel) -> None:
    """An error that comes inside a stream, as hosted routers send it, is an error, however much came before."""
    model.script("m", {"text": LONG, "error_after_tokens": 3})

    with pytest.raises(EndpointRefused, match="mid-stream"):
        ask(provider, model.url)


def test_nobody_there_is_told_at_once(provider: Provider) -> None:
    """A port nobody listens on is told as such, at once."""
    url, started = f"http://127.0.0.1:{free_port()}/v1", time.monotonic()

    with pytest.raises(EndpointUnreachable, match="no connection to its endpoint"):
        ask(provider, url)
    with pytest.raises(EndpointUnreachable):
        provider.reachable(Endpoint(model="m", base_url=url), None, timeout_s=5)
    assert time.monotonic() - started < 2


def test_many_calls_at_once_do_not_wait_for_each_other(provider: Provider, model: ScriptedModel) -> None:
    """Twenty calls of half a second each, on one provider, take about as long as one, and each gets its own answer."""
    model.script("m", {"text": "Half a second.", "delay_s": 0.5})
    started = time.monotonic()

    answers = at_once(*[lambda: ask(provider, model.url)[1].text] * 20)

    assert answers == ["Half a second."] * 20 and time.monotonic() - started < 3


def test_connection_that_the_server_closed_while_idle_is_not_met(provider: Provider, model: ScriptedModel) -> None:
    """After a seat's port was closed and opened again, the next call works, though the old connection is dead."""
    url = model.seat_url("qwen")
    assert ask(provider, url)[1].text
    model.refuse("qwen")
    model.reset()

    assert ask(provider, url)[1].text


def test_probe_tells_who_answers(provider: Provider, model: ScriptedModel) -> None:
    """A probe is content with any sensible answer, and not with errors, refused keys, or silence."""

    def probe(url: str, key: str | None = None) -> None:
        provider.reachable(Endpoint(model="m", base_url=url), key, timeout_s=0.4)

    probe(model.url)
    for status, is_well in (("404 None", True), ("401 No", False), ("403 No", False), ("500 Oh", False)):
        with RawAnswer([head("text/plain", status), f"your key {KEY} is bad".encode()]) as server:
            if is_well:
                probe(server.url, KEY)
                continue
            with pytest.raises(AgentError) as raised:
                probe(server.url, KEY)
            assert KEY not in str(raised.value)
    with RawAnswer([], holds=True) as server, pytest.raises(EndpointTimedOut):
        probe(server.url)


def test_close_ends_the_calls_under_way(model: ScriptedModel) -> None:
    """Whoever waits for an answer when the provider is closed is told, and the server sees the call end."""
    provider = Provider()
    model.script("m", {"text": LONG, "hang_after_tokens": 1})
    call = begun(provider, request(model.url), timeout_s=30)
    eventually(lambda: model.calls() and model.calls()[0].first_token_at, 5, "the model speaks")
    ended = threading.Event()

    def wait() -> None:
        try:
            drained(call)
        except Interrupted:
            ended.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    provider.close()

    assert ended.wait(2), "the caller still waits"
    eventually(lambda: model.calls()[0].disconnected_at, 2, "the server sees the client leave")
