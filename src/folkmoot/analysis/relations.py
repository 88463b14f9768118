"""How each response stands to each other one as a whole: agreeing, contradicting, or neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from folkmoot.analysis.claims import Alignment
from folkmoot.analysis.contradiction import LEAST_COSINE, Stance, Stances
from folkmoot.analysis.score import Alignments

Kind = Literal["agree", "contradict", "neutral"]


@dataclass(frozen=True)
class Relation:
    """How response a stands to response b, with probabilities as in `contradiction.Stance`."""

    a: str
    b: str
    relation: Kind
    p_contradict: float
    p_entail_ab: float
    p_entail_ba: float


def to_ask(aligned: Alignments) -> list[Alignment]:
    """The alignments whose stance is wanted: the alike ones, and of every two responses the most alike.

    Two responses answer one question. So where nothing in them is alike, what comes nearest still speaks of it.
    """
    wanted = []
    for pairs in aligned.values():
        nearest = max(pairs, key=lambda pair: pair.cosine, default=None)
        wanted += [pair for pair in pairs if pair.cosine >= LEAST_COSINE or pair is nearest]
    return wanted


def relations(agent_ids: Sequence[str], aligned: Alignments, known: Stances) -> list[Relation]:
    """The relation of every two responses, in their order; one without claims is neutral to all."""
    return [
        _relation(agent_ids[a], agent_ids[b], _stances(aligned, known, a, b))
        for a, b in combinations(range(len(agent_ids)), 2)
    ]


def _stances(aligned: Alignments, known: Stances, a: int, b: int) -> list[Stance]:
    """How the claims of a stand to those of b that speak of the same, each pair once."""
    forth = to_ask({(a, b): aligned[a, b]})
    back = to_ask({(b, a): aligned[b, a]})
    pairs = {(pair.claim.text, pair.nearest.text) for pair in forth}
    pairs |= {(pair.nearest.text, pair.claim.text) for pair in back}
    return [known[pair] for pair in sorted(pairs)]


def _relation(a: str, b: str, stood: Sequence[Stance]) -> Relation:
    if not stood:
        return Relation(a, b, "neutral", 0.0, 0.0, 0.0)
    against = max(stance.p_contradict for stance in stood)
    entails = sum(stance.p_entail_ab for stance in stood) / len(stood)
    entailed = sum(stance.p_entail_ba for stance in stood) / len(stood)
    return Relation(a, b, "neutral", against, entails, entailed)
