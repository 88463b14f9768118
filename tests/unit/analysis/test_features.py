"""Features: each axis between 0 and 1, and moved by what it is named for."""

import pytest

from folkmoot.analysis.features import WORDS, lexical_diversity, readability
from tests.unit.analysis.conftest import Measure

AXES = {
    *("Length", "Polarity", "Subjectivity", "Analytical", "Empathetic", "Curious"),
    *("Readability", "Lexical diversity", "Hedging"),
}
PLAIN = "The cat sat on the mat. It was a hot day. We ate and went home."
HEAVY = "Institutional heterogeneity necessitates multidimensional organisational considerations notwithstanding."


@pytest.mark.parametrize("text", ["", "No", "🙂🙂", "if x: y()", "שלום עולם", PLAIN, HEAVY, "word " * 20_000])
def test_every_axis_is_between_0_and_1(measure: Measure, text: str) -> None:
    """All axes are there and in bounds, whatever the text."""
    found = measure(text).features

    assert set(found) == AXES and all(0 <= value <= 1 for value in found.values()), found


def test_axes_move_with_what_they_are_named_for(measure: Measure) -> None:
    """Longer, plainer, more cautious and warmer texts have more of each."""
    plain, heavy = measure(PLAIN).features, measure(HEAVY).features
    cautious = measure("Perhaps it might help. It could possibly fail, and it seems unclear.").features
    certain = measure("It will help. It never fails, and that is clear.").features

    assert plain["Length"] > heavy["Length"] and plain["Readability"] > heavy["Readability"] + 0.5
    assert cautious["Hedging"] > 0.9 and certain["Hedging"] == 0
    assert measure("How does it work?").features["Curious"] > certain["Curious"]
    assert measure("I am so sorry for your loss.").features["Empathetic"] > certain["Empathetic"]


def test_readability_is_fleschs() -> None:
    """Six words of one syllable each in one sentence have the ease of 116, more than the axis has."""
    words = WORDS.findall("the cat sat on the mat")

    assert readability(words, 1) == 1.0
    # 206.835 - 1.015 * 4 - 84.6 * 9 / 4
    assert readability(["banana", "table", "elephant", "cat"], 1) == pytest.approx(0.12425)


def test_diversity_does_not_fall_with_length() -> None:
    """A text said ten times over has windows as rich as it was; one word repeated has none."""
    words = [f"w{number}" for number in range(50)]

    assert lexical_diversity(words) == lexical_diversity(words * 10) == 1.0
    assert lexical_diversity(["same"] * 100) == pytest.approx(1 / 50)
    assert lexical_diversity([]) == 0.0
