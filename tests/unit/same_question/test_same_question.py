"""No near miss is taken for the same question; most paraphrases are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.same_question import MAX_CHARS, Asked

HERE = Path(__file__).parent


def pairs(name: str) -> Iterator[tuple[str, str]]:
    """Each question with each of its variants, which stand below it; "kind: " before a near miss is left out."""
    asked = ""
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            yield asked, line.strip().partition(": ")[2] or line.strip()
        else:
            asked = line


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("near_misses", 200),
        ("unseen_near_misses_1", 117),
        ("unseen_near_misses_2", 122),
        ("near_misses_round_3", 148),
        ("near_misses_round_4", 116),
        ("near_misses_round_5", 87),
        ("near_misses_round_6", 83),
        ("near_misses_of_the_rules", 22),
    ],
)
def test_near_misses_are_other_questions(name: str, count: int) -> None:
    """A negation, another number, name or order, and much else, make another question; read in either direction."""
    found = list(pairs(name))

    assert len(found) == count
    assert [pair for pair in found if Asked(pair[0]).is_same(pair[1]) or Asked(pair[1]).is_same(pair[0])] == []


@pytest.mark.parametrize(
    ("name", "count", "least"),
    [
        ("paraphrases", 100, 78),
        ("unseen_paraphrases", 51, 36),
        ("paraphrases_round_3", 114, 87),
        ("paraphrases_round_4", 88, 62),
        ("paraphrases_round_5", 61, 51),
        ("paraphrases_round_6", 61, 50),
    ],
)
def test_paraphrases_are_the_same_question(name: str, count: int, least: int) -> None:
    """Other words for the same are known for what they are, and in both directions alike."""
    found = list(pairs(name))
    same = [Asked(one).is_same(other) for one, other in found]

    assert len(found) == count and sum(same) >= least
    assert same == [Asked(other).is_same(one) for one, other in found]


def test_long_questions_are_the_same_letter_by_letter() -> None:
    """A question that carries a case with it is known again only as it was written."""
    case = "Should we tell her? " + "She is my oldest friend, and she has never asked. " * 10
    assert len(case) > MAX_CHARS

    assert Asked(case).is_same(case.strip())
    assert not Asked(case).is_same(case.replace("oldest", "eldest"))


@pytest.mark.parametrize(
    "text", ["?", "…", "是否应该禁止吸烟", "1 2 3", "be", "by by by", "should should be banned by"]
)
def test_any_text_is_read(text: str) -> None:
    """Whatever is asked is the same as itself, and not as another thing."""
    assert Asked(text).is_same(f" {text} ")
    assert not Asked(text).is_same("Should voting be compulsory?")
