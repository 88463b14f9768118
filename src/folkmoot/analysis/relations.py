"""How each response stands to each other one as a whole: agreeing, contradicting, or neither."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from folkmoot.analysis.claims import Alignment
from folkmoot.analysis.contradiction import LEAST_COSINE, Stance, Stances
from folkmoot.analysis.cues import cues
from folkmoot.analysis.reader import UNCLEAR
from folkmoot.analysis.score import Alignments

Kind = Literal["agree", "contradict", "neutral"]

#: The least probability at which a relation is called what it is. A conflict is claimed with more care than an accord.
CONTRADICTS_FROM, AGREES_FROM = 0.7, 0.5
#: What is known of two responses that answer the question itself with the same word, and with different ones: the words
#: around it may still say something else, and the answer may have been read wrongly.
SAME_ANSWER, OTHER_ANSWER = 0.9, 0.9
#: From this probability on a contradiction between two claims stands, whatever else the responses share.
CERTAIN = 0.95
#: Claims this alike are asked about in any case; of 172 less alike ones without a rule's cue 4 contradicted.
ALIKE_COSINE = 0.6


@dataclass(frozen=True)
class Relation:
    """How response a stands to response b.

    Attributes:
        a: its agent.
        b: the other's agent.
        relation: what it comes to.
        p_contradict: that they cannot both hold; the same for both directions.
        p_entail_ab: that b follows from a.
        p_entail_ba: that a follows from b.
    """

    a: str
    b: str
    relation: Kind
    p_contradict: float
    p_entail_ab: float
    p_entail_ba: float


def to_ask(aligned: Alignments, answers: Sequence[str]) -> list[Alignment]:
    """The alignments whose stance is wanted: the alike ones, and of every two responses the most alike.

    Two responses answer one question. So where nothing in them is alike, what comes nearest still speaks of it. Claims
    that are somewhat alike are asked about where the responses answer differently, or a rule sees a difference. The
    nearest two are wanted in both directions only where no answers say how the responses stand.

    Args:
        aligned: the claims by twos, see `score.alignments`.
        answers: what each response answers to the question itself, or `unclear`.
    """
    wanted = []
    for (a, b), pairs in aligned.items():
        is_answered = UNCLEAR not in {answers[a], answers[b]}
        is_opposed = is_answered and answers[a] != answers[b]
        least = LEAST_COSINE if is_opposed else ALIKE_COSINE
        asked = [pair for pair in pairs if pair.is_closest or pair.cosine >= least or _may_differ(pair)]
        wanted += [replace(pair, is_closest=False) for pair in asked] if is_answered else asked
    return wanted


def _may_differ(pair: Alignment) -> bool:
    return pair.cosine >= LEAST_COSINE and bool(cues(pair.claim.reading, pair.nearest.reading))


def relations(
    agent_ids: Sequence[str], aligned: Alignments, known: Stances, answers: Mapping[str, str]
) -> list[Relation]:
    """The relation of every two responses, in their order.

    Args:
        agent_ids: whose the responses are.
        aligned: their claims by twos, see `score.alignments`.
        known: the stances of what `to_ask` named.
        answers: each agent's answer to the question itself, where it has one; see `votes.py`.
    """
    return [
        _relation(agent_ids[a], agent_ids[b], _stances(aligned, known, a, b), answers)
        for a, b in combinations(range(len(agent_ids)), 2)
    ]


def _stances(aligned: Alignments, known: Stances, a: int, b: int) -> list[Stance]:
    """How the claims of a stand to those of b that speak of the same, each pair once."""
    pairs = {(pair.claim.text, pair.nearest.text) for pair in aligned[a, b]}
    pairs |= {(pair.nearest.text, pair.claim.text) for pair in aligned[b, a]}
    return [known[pair] for pair in sorted(pairs & known.keys())]


def _relation(a: str, b: str, stood: Sequence[Stance], answers: Mapping[str, str]) -> Relation:
    """What the strongest sign of each kind, of claims and of answers, comes to."""
    against = max((stance.p_contradict for stance in stood), default=0.0)
    forth = max((stance.p_entail_ab for stance in stood), default=0.0)
    back = max((stance.p_entail_ba for stance in stood), default=0.0)
    given = answers.get(a, UNCLEAR), answers.get(b, UNCLEAR)
    if UNCLEAR not in given and given[0] != given[1]:
        against = OTHER_ANSWER + (1 - OTHER_ANSWER) * against
        forth, back = min(forth, 1 - against), min(back, 1 - against)
    elif UNCLEAR not in given:
        against *= 1 - SAME_ANSWER
        forth, back = max(forth, SAME_ANSWER * (1 - against)), max(back, SAME_ANSWER * (1 - against))
    elif against >= CERTAIN:
        # What else they share takes nothing from that.
        forth, back = min(forth, 1 - against), min(back, 1 - against)
    # The three ways of one direction sum to 1 at the most.
    whole = max(1.0, against + max(forth, back))
    against, forth, back = against / whole, forth / whole, back / whole
    return Relation(a, b, _kind(against, forth, back), against, forth, back)


def _kind(against: float, forth: float, back: float) -> Kind:
    if against >= CONTRADICTS_FROM:
        return "contradict"
    return "agree" if max(forth, back) >= AGREES_FROM else "neutral"
