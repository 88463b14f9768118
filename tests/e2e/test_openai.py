"""The face that OpenAI's clients know, asked by the official client and by LangChain's."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from langchain_openai import ChatOpenAI
from openai import APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, OpenAI
from pydantic import SecretStr

from tests.client import Client
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Running, eventually

pytestmark = pytest.mark.timeout(90)

QUESTION = "Should voting be compulsory?"
ASKED: Any = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def openai(stack: Running, client: Client) -> Iterator[OpenAI]:
    """The official client, as its documentation has it."""
    with OpenAI(base_url=f"{stack.url}/v1", api_key=str(client.token)) as made:
        yield made


def test_models_are_the_council_and_its_seats(openai: OpenAI) -> None:
    """The council and each seat are models; each can be looked at."""
    assert {model.id for model in openai.models.list()} == {"folkmoot", *(f"folkmoot/{seat}" for seat in SEATS)}
    assert openai.models.retrieve("folkmoot").owned_by == "folkmoot"
    assert openai.models.retrieve("folkmoot/qwen").id == "folkmoot/qwen"
    with pytest.raises(NotFoundError, match="does not exist"):
        openai.models.retrieve("gpt-4o")


def test_consensus_is_a_completion(openai: OpenAI, client: Client, model: ScriptedModel) -> None:
    """A completion is the consensus of a query like any other, with the tokens of all who were asked."""
    completion = openai.chat.completions.create(model="folkmoot", messages=ASKED, temperature=0.2)

    [call] = model.calls("scripted/llama3")
    assert completion.choices[0].message.content == call.answer and completion.choices[0].finish_reason == "stop"
    query = client.query(completion.id.removeprefix("chatcmpl-"))
    counted = [*query["responses"], query["consensus"]]
    assert query["query"] == QUESTION and query["status"] == "done" and completion.usage is not None
    assert completion.usage.prompt_tokens == sum(one["prompt_tokens"] for one in counted)
    assert completion.usage.completion_tokens == sum(one["completion_tokens"] for one in counted)
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_consensus_streams(openai: OpenAI, model: ScriptedModel) -> None:
    """The chunks of a stream add up to the consensus, come in many pieces, and end with what was used."""
    model.script("scripted/llama3", {"token_delay_s": 0.02}, stage="consensus")
    chunks = list(
        openai.chat.completions.create(
            model="folkmoot", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )

    [call] = model.calls("scripted/llama3")
    told = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(told) == call.answer and len([text for text in told if text]) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens > 20
    assert len({chunk.id for chunk in chunks}) == 1


def test_one_seat_answers_by_itself(openai: OpenAI, client: Client, model: ScriptedModel) -> None:
    """A seat's own model is asked alone, streamed and not, and nobody concludes for it."""
    whole = openai.chat.completions.create(model="folkmoot/mistral", messages=ASKED)
    stream = openai.chat.completions.create(model="folkmoot/mistral", messages=ASKED, stream=True)
    told = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    first, second = model.calls()
    assert (first.model, second.model) == ("scripted/mistral", "scripted/mistral")
    assert whole.choices[0].message.content == first.answer and told == second.answer
    query = client.query(whole.id.removeprefix("chatcmpl-"))
    assert whole.usage is not None and whole.usage.prompt_tokens == query["responses"][0]["prompt_tokens"]


def test_options_of_the_council_go_along(openai: OpenAI, client: Client) -> None:
    """Roles, panel, domain and deadline go in `extra_body`."""
    extra = {"roles": {"qwen": "Utilitarian"}, "panel": ["qwen", "mistral"], "domain": "Policy", "deadline": 25}
    completion = openai.chat.completions.create(model="folkmoot", messages=ASKED, extra_body=extra)

    query = client.query(completion.id.removeprefix("chatcmpl-"))
    assert query["panel"] == ["qwen", "mistral"] and query["domain"] == "Policy"
    assert {one["agent_id"]: one["role"] for one in query["responses"]}["qwen"] == "Utilitarian"


def test_conversation_reaches_every_agent(openai: OpenAI, model: ScriptedModel) -> None:
    """What was said before reaches each agent as turns, the client's own terms as terms, and the aggregator quoted."""
    messages: Any = [
        {"role": "system", "content": "Speak as to a town council."},
        {"role": "user", "content": "What is quorum?"},
        {"role": "assistant", "content": "The least number that must be there."},
        {"role": "user", "content": [{"type": "text", "text": "And who sets it?"}]},
    ]
    openai.chat.completions.create(model="folkmoot", messages=messages)

    for seat in ("qwen", "mistral", "deephermes"):
        [call] = model.calls(f"scripted/{seat}")
        system, *turns = call.messages
        assert "Speak as to a town council." in system["content"]
        assert [turn["content"] for turn in turns] == [
            "What is quorum?",
            "The least number that must be there.",
            "And who sets it?",
        ]
    [call] = model.calls("scripted/llama3")
    assert "> Asked before: What is quorum?" in call.messages[-1]["content"]


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"model": "gpt-4o"}, "model_not_found", None),
        ({"model": "folkmoot/nobody"}, "model_not_found", None),
        ({"messages": [{"role": "user", "content": "?" * 9000}]}, "context_length_exceeded", "messages"),
        ({"messages": [{"role": "user", "content": "x" * 70_000}, *ASKED]}, "context_length_exceeded", "messages"),
        ({"messages": [*ASKED, {"role": "assistant", "content": "Yes."}]}, "invalid_request", "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "invalid_request", "messages"),
        ({"messages": []}, "invalid_request", "messages"),
        ({"n": 2}, "invalid_request", "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "invalid_request", "tools"),
        ({"extra_body": {"panel": ["nobody"]}}, "invalid_request", "panel"),
        ({"extra_body": {"deadline": 1}}, "invalid_request", "deadline_s"),
    ],
)
def test_bad_requests_are_told_in_openais_words(
    openai: OpenAI, client: Client, model: ScriptedModel, wrong: dict[str, Any], code: str, param: str | None
) -> None:
    """What cannot be is refused with OpenAI's statuses, shape and codes; nothing is stored and nobody asked."""
    with pytest.raises((BadRequestError, NotFoundError)) as refused:
        openai.chat.completions.create(**{"model": "folkmoot", "messages": ASKED, **wrong})

    assert refused.value.status_code == (404 if code == "model_not_found" else 400)
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, param, "invalid_request_error")
    assert client.history()["queries"] == [] and model.calls() == []


def test_wrong_key_is_an_authentication_error(stack: Running) -> None:
    """A wrong key is refused as OpenAI refuses one."""
    with (
        OpenAI(base_url=f"{stack.url}/v1", api_key="sk-wrong") as stranger,
        pytest.raises(AuthenticationError) as refused,
    ):
        stranger.chat.completions.create(model="folkmoot", messages=ASKED)

    assert refused.value.code == "invalid_api_key"


def test_unreadable_body_is_told_too(stack: Running, client: Client) -> None:
    """What no client of OpenAI's would send is refused in its shape as well."""
    for path, body in (("chat/completions", b"{"), ("chat/completions", b"x" * (1 << 21)), ("nowhere", b"{}")):
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
        answer = requests.post(f"{stack.url}/v1/{path}", data=body, headers=headers, timeout=10)

        assert answer.status_code in (400, 404, 413) and answer.headers["Content-Type"] == "application/json"
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}, answer.text


def test_council_that_fails_says_why_once(openai: OpenAI, client: Client, model: ScriptedModel) -> None:
    """When no agent answers, the error tells it, and the client does not ask twice more by itself."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"status": 500, "error": "out of order"})
    with pytest.raises(InternalServerError, match="no consensus") as refused:
        openai.chat.completions.create(model="folkmoot", messages=ASKED)

    assert refused.value.code == "council_failed"
    assert len(client.history()["queries"]) == 1


def test_stream_of_a_council_that_fails_ends_with_an_error(openai: OpenAI, model: ScriptedModel) -> None:
    """A stream that can tell no consensus ends with an error, not as if it were whole."""
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"status": 500, "error": "out of order"})
    with pytest.raises(APIError, match="no consensus"):
        list(openai.chat.completions.create(model="folkmoot", messages=ASKED, stream=True))


def test_words_that_cannot_stand_are_never_said(openai: OpenAI, model: ScriptedModel) -> None:
    """A first aggregator that refuses is not heard: the stream has the words of the one that took over, alone."""
    refusal = "I'm sorry, but I can't help with that request. It would be against my guidelines to conclude here."
    model.script("scripted/llama3", {"text": refusal, "token_delay_s": 0.01}, stage="consensus")
    stream = openai.chat.completions.create(model="folkmoot", messages=ASKED, stream=True)
    told = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    answers = [call.answer for call in model.calls(stage="consensus") if call.model != "scripted/llama3"]
    assert told == answers[-1] and "sorry" not in told


def test_words_that_were_taken_back_end_the_stream(openai: OpenAI, model: ScriptedModel) -> None:
    """An aggregator that breaks off after its first sentence ends the stream with an error."""
    text = (
        "Most responses hold that voting should be a duty of citizens. " + "They differ in what follows from it. " * 8
    )
    model.script("scripted/llama3", {"text": text, "token_delay_s": 0.02, "cut_after_tokens": 40}, stage="consensus")
    told = ""
    with pytest.raises(APIError, match="broke off"):
        for chunk in openai.chat.completions.create(model="folkmoot", messages=ASKED, stream=True):
            told += chunk.choices[0].delta.content or ""

    assert told.startswith("Most responses hold")


def test_query_ends_when_its_client_hangs_up(
    stack: Running, openai: OpenAI, client: Client, model: ScriptedModel
) -> None:
    """Who leaves before the end, streamed or not, has the query cancelled; who only joined another request has not."""
    model.script("scripted/llama3", {"token_delay_s": 0.3}, stage="consensus")
    stream = openai.chat.completions.create(model="folkmoot", messages=ASKED, stream=True)
    job_id = next(iter(stream)).id.removeprefix("chatcmpl-")
    stream.close()
    eventually(lambda: client.query(job_id)["status"] == "cancelled", 5, "the query is cancelled")

    asked_whole = {"model": "folkmoot", "messages": [{"role": "user", "content": "Should I wait for this?"}]}
    with pytest.raises(requests.Timeout):
        client.call("POST", "//v1/chat/completions", json=asked_whole, timeout=2)
    (left,) = client.history(q="Should I wait for this?")["queries"]
    eventually(lambda: client.query(left["job_id"])["status"] == "cancelled", 5, "this one too")

    model.script("scripted/llama3", {"token_delay_s": 0.1}, stage="consensus")
    asked = {"model": "folkmoot", "messages": ASKED, "stream": True}
    body: dict[str, Any] = {"json": asked, "headers": {"Idempotency-Key": "one of two"}, "stream": True}
    with client.call("POST", "//v1/chat/completions", **body) as first:
        lines = first.iter_lines(decode_unicode=True)
        with client.call("POST", "//v1/chat/completions", **body) as second:
            assert next(second.iter_lines(decode_unicode=True)) == ": open"
        assert [line for line in lines if line][-1] == "data: [DONE]"


def test_langchain_asks_and_streams(stack: Running, client: Client, model: ScriptedModel) -> None:
    """LangChain's ChatOpenAI gets a consensus, whole and streamed, and a proper error."""
    chat = ChatOpenAI(base_url=f"{stack.url}/v1", api_key=SecretStr(str(client.token)), model="folkmoot")
    answer = chat.invoke(QUESTION)
    told = "".join(str(chunk.content) for chunk in chat.stream(QUESTION))

    first, second = (call.answer for call in model.calls("scripted/llama3"))
    assert answer.content == first and told == second
    assert answer.usage_metadata is not None and answer.usage_metadata["total_tokens"] > 100
    with pytest.raises(BadRequestError, match="characters"):
        chat.invoke("?" * 9000)
