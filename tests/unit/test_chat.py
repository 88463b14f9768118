"""What the council is asked when a chat comes by OpenAI's protocol."""

from pathlib import Path
from typing import Any

import pytest

from folkmoot.agents import Roster, load_roster
from folkmoot.errors import InvalidRequest
from folkmoot.settings import Settings
from services.gateway.chat import ChatBody, ContextExceeded, UnknownModel, models

ROOT = Path(__file__).parents[2]
QUESTION: dict[str, Any] = {"role": "user", "content": "Should voting be compulsory?"}


@pytest.fixture(scope="module")
def roster() -> Roster:
    """The embedded roster."""
    return load_roster(Settings(config_dir=ROOT / "config"))


def chat(*messages: dict[str, Any], **more: Any) -> ChatBody:
    """A body with these messages, and the question when there are none."""
    return ChatBody.model_validate({"model": "folkmoot", "messages": list(messages) or [QUESTION], **more})


def test_last_words_of_the_user_are_the_question(roster: Roster) -> None:
    """Terms, turns and question are told apart; messages without an answer between them belong together."""
    ask = chat(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is quorum?"},
        {"role": "user", "content": "In a moot."},
        {"role": "assistant", "content": "The least number."},
        {"role": "developer", "content": "No jargon."},
        {"role": "user", "content": [{"type": "text", "text": "Who "}, {"type": "text", "text": "sets it?"}]},
        {"role": "user", "content": "And why?"},
    ).as_ask(roster, Settings())

    assert ask.instructions == "Be brief.\n\nNo jargon."
    assert ask.turns == (("What is quorum?\n\nIn a moot.", "The least number."),)
    assert ask.query == "Who sets it?\n\nAnd why?"


def test_each_seat_is_a_model(roster: Roster) -> None:
    """The council asks its panel, a seat's model that seat, and no other name is known."""
    assert models(roster)[0] == "folkmoot" and len(models(roster)) == 1 + len(roster.seats)
    assert chat().as_ask(roster, Settings()).agents is None
    assert chat(panel=["qwen"]).as_ask(roster, Settings()).agents == ("qwen",)
    assert chat(model="folkmoot/qwen").as_ask(roster, Settings()).agents == ("qwen",)
    for name in ("gpt-4o", "folkmoot/", "folkmoot/gpt-4o", "other/qwen", ""):
        with pytest.raises(UnknownModel):
            chat(model=name).as_ask(roster, Settings())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, None),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tools": []}, None),
        ({"functions": [{}]}, "functions"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "text"}, "temperature": 0.1, "seed": 1}, None),
        ({"model": "folkmoot/qwen", "panel": ["mistral"]}, "panel"),
    ],
)
def test_what_no_council_gives_is_refused(roster: Roster, wrong: dict[str, Any], field: str | None) -> None:
    """What would change the meaning of the answer is refused by name; what merely tunes it is let be."""
    if field is None:
        assert chat(**wrong).as_ask(roster, Settings()).query == QUESTION["content"]
        return
    with pytest.raises(InvalidRequest) as refused:
        chat(**wrong).as_ask(roster, Settings())
    assert set(refused.value.fields) == {field}


def test_too_long_a_chat_is_refused(roster: Roster) -> None:
    """The question has a limit, and so has what comes before it."""
    settings = Settings(query_chars=10, conversation_chars=10)
    with pytest.raises(ContextExceeded, match="11 characters; at most 10"):
        chat({"role": "user", "content": "x" * 11}).as_ask(roster, settings)
    with pytest.raises(ContextExceeded, match="before the question"):
        chat({"role": "system", "content": "x" * 11}, {"role": "user", "content": "?"}).as_ask(roster, settings)


def test_only_text_is_understood(roster: Roster) -> None:
    """A picture in a message is refused, not left out."""
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    with pytest.raises(InvalidRequest, match="not 'image_url'"):
        chat({"role": "user", "content": [picture]}).as_ask(roster, Settings())
