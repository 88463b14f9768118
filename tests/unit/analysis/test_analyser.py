"""The analysis of whole sets of responses, by the real models: what must hold whatever the responses say."""

import json
import re
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.score import CONTESTED
from folkmoot.analysis.sentences import MAX_CHARS

NEGATIONS = Path(__file__).with_name("negations.txt").read_text(encoding="utf-8").splitlines()
#: Three texts a line: one, one that agrees with it, and that one with a sentence negated, by whatever means.
LONGER = Path(__file__).with_name("negations_longer.txt").read_text(encoding="utf-8").splitlines()
SAFE = "Nuclear power is safe. Modern reactors shut themselves down."
UNSAFE = "Nuclear power is not safe. The waste stays dangerous for thousands of years."
COSTLY = "Building reactors takes decades. The price of the electricity is very high."
#: Texts that are no plain English prose.
ODD = {
    "empty": "",
    "blank": " \n\t ",
    "one word": "Yes",
    "long": "This is a long sentence about voting. " * 2_700,
    "unbroken": "x" * 100_000,
    "emoji": "😀👍🏽" * 200,
    "code": "```python\ndef f(x):\n    return x\n```\nif (a != b) { return 0; }",
    "markdown": "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> *quote* [link](http://x.y)\n\n- [ ] item\n\n"
    + "> " * 500,
    "right to left": "الطاقة النووية آمنة ونظيفة، لكن النفايات مشكلة كبيرة. \u202eabc\u202c",
    "chinese": "核能是安全的。但是废料是一个问题。",
    "control characters": "a\x00b\x0bc \ufeff\u200b word word",
    "signs": "?!... --- ((())) $$$ \\ \\\\",
}


def _score(analyser: Analyser, *texts: str, question_type: str = "None") -> dict[str, object] | None:
    responses = [(f"agent{number}", text) for number, text in enumerate(texts)]
    found: dict[str, object] | None = analyser.analyse("What do you think?", question_type, responses).as_json()[
        "score"
    ]
    return found


WORDS = st.sampled_from(
    [
        "voting",
        "nuclear",
        "power",
        "safe",
        "schools",
        "should",
        "not",
        "be",
        "never",
        "compulsory",
        "because",
        "people",
        "are",
        "happy",
    ]
)
SENTENCES = st.lists(WORDS, min_size=3, max_size=8).map(lambda words: f"{' '.join(words).capitalize()}.")
TEXTS = st.lists(SENTENCES, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=12)
@given(TEXTS)
def test_identical_responses_agree_wholly(analyser: Analyser, text: str) -> None:
    """Responses that say the same agree in everything, whatever they say."""
    assert _score(analyser, text, text) == {
        "agreed": 100,
        "contested": 0,
        "unique": 0,
        "label": "strong agreement",
    }


@settings(max_examples=10)
@given(st.lists(TEXTS, min_size=2, max_size=3))
def test_the_shares_sum_to_a_hundred_in_every_order(analyser: Analyser, texts: list[str]) -> None:
    """The three shares are whole and sum to 100, and no order of the agents changes them."""
    first = _score(analyser, *texts)
    assert first is not None
    shares = [first[name] for name in ("agreed", "contested", "unique")]

    assert sum(share for share in shares if isinstance(share, int)) == 100
    assert all(_score(analyser, *order) == first for order in permutations(texts))


def test_agreement_falls_when_a_response_is_negated(analyser: Analyser) -> None:
    """Of 50 pairs that say the same in other words, at least 45 agree less once one of them is negated."""
    falls = [_agreed(analyser, line, negated=False) > _agreed(analyser, line, negated=True) for line in NEGATIONS]

    assert len(falls) == 50
    assert sum(falls) >= 45


def test_agreement_falls_when_one_of_two_sentences_is_negated(analyser: Analyser) -> None:
    """The same of longer texts, where other sentences stay, for nine in ten of them."""
    texts = [line.split("|") for line in LONGER]
    agreed, denied = (
        [analyser.analyse("", "None", [("a", text[0]), ("b", text[which])]).score for text in texts] for which in (1, 2)
    )
    falls = [
        one is not None and two is not None and one.agreed > two.agreed for one, two in zip(agreed, denied, strict=True)
    ]

    assert sum(falls) >= 0.9 * len(LONGER)


def _agreed(analyser: Analyser, line: str, *, negated: bool) -> int:
    """A line is a sentence with `{not }` or `{as it is|negated}` in it, and the same in other words."""
    statement, other = line.split(" | ")

    def chosen(match: re.Match[str]) -> str:
        plain, _, denied = match[1].rpartition("|")
        return denied if negated else plain

    found = analyser.analyse("", "None", [("a", re.sub(r"\{([^}]*)\}", chosen, statement)), ("b", other)]).score
    assert found is not None
    return found.agreed


def test_one_contested_claim_caps_the_label(analyser: Analyser) -> None:
    """However much is agreed, a set with a conflict is called contested, and the conflict names both sentences."""
    found = analyser.analyse("", "None", [("a", f"{SAFE} {COSTLY}"), ("b", f"{COSTLY} Nuclear power is not safe.")])

    assert found.score is not None
    assert found.score.label == CONTESTED
    assert found.score.agreed > 0
    conflict = found.report.conflicts[0]
    assert {conflict.one.text, conflict.other.text} == {"Nuclear power is safe.", "Nuclear power is not safe."}
    assert conflict.standing == "possible"


@pytest.mark.parametrize("texts", [(), (SAFE,), (SAFE, ""), (SAFE, "Hm."), ("", "")])
def test_below_two_responses_there_is_no_score(analyser: Analyser, texts: tuple[str, ...]) -> None:
    """One response that claims something agrees with nobody: no score, and the reason."""
    found = analyser.analyse("", "None", [(str(number), text) for number, text in enumerate(texts)])

    assert found.score is None
    assert found.reason is not None
    assert "at least two" in found.reason


def test_the_aggregator_is_never_counted(analyser: Analyser) -> None:
    """A consensus is held against the responses and changes nothing of what is measured of them."""
    responses = [("a", SAFE), ("b", UNSAFE)]
    without = analyser.analyse("", "None", responses).as_json()
    consensus = "Modern reactors shut themselves down. Bananas are rich in potassium."
    beside = analyser.analyse("", "None", responses, consensus).as_json()

    checked = beside.pop("consensus")
    assert without.pop("consensus") is None
    assert beside == without
    assert checked["not_from_any_agent"] == ("Bananas are rich in potassium.",)
    assert {quote["text"] for quote in checked["left_out"][0]} == {
        "Nuclear power is safe.",
        "Nuclear power is not safe.",
    }


def test_opposite_answers_contradict(analyser: Analyser) -> None:
    """Two agents that answer the question differently contradict each other, whatever else they share."""
    found = analyser.analyse("Is it safe?", "Yes/No", [("a", f"Yes. {COSTLY}"), ("b", f"No. {COSTLY}")])

    assert found.relations[0].relation == "contradict"
    assert found.score is not None
    assert found.score.label == CONTESTED
    assert found.votes is not None
    assert found.votes.by_agent == {"a": "Yes", "b": "No"}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_no_text_is_too_odd(analyser: Analyser, odd: str) -> None:
    """Whatever a response holds, everything is measured, its figures lie where they must, and the rest is untouched."""
    found = analyser.analyse("Is it safe?", "Yes/No", [("a", odd), ("b", SAFE), ("c", SAFE)]).as_json()

    json.dumps(found, allow_nan=False)
    assert found["similarity"][1][2] == 1.0
    assert all(-1 <= value <= 1 for row in found["similarity"] for value in row)
    assert all(abs(sum(shares.values()) - 1) < 1e-6 for shares in [*found["tones"], *found["emotions"]])
    assert len(found["sentiment"]) == len(found["features"]) == 3
    assert [note for note in found["notes"] if f"{MAX_CHARS:,}" in note] or len(odd) <= MAX_CHARS


def test_other_languages_get_no_score_and_the_reason(analyser: Analyser) -> None:
    """What is not English is not scored, and says so; similarity is there all the same."""
    spanish = [
        "La energía nuclear es segura y limpia, pero cara.",
        "La energía nuclear es peligrosa y los residuos duran siglos.",
    ]
    found = analyser.analyse("¿Es segura?", "None", list(zip("ab", spanish, strict=True))).as_json()

    assert found["score"] is None
    assert "English" in found["reason"]
    assert found["similarity"][0][1] > 0.3


def test_a_role_that_was_not_kept_is_noted(analyser: Analyser) -> None:
    """A response that reasons from another role's principle gets a note, and one that keeps its own gets none."""
    utilitarian = (
        "We should judge by consequences and prefer the greatest well-being for the greatest number of people."
    )
    found = analyser.analyse(
        "", "None", [("a", utilitarian), ("b", utilitarian)], roles={"a": "Utilitarian", "b": "Libertarian"}
    )

    assert found.fidelity["a"].note == ""
    assert "Utilitarian" in found.fidelity["b"].note
