"""Which main clauses deny each other, and which only look like it."""

import pytest

from folkmoot.analysis.cues import DENIES, Reading, cues
from folkmoot.analysis.sentences import Parser


@pytest.fixture(scope="module")
def parser() -> Parser:
    """The real one."""
    return Parser()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Mandates keep wards open in a bad season.",
            "Mandates do not keep wards open, because they drive staff away.",
        ),
        ("Taxes on sugar reduce obesity in children.", "Taxes on sugar do not reduce obesity."),
        ("A ban would protect young people.", "A ban would not protect young people, since they buy elsewhere."),
        ("Schools should teach a second language from the first year.", "Schools should not teach a second language."),
        ("The committee was heard in private.", "The committee was never heard."),
    ],
)
def test_main_clauses_that_deny_each_other(parser: Parser, one: str, other: str) -> None:
    """The same is said of the same, once negated, whatever stands around it."""
    assert DENIES in _cues(parser, one, other)
    assert DENIES in _cues(parser, other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A man is riding a horse.", "A man is not riding a horse by a creek."),
        ("Mandates keep wards open in winter.", "Mandates do not keep wards open in summer."),
        ("Mandates keep wards open.", "Mandates do not always keep wards open."),
        ("A tax can reduce obesity.", "A tax must not reduce wages."),
        ("Rents fall if cities build.", "Rents do not fall."),
        ("Certain patients recover quickly.", "Patients do not recover quickly."),
        ("Teachers want more pay.", "Parents do not want more pay."),
        ("Nobody denies that rents rise.", "Rents do not rise."),
    ],
)
def test_what_is_narrower_elsewhere_or_conditional_is_no_denial(parser: Parser, one: str, other: str) -> None:
    """A denial of less, of something else, or under a condition leaves both standing."""
    assert DENIES not in _cues(parser, one, other)
    assert DENIES not in _cues(parser, other, one)


def _cues(parser: Parser, one: str, other: str) -> frozenset[str]:
    [first], [second] = parser.parse(one).sentences, parser.parse(other).sentences
    return cues(Reading(first.span), Reading(second.span))
