"""Sentiment: the wording's side and strength, negations, and bounds whatever the text."""

import pytest

from folkmoot.analysis.wording import expand
from tests.unit.analysis.conftest import Measure

#: Pairs of which the first is worded more positively.
PAIRS = [
    ("The clinic is wonderful and its staff are kind.", "The clinic is filthy and its staff are rude."),
    ("This is safe.", "This isn't safe."),
    ("I am delighted with the reform.", "The reform was introduced in May."),
    ("The form has two pages.", "The form is a humiliating disaster."),
]


@pytest.mark.parametrize(("better", "worse"), PAIRS)
def test_polarity_follows_the_wording(measure: Measure, better: str, worse: str) -> None:
    """The friendlier sentence has the higher polarity."""
    assert measure(better).sentiment.polarity > measure(worse).sentiment.polarity + 0.1


def test_polarity_of_a_long_text_is_that_of_its_sentences(measure: Measure) -> None:
    """Twenty mildly positive sentences are no more than mildly positive: the lexicon alone would say 1."""
    mild = "The new rule is good for most people, and the council should keep it."
    alone, together = measure(mild).sentiment.polarity, measure(" ".join([mild] * 20)).sentiment.polarity

    assert together == pytest.approx(alone, abs=0.1)


def test_subjectivity_tells_opinion_from_fact(measure: Measure) -> None:
    """An opinion in strong words is more subjective than a date."""
    opinion = measure("I find this horrible, stupid and utterly boring.").sentiment.subjectivity

    assert opinion > measure("The office opens at nine on Monday.").sentiment.subjectivity + 0.4


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("This isn't safe.", "This is not safe."),
        ("You can’t and won't.", "You can not and will not."),
        ("SHAN'T, DOESN'T", "shall not, DOES not"),
        ("The canton's wonton", "The canton's wonton"),
    ],
)
def test_short_negations_are_written_out(short: str, long: str) -> None:
    """Every `n't` becomes `not`, with either apostrophe; other words stay as they are."""
    assert expand(short) == long


@pytest.mark.parametrize("text", ["", "\n", "No", "🙂", "😡" * 500, "x = [1]", "שלום", "a" * 100_000, "!" * 9_000])
def test_any_text_stays_in_bounds(measure: Measure, text: str) -> None:
    """Whatever the text, polarity lies in -1 to 1 and subjectivity in 0 to 1; of nothing both are 0."""
    found = measure(text).sentiment

    assert -1 <= found.polarity <= 1 and 0 <= found.subjectivity <= 1
    if not text.strip():
        assert (found.polarity, found.subjectivity) == (0, 0)
