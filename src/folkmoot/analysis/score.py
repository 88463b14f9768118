"""The consensus score: how much of what the responses claim is shared, disputed, or said by one alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from folkmoot.analysis.claims import Alignment, Claim, Quote, align
from folkmoot.analysis.contradiction import LEAST_COSINE, Stance, Stances
from folkmoot.analysis.reader import UNCLEAR

Kind = Literal["supported", "contested", "unique"]
#: By (response, other response): each claim of the first with the nearest one of the second.
Alignments = Mapping[tuple[int, int], list[Alignment]]

#: A claim is supported by another one that is at least this much alike.
SUPPORT_COSINE = 0.6
#: What is this likely to be contradicted by its nearest claim is not supported by it, however alike they are.
DOUBT = 0.5
#: A claim of a response that answers the question the other way supports only what it entails, with this probability.
FOLLOWS = 0.5
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
        is_vote: whether the claim is the response's answer to the question itself, which no model had to compare.
    """

    claim: Quote
    kind: Kind
    others: tuple[Quote, ...] = ()
    likelihood: float = 0.0
    is_vote: bool = False


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


def verdicts(
    claims: Sequence[Sequence[Claim]], aligned: Alignments, known: Stances, answers: Sequence[str]
) -> list[tuple[Verdict, ...]]:
    """What became of each claim of each response; its answer to the question, where it has one, is a claim as well.

    A claim is held against its nearest one of every other response, and against that one only: a response that argues
    both sides must not contest its twin.

    Args:
        claims: of each response.
        aligned: the claims by twos.
        known: how aligned claims stand to each other, see `relations.to_ask`.
        answers: what each response answers, or `unclear`.
    """
    found = []
    for number, own in enumerate(claims):
        others = [other for other in range(len(claims)) if other != number and claims[other]]
        alike = [_same(answers[number], answers[other]) for other in others]
        found.append(
            tuple(
                _verdict([aligned[number, other][row] for other in others], claim.quote, known, alike)
                for row, claim in enumerate(own)
            )
        )
    return found


def _same(ours: str, theirs: str) -> bool | None:
    return None if UNCLEAR in {ours, theirs} else ours == theirs


def _verdict(nearest: Sequence[Alignment], claim: Quote, known: Stances, alike: Sequence[bool | None]) -> Verdict:
    stood = [(pair, _stance(pair, known), same) for pair, same in zip(nearest, alike, strict=True)]
    against = [
        (pair.nearest.quote, stance)
        for pair, stance, same in stood
        if stance and stance.is_contradiction(same_answer=same)
    ]
    if against:
        likelihood = max(stance.p_contradict for _, stance in against)
        return Verdict(claim, "contested", tuple(other for other, _ in against), likelihood)
    supporters = tuple(pair.nearest.quote for pair, stance, same in stood if stance and _supports(pair, stance, same))
    return Verdict(claim, "supported", supporters) if supporters else Verdict(claim, "unique")


def _supports(pair: Alignment, stance: Stance, same: bool | None) -> bool:
    """Whether it is alike and not likely to be contradicted.

    Between opposed responses, and where a rule sees a negation or an opposite in one only, it has to follow besides.
    """
    follows = max(stance.p_entail_ab, stance.p_entail_ba) >= FOLLOWS
    is_doubtful = same is False or bool(stance.cues)
    return pair.cosine >= SUPPORT_COSINE and stance.p_contradict < DOUBT and (follows or not is_doubtful)


def _stance(pair: Alignment, known: Stances) -> Stance | None:
    return known.get((pair.claim.text, pair.nearest.text)) if pair.cosine >= LEAST_COSINE else None


def answer_verdicts(quotes: Sequence[Quote], answers: Sequence[str]) -> list[Verdict | None]:
    """What became of each response's answer to the question itself; None for an unclear one.

    One that nobody else answers clearly is unique.
    """
    clear = [(quote, answer) for quote, answer in zip(quotes, answers, strict=True) if answer != UNCLEAR]
    found: list[Verdict | None] = []
    for quote, answer in zip(quotes, answers, strict=True):
        same = tuple(other for other, given in clear if given == answer and other is not quote)
        different = tuple(other for other, given in clear if given != answer)
        kind: Kind = "contested" if different else "supported" if same else "unique"
        likelihood = float(bool(different))
        found.append(None if answer == UNCLEAR else Verdict(quote, kind, different or same, likelihood, is_vote=True))
    return found


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
