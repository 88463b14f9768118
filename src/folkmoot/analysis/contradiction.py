"""How two claims stand to each other: what the cross-encoder says, joined with what the rules see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.claims import Alignment, Claim
from folkmoot.analysis.cues import DENIES, contains, cues
from folkmoot.analysis.inference import CONTRADICTS, ENTAILS, CrossEncoder

Row = NDArray[np.float32]

#: Claims that are less alike than this speak of different things: what a network makes of them means nothing.
LEAST_COSINE = 0.5
#: A contradiction stands when both directions are at least this likely …
LIKELY = 0.75
#: … or, where a rule sees one too, this.
LIKELY_WITH_CUE = 0.45
#: … or this between responses that answer the question differently, and this between those that answer it alike.
LIKELY_IF_OPPOSED, LIKELY_IF_AGREED = 0.3, 0.95
#: Where one direction is less likely than this, the other is taken to be the same.
POSSIBLE = 0.3
#: What one claim that flatly denies the other is given, at the least: the same words but for a negation.
DENIAL = 0.95


@dataclass(frozen=True)
class Stance:
    """How claim `a` stands to claim `b`; probabilities.

    Attributes:
        p_contradict_ab: b contradicts a, read in this order.
        p_contradict_ba: the same, read in the other.
        p_entail_ab: b follows from a.
        p_entail_ba: a follows from b.
        cues: what the rules see, see `cues.py`.
    """

    p_contradict_ab: float
    p_contradict_ba: float
    p_entail_ab: float
    p_entail_ba: float
    cues: frozenset[str] = frozenset()

    def is_contradiction(self, *, same_answer: bool | None = None) -> bool:
        """Whether the two cannot both hold, with the care that a reader is owed before a conflict is claimed.

        Args:
            same_answer: whether the two responses answer the question itself alike, where that is known.
        """
        least = min(self.p_contradict_ab, self.p_contradict_ba)
        if same_answer is False:
            return least >= LIKELY_IF_OPPOSED
        enough = LIKELY_WITH_CUE if self.cues else LIKELY
        return least >= (LIKELY_IF_AGREED if same_answer and DENIES not in self.cues else enough)

    @property
    def p_contradict(self) -> float:
        """One figure for both directions: a contradiction has none."""
        return (self.p_contradict_ab + self.p_contradict_ba) / 2

    def turned(self) -> "Stance":
        """How b stands to a."""
        return replace(
            self,
            p_contradict_ab=self.p_contradict_ba,
            p_contradict_ba=self.p_contradict_ab,
            p_entail_ab=self.p_entail_ba,
            p_entail_ba=self.p_entail_ab,
        )


#: What two claims are given at the most when one says nothing that the other does not, and no rule sees a difference:
#: the network is often wrong there, as with "owe compensation" and "owe poor ones compensation".
CONTAINED = 0.25
#: A claim stands to itself so; no network has to be asked.
SAME = Stance(p_contradict_ab=0.0, p_contradict_ba=0.0, p_entail_ab=1.0, p_entail_ba=1.0)
#: Stances of claim a to claim b, by their texts.
Stances = Mapping[tuple[str, str], Stance]


def stances(alignments: Iterable[Alignment], encoder: CrossEncoder) -> Stances:
    """How each aligned pair of claims stands to each other; many are asked at once, because that is what costs.

    The way back is asked only where the way forth leaves a contradiction possible that no rule has made sure of, and
    where the pair is wanted whole.
    """
    pairs: dict[tuple[str, str], tuple[Claim, Claim]] = {}
    whole = set()
    for alignment in alignments:
        first, second = sorted((alignment.claim, alignment.nearest), key=lambda claim: claim.text)
        pairs[first.text, second.text] = (first, second)
        if alignment.is_closest:
            whole.add((first.text, second.text))
    asked = [pair for pair in pairs if pair[0] != pair[1]]
    seen = {pair: cues(pairs[pair][0].reading, pairs[pair][1].reading) for pair in asked}
    forth = dict(zip(asked, encoder.infer(asked), strict=True))
    open_ = [pair for pair in asked if DENIES not in seen[pair]]
    again = [pair for pair in open_ if pair in whole or forth[pair][CONTRADICTS] >= POSSIBLE]
    back = dict(zip(again, encoder.infer([(b, a) for a, b in again]), strict=True))
    found = {(text, text): SAME for text, other in pairs if text == other}
    for pair in asked:
        stance = _joined(*pairs[pair], seen[pair], forth=forth[pair], back=back.get(pair, forth[pair]))
        found[pair], found[pair[1], pair[0]] = stance, stance.turned()
    return found


def _joined(a: Claim, b: Claim, seen: frozenset[str], *, forth: Row, back: Row) -> Stance:
    floor = DENIAL if DENIES in seen else 0.0
    ceiling = CONTAINED if not seen and contains(a.reading, b.reading) else 1.0
    return Stance(
        p_contradict_ab=max(floor, min(ceiling, float(forth[CONTRADICTS]))),
        p_contradict_ba=max(floor, min(ceiling, float(back[CONTRADICTS]))),
        p_entail_ab=min(1 - floor, float(forth[ENTAILS])),
        p_entail_ba=min(1 - floor, float(back[ENTAILS])),
        cues=seen,
    )
