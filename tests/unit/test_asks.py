"""What a user asks for is refused with a sentence for each wrong field, or passes as it is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.agents import Roster, Seat
from folkmoot.asks import Ask, check, panel_of
from folkmoot.errors import InvalidRequest
from folkmoot.settings import Settings


def problems(ask: Ask, roster: Roster, settings: Settings) -> dict[str, str]:
    """What is wrong with the request, by field."""
    try:
        check(ask, roster, settings)
    except InvalidRequest as error:
        return error.fields
    return {}


@pytest.mark.parametrize(
    "ask",
    [
        Ask("?"),
        Ask("x" * 8000),
        Ask("👍" * 8000),
        Ask("هل يجب أن يكون التصويت إلزاميا؟"),
        Ask("投票は義務であるべきか\n\n\u2028理由も"),
        Ask("a\u202eb\u0007\t\r\x1b[31m"),
        Ask(
            "?",
            "Science/Technology",
            "Multiple Choice",
            ("Rawlsian", "Rawlsian", "None"),
            ("qwen", "llama3", "mistral"),
        ),
        Ask("?", roles={"qwen": "Utilitarian", "mistral": "None"}),
        Ask("?", roles={}),
        Ask("?", agents=("llama3",), aggregator="llama3", roles={"llama3": "Libertarian"}),
        Ask("?", aggregator="qwen", roles={"llama3": "Libertarian"}),
        Ask("?", deadline_s=2),
        Ask("?", deadline_s=600.0),
    ],
)
def test_a_sound_request_passes(ask: Ask, roster: Roster, settings: Settings) -> None:
    """What lies within catalogue, roster and limits is not refused."""
    assert problems(ask, roster, settings) == {}


@pytest.mark.parametrize(
    ("ask", "field", "told"),
    [
        (Ask(""), "query", "empty"),
        (Ask(" \t\r\n\u2003\u2028\x85"), "query", "1 to 8000"),
        (Ask("x" * 8001), "query", "8001 characters; at most 8000"),
        (Ask("a\x00b"), "query", "without NUL"),
        (Ask("\ud83d alone"), "query", "valid Unicode"),
        (Ask("\udfff"), "query", "valid Unicode"),
        (Ask("?", domain="Sport"), "domain", "Healthcare"),
        (Ask("?", domain="healthcare"), "domain", "Healthcare"),
        (Ask("?", domain=""), "domain", "Custom"),
        (Ask("?", question_type="yes/no"), "question_type", "Yes/No"),
        (Ask("?", roles=("Stoic",)), "roles", "Virtue Ethicist"),
        (Ask("?", roles={"qwen": "Stoic"}), "roles", "Virtue Ethicist"),
        (Ask("?", roles={"nobody": "Rawlsian"}), "roles", "qwen, mistral, deephermes"),
        (Ask("?", roles={"llama3": "Rawlsian"}), "roles", "qwen, mistral, deephermes"),
        (Ask("?", roles={"mistral": "Rawlsian"}, agents=("qwen",)), "roles", "Choose from: qwen."),
        (Ask("?", roles=("Rawlsian",) * 4), "roles", "4 roles for a panel of 3"),
        (Ask("?", agents=()), "agents", "qwen, llama3, mistral, deephermes"),
        (Ask("?", agents=("qwen", "nobody")), "agents", "'nobody'"),
        (Ask("?", agents=("qwen", "qwen")), "agents", "twice"),
        (Ask("?", agents=("Qwen",)), "agents", "qwen"),
        (Ask("?", aggregator="nobody"), "aggregator", "llama3"),
        (Ask("?", aggregator=""), "aggregator", "llama3"),
        (Ask("?", deadline_s=0), "deadline_s", "between 2 and 600"),
        (Ask("?", deadline_s=1.99), "deadline_s", "between 2 and 600"),
        (Ask("?", deadline_s=-5), "deadline_s", "between 2 and 600"),
        (Ask("?", deadline_s=600.1), "deadline_s", "between 2 and 600"),
        (Ask("?", deadline_s=float("nan")), "deadline_s", "between 2 and 600"),
        (Ask("?", deadline_s=float("inf")), "deadline_s", "between 2 and 600"),
    ],
)
def test_a_wrong_field_is_refused_with_what_would_be_right(
    ask: Ask, field: str, told: str, roster: Roster, settings: Settings
) -> None:
    """Exactly the wrong field is named, with a sentence that says what would be right."""
    found = problems(ask, roster, settings)

    assert list(found) == [field]
    assert told in found[field]
    assert found[field].endswith(".")


def test_all_wrong_fields_are_told_at_once(roster: Roster, settings: Settings) -> None:
    """Who gets six fields wrong hears of all six."""
    ask = Ask("", "Sport", "Riddle", ("Stoic",), ("nobody",), "nobody", deadline_s=1)

    assert set(problems(ask, roster, settings)) == {
        "query",
        "domain",
        "question_type",
        "roles",
        "agents",
        "aggregator",
        "deadline_s",
    }


def test_limits_are_those_of_the_settings(roster: Roster) -> None:
    """Other limits in the settings are the limits, and are named in the refusal."""
    strict = Settings(query_chars=10, deadline_max_s=30)

    assert "at most 10" in problems(Ask("x" * 11), roster, strict)["query"]
    assert "between 2 and 30" in problems(Ask("?", deadline_s=31), roster, strict)["deadline_s"]


@pytest.mark.parametrize("name", ["\ud800", "a\nb\u2028c", "<script>", "x" * 100_000, "\x00", "\u202e"])
def test_a_refusal_repeats_no_harm(name: str, roster: Roster, settings: Settings) -> None:
    """A hostile name comes back escaped and cut, in one line that any log and any encoding holds."""
    ask = Ask("?", name, name, (name,), (name,), name)

    for sentence in problems(ask, roster, settings).values():
        assert len(sentence) < 400
        assert len(sentence.splitlines()) == 1
        assert sentence.isprintable()
        sentence.encode()


@given(st.text(st.characters(), max_size=50))
def test_any_question_is_judged(query: str) -> None:
    """Whatever Unicode a question holds, it is refused with a sentence or can be stored as UTF-8 without NUL."""
    roster = Roster(aggregator="a", seats={"a": Seat(model="m", base_url="http://127.0.0.1:1")})

    if not problems(Ask(query), roster, Settings()):
        assert b"\x00" not in query.encode()
        assert query.strip()


def test_the_panel_is_every_seat_but_the_aggregator(roster: Roster) -> None:
    """Who names no panel gets all seats in the roster's order, without the one that concludes."""
    assert panel_of(Ask("?"), roster) == ("qwen", "mistral", "deephermes")
    assert panel_of(Ask("?", aggregator="mistral"), roster) == ("qwen", "llama3", "deephermes")


def test_a_named_panel_is_taken_as_it_is(roster: Roster) -> None:
    """A panel that is named keeps its order, and may hold the aggregator."""
    assert panel_of(Ask("?", agents=("mistral", "llama3")), roster) == ("mistral", "llama3")


def test_a_roster_of_one_still_answers(roster: Roster) -> None:
    """The only seat is its own panel."""
    alone = Roster(aggregator="qwen", seats={"qwen": roster.seats["qwen"]})

    assert panel_of(Ask("?"), alone) == ("qwen",)


WHOLE = Ask("Why?", "Policy", "Yes/No", {"qwen": "Rawlsian", "mistral": "None"}, ("qwen", "mistral"), "llama3", 30.0)


def test_the_same_request_has_the_same_digest() -> None:
    """A retry is known again, also when its JSON named the roles in another order."""
    again = replace(WHOLE, roles={"mistral": "None", "qwen": "Rawlsian"})

    assert WHOLE.digest() == again.digest() == replace(WHOLE).digest()
    assert len(WHOLE.digest()) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"query": "Why? "},
        {"domain": "Custom"},
        {"question_type": "None"},
        {"roles": {"qwen": "None", "mistral": "Rawlsian"}},
        {"roles": ("Rawlsian", "None")},
        {"roles": ()},
        {"agents": ("mistral", "qwen")},
        {"agents": None},
        {"aggregator": None},
        {"deadline_s": None},
        {"deadline_s": 31.0},
        {"use_cache": False},
        {"parent_job_id": "other"},
    ],
    ids=str,
)
def test_another_request_has_another_digest(change: dict[str, Any]) -> None:
    """Every field counts: a request that differs in any of them is another request."""
    assert replace(WHOLE, **change).digest() != WHOLE.digest()
