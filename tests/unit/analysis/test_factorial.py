"""The split of a disagreement between roles and models."""

import pytest

from folkmoot.analysis.factorial import Split, split

ROLES, SEATS = ("Utilitarian", "Libertarian", "Rawlsian"), ("qwen", "mistral")
CELLS = [(role, seat) for role in ROLES for seat in SEATS]


def _distances(by_role: float, by_model: float) -> dict[tuple[tuple[str, str], tuple[str, str]], float]:
    """Responses that disagree so much when only the role, and so much when only the model differs."""
    return {
        (a, b): (by_role**2 * (a[0] != b[0]) + by_model**2 * (a[1] != b[1])) ** 0.5
        for a in CELLS
        for b in CELLS
        if a < b
    }


def test_what_only_the_role_changes_is_the_role_s() -> None:
    """When the model makes no difference the role explains all, and the other way round."""
    assert split(_distances(0.8, 0.0)).role == pytest.approx(1)
    assert split(_distances(0.0, 0.8)).model == pytest.approx(1)


def test_shares_sum_to_one() -> None:
    """Where both matter each gets its share, and they sum to 1."""
    found = split(_distances(0.6, 0.6))

    assert found.role > 0.3
    assert found.model > 0.3
    assert found.role + found.model + found.rest == pytest.approx(1)


def test_no_disagreement_has_no_shares() -> None:
    """Where all agree there is nothing to explain."""
    assert split(_distances(0.0, 0.0)) == Split(0.0, 0.0, 0.0)


def test_an_incomplete_factorial_is_refused() -> None:
    """A missing combination would give one factor what belongs to the other."""
    whole = _distances(0.5, 0.5)
    lacking = {pair: distance for pair, distance in whole.items() if CELLS[0] not in pair}

    with pytest.raises(ValueError, match="each role on each seat"):
        split(lacking)
