"""The votes: answers read as a careful reader would, counted, and counted again without each agent."""

import json
from pathlib import Path

import pytest
import yaml

from folkmoot.analysis.choices import choice, options_of
from folkmoot.analysis.votes import count, majority, votes
from folkmoot.analysis.yes_no import NO, UNCLEAR, YES, yes_no

GROUPS = json.loads((Path(__file__).with_name("labelled_votes.json")).read_text(encoding="utf-8"))
CASES = [
    (group["query"], group["question_type"], text, answer)
    for group in GROUPS
    for answer, texts in group["answers"].items()
    for text in texts
]
#: Rounds of responses that were written without looking at the rules, each scored once before the rules saw it.
ROUNDS = sorted(Path(__file__).with_name("votes").glob("*.yaml"))
#: The share of written responses whose answer must be read right.
LEAST_RIGHT = 0.97


def test_the_answers_of_written_responses_are_read_right() -> None:
    """Of at least 150 written responses, hedged, negated and bare ones, 97% give the answer that a person reads."""
    wrong = [
        (text, answer, read)
        for query, question_type, text, answer in CASES
        if (read := _read(query, question_type, text)) != answer
    ]

    assert len(CASES) >= 150
    assert len(wrong) <= (1 - LEAST_RIGHT) * len(CASES), wrong


def test_the_answers_of_further_rounds_are_read_right() -> None:
    """Of responses to other questions, in other styles, the share that is read right stays what it was."""
    cases = [
        (group["query"], group["type"], text, str(answer))
        for path in ROUNDS
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))
        for answer, texts in group.items()
        if answer not in {"query", "type"}
        for text in texts
    ]
    wrong = [case for case in cases if _read(*case[:3]) != case[3]]

    assert len(cases) >= 1600
    assert len(wrong) <= (1 - LEAST_RIGHT) * len(cases), wrong


def _read(query: str, question_type: str, text: str) -> str:
    found = votes(query, question_type, [("a", text)])
    assert found is not None
    return found.by_agent["a"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I'd lean no.", NO),
        ("Yes, there are benefits, but on balance I'd say no.", NO),
        ("Some would say yes. I say no.", NO),
        ("No one doubts the benefits. My answer is yes.", YES),
        ("Some would say yes, others would say no.", UNCLEAR),
        ("Yes and no.", UNCLEAR),
        ("", UNCLEAR),
        ("yes " * 25_000, YES),
    ],
)
def test_what_a_response_concludes_counts(text: str, answer: str) -> None:
    """A conclusion outweighs the opening, others' opinions do not count, and nothing clear is unclear."""
    assert yes_no("Should voting be compulsory?", text) == answer


def test_options_are_found_however_they_are_marked() -> None:
    """Letters, numbers and a plain list all make options; a question without any has none."""
    assert options_of("Who? A) the family B) the doctors") == {"A": "the family", "B": "the doctors"}
    assert options_of("Which?\n1. tea\n2. coffee") == {"1": "tea", "2": "coffee"}
    assert list(options_of("Which first: tea, coffee or milk?")) == ["tea", "coffee", "milk"]
    assert options_of("Why is the sky blue?") == {}


def test_an_article_is_no_option() -> None:
    """The first letter of "A court" chooses no option A, and a rejected option is not chosen."""
    options = {"A": "the family", "B": "the doctors", "C": "a court"}

    assert choice(options, "A court should decide.") == "C"
    assert choice(options, "Not A but B.") == "B"
    assert choice(options, "A or B.") == UNCLEAR


def test_the_vote_is_counted_with_and_without_each_agent() -> None:
    """A tie has no majority, whoever leaves may decide the vote, and an unclear answer counts for nobody."""
    counted = count({YES: YES, NO: NO}, {"a": YES, "b": YES, "c": NO, "d": UNCLEAR})

    assert (counted.majority, counted.dissenters) == (YES, ("c",))
    assert counted.tally == {YES: 2, NO: 1, UNCLEAR: 1}
    assert counted.without == {"a": None, "b": None, "c": YES, "d": YES}
    assert majority([YES, NO]) is None


def test_an_open_question_has_no_vote() -> None:
    """Only questions with given answers are voted on."""
    assert votes("Why?", "Open-ended", [("a", "Yes.")]) is None
    assert votes("Why?", "Multiple Choice", [("a", "Yes.")]) is None
