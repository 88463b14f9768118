"""Role or model: how much of a disagreement each of the two explains, when the same roles sit on different seats."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """Shares of the disagreement, which sum to 1; all 0 where there is none.

    Attributes:
        role: what differs between roles, whichever model plays them.
        model: what differs between seats, whichever role they play.
        rest: what only a certain model in a certain role says.
    """

    role: float
    model: float
    rest: float


def split(distances: Mapping[tuple[tuple[str, str], tuple[str, str]], float]) -> Split:
    """Split the disagreement of a full factorial: each role on each seat, one response each.

    Args:
        distances: by two different (role, seat), how far their responses disagree, from 0 to 1; either order will do.
    Raises:
        ValueError: a combination is missing, or there are fewer than two roles or seats.
    Source: Anderson 2001, the partition of variation by distances (PERMANOVA), for two crossed factors.
    """
    cells = sorted({cell for pair in distances for cell in pair})
    roles, seats = sorted({role for role, _ in cells}), sorted({seat for _, seat in cells})
    if min(len(roles), len(seats)) < 2 or len(cells) != len(roles) * len(seats):
        raise ValueError("a factorial needs two roles and two seats at least, and a response of each role on each seat")
    inner = _inner_products(np.array([[_distance(distances, a, b) for b in cells] for a in cells]))
    by_role = _explained(inner, [role for role, _ in cells])
    by_model = _explained(inner, [seat for _, seat in cells])
    rest = max(0.0, float(np.trace(inner)) - by_role - by_model)
    whole = by_role + by_model + rest
    return Split(by_role / whole, by_model / whole, rest / whole) if whole > 1e-9 else Split(0.0, 0.0, 0.0)


def _distance(
    distances: Mapping[tuple[tuple[str, str], tuple[str, str]], float], a: tuple[str, str], b: tuple[str, str]
) -> float:
    if a == b:
        return 0.0
    found = distances.get((a, b), distances.get((b, a)))
    if found is None:
        raise ValueError(f"there is no distance between {a} and {b}")
    return found


def _inner_products(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gower's centred matrix: the inner products that points at these distances would have."""
    halves: NDArray[np.float64] = -0.5 * distances**2
    centred: NDArray[np.float64] = halves - halves.mean(axis=0) - halves.mean(axis=1, keepdims=True) + halves.mean()
    return centred


def _explained(inner: NDArray[np.float64], labels: list[str]) -> float:
    """The variation between the means of the labels; of distances that no space holds it could come out below 0."""
    same = np.array([[a == b for b in labels] for a in labels], float)
    return max(0.0, float(np.trace((same / same.sum(axis=1, keepdims=True)) @ inner)))
