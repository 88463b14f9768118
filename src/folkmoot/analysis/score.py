"""The consensus score: how much of what the responses claim is shared, disputed, or said by one alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from folkmoot.analysis.claims import Alignment, Claim, align
from folkmoot.analysis.contradiction import LEAST_COSINE, Stance, Stances

Kind = Literal["supported", "contested", "unique"]
#: By (response, other response): each claim of the first with the nearest one of the second.
Alignments = Mapping[tuple[int, int], list[Alignment]]

#: A claim is supported by another one that is at least this much alike.
SUPPORT_COSINE = 0.6
#: Labels for an uncontested set, by the least share that is agreed, in per cent.
LABELS = (
    (80, "strong agreement"),
    (50, "agreement in most points"),
    (20, "partial agreement"),
    (0, "little in common"),
)
CONTESTED = "contested"


@dataclass(frozen=True)
class Verdict:
    """What became of one claim before the other responses.

    Attributes:
        claim: the claim.
        kind: contested by any, else supported by any, else unique.
        others: the claims of other responses that contest it, or that support it.
        likelihood: of the contradiction, for a contested claim.
    """

    claim: Claim
    kind: Kind
    others: tuple[Claim, ...] = ()
    likelihood: float = 0.0


@dataclass(frozen=True)
class Score:
    """Shares in whole per cent that sum to 100, and what they come to in words."""

    agreed: int
    contested: int
    unique: int
    label: str


def alignments(claims: Sequence[Sequence[Claim]]) -> dict[tuple[int, int], list[Alignment]]:
    """Every response's claims with the nearest ones of every other response."""
    return {(a, b): align(claims[a], claims[b]) for a, b in permutations(range(len(claims)), 2)}


def verdicts(claims: Sequence[Sequence[Claim]], aligned: Alignments, known: Stances) -> list[tuple[Verdict, ...]]:
    """What became of each claim of each response.

    A claim is held against its nearest one of every other response, and against that one only: a response that argues
    both sides must not contest its twin.
    """
    found = []
    for number, own in enumerate(claims):
        columns = [aligned[number, other] for other in range(len(claims)) if other != number and claims[other]]
        found.append(
            tuple(_verdict(claim, [column[row] for column in columns], known) for row, claim in enumerate(own))
        )
    return found


def _verdict(claim: Claim, nearest: Sequence[Alignment], known: Stances) -> Verdict:
    stood = [(alignment, _stance(alignment, known)) for alignment in nearest]
    against = [(alignment.nearest, stance) for alignment, stance in stood if stance and stance.is_contradiction]
    if against:
        likelihood = max(stance.p_contradict for _, stance in against)
        return Verdict(claim, "contested", tuple(other for other, _ in against), likelihood)
    supporters = tuple(alignment.nearest for alignment in nearest if alignment.cosine >= SUPPORT_COSINE)
    return Verdict(claim, "supported", supporters) if supporters else Verdict(claim, "unique")


def _stance(alignment: Alignment, known: Stances) -> Stance | None:
    if alignment.cosine < LEAST_COSINE:
        return None
    return known.get((alignment.claim.text, alignment.nearest.text))


def score(found: Sequence[Sequence[Verdict]]) -> Score | None:
    """The shares, averaged within each response and then over the responses that claim anything, each counting equally.

    Returns:
        None when fewer than two responses claim anything: one alone neither agrees nor disagrees.
    """
    answers = [own for own in found if own]
    if len(answers) < 2:
        return None
    kinds: tuple[Kind, Kind, Kind] = ("supported", "contested", "unique")
    shares = [
        sum(sum(verdict.kind == kind for verdict in own) / len(own) for own in answers) / len(answers) for kind in kinds
    ]
    agreed, contested, unique = whole_per_cents(shares)
    is_contested = any(verdict.kind == "contested" for own in answers for verdict in own)
    label = CONTESTED if is_contested else next(words for least, words in LABELS if agreed >= least)
    return Score(agreed, contested, unique, label)


def whole_per_cents(shares: Sequence[float]) -> list[int]:
    """Shares that sum to 1 as whole per cent that sum to 100: the largest remainders are rounded up."""
    exact = [share * 100 for share in shares]
    # A share that is whole but for the noise of floating point stays what it is.
    whole = [int(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda number: whole[number] - exact[number])
    for number in by_remainder[: 100 - sum(whole)]:
        whole[number] += 1
    return whole
