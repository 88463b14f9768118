"""Shares, and what the report makes of the verdicts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.analysis.baseline import unrelated
from folkmoot.analysis.claims import Quote
from folkmoot.analysis.report import report
from folkmoot.analysis.score import Score, Verdict, score, whole_per_cents

A, B, C = Quote("a", "It works."), Quote("b", "It does work."), Quote("c", "It fails.")
ALONE = Quote("c", "It costs much.")


@given(st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any))
def test_whole_shares_sum_to_a_hundred(counts: list[int]) -> None:
    """Rounding never loses or gains a per cent, and moves no share by one or more."""
    shares = [count / sum(counts) for count in counts]
    whole = whole_per_cents(shares)

    assert sum(whole) == 100
    assert all(abs(value - 100 * share) < 1 for value, share in zip(whole, shares, strict=True))


def test_each_response_counts_equally() -> None:
    """A response of many claims weighs no more than one of few."""
    few = (Verdict(A, "supported", (B,)),)
    many = tuple(Verdict(Quote("b", str(number)), "unique") for number in range(9))

    assert score([few, many]) == Score(50, 0, 50, "agreement in most points")


def test_the_report_sorts_what_was_said() -> None:
    """Shared points, conflicts, single points and blind spots are each found once."""
    found = [
        (Verdict(A, "supported", (B,)),),
        (Verdict(B, "supported", (A,)),),
        (Verdict(C, "contested", (A,), 0.9), Verdict(ALONE, "unique")),
    ]
    made = report(found)

    assert made.agreements == ()
    assert [point.agent_ids for point in made.partial] == [("a", "b")]
    assert [(conflict.one, conflict.other) for conflict in made.conflicts] == [(C, A)]
    assert made.unique == (ALONE,)
    assert [len(made.blind_spots[agent]) for agent in "abc"] == [0, 0, 1]


def test_the_baseline_compares_only_different_questions() -> None:
    """Responses to one question are alike here and those to others are not: dealt out, nothing is alike."""
    vectors = np.repeat(np.eye(3, 384, dtype=np.float32), 2, axis=0)

    assert unrelated(vectors, [0, 0, 1, 1, 2, 2], rounds=20) == (0.0, 0.0)
