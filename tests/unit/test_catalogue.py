"""The catalogue holds what the domain fixes, and its examples can be asked as they are."""

from collections import Counter

import pytest

from folkmoot.agents import Roster
from folkmoot.asks import Ask, check
from folkmoot.catalogue import DOMAINS, EXAMPLES, QUESTION_TYPES, ROLES, Example
from folkmoot.settings import Settings


def test_names_are_those_the_domain_fixes() -> None:
    """Every domain, question type and role has exactly its fixed name."""
    assert set(DOMAINS) == {"Custom", "Education", "Healthcare", "Policy", "Science/Technology", "Environmental"}
    assert set(QUESTION_TYPES) == {"Open-ended", "Yes/No", "Multiple Choice", "None"}
    assert set(ROLES) == {
        "None",
        "Utilitarian",
        "Deontologist",
        "Virtue Ethicist",
        "Libertarian",
        "Rawlsian",
        "Precautionary",
    }


@pytest.mark.parametrize("framings", [DOMAINS, QUESTION_TYPES, ROLES], ids=["domains", "question types", "roles"])
def test_only_the_neutral_choice_frames_nothing(framings: dict[str, str]) -> None:
    """Custom and None add nothing to a prompt; every other name adds words that no other adds."""
    said = [words for name, words in framings.items() if name not in ("Custom", "None")]

    assert all(not words for name, words in framings.items() if name in ("Custom", "None"))
    assert all(words.strip() == words and words for words in said)
    assert len(set(said)) == len(said)


def test_names_fit_their_columns() -> None:
    """No name is longer than the 32 characters that the database keeps of it."""
    assert all(len(name) <= 32 for name in (*DOMAINS, *QUESTION_TYPES, *ROLES))


def test_each_domain_has_one_example_of_each_question_type() -> None:
    """There are three examples per domain: open-ended, yes/no and multiple choice."""
    wanted = {(domain, kind): 1 for domain in DOMAINS for kind in ("Open-ended", "Yes/No", "Multiple Choice")}

    assert Counter((example.domain, example.question_type) for example in EXAMPLES) == wanted


def test_no_example_is_offered_twice() -> None:
    """All examples ask different questions."""
    assert len({example.query for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.domain}, {example.question_type}")
def test_every_example_can_be_asked(example: Example, roster: Roster, settings: Settings) -> None:
    """An example passes the very check that a user's query has to pass."""
    check(Ask(example.query, example.domain, example.question_type), roster, settings)


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if example.question_type == "Multiple Choice"],
    ids=lambda example: example.domain,
)
def test_multiple_choice_examples_name_their_options(example: Example) -> None:
    """A multiple-choice example offers at least three options, lettered without a gap."""
    letters = [letter for letter in "ABCDEF" if f" {letter}) " in example.query]

    assert len(letters) >= 3
    assert "".join(letters) == "ABCDEF"[: len(letters)]
