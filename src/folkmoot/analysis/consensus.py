"""Whether the aggregator kept to what the agents said: what it added, and which conflicts it passed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from folkmoot.analysis.claims import Alignment, Claim, Quote, align
from folkmoot.analysis.contradiction import LEAST_COSINE, Stances, stances
from folkmoot.analysis.inference import CrossEncoder
from folkmoot.analysis.score import DOUBT, FOLLOWS, SUPPORT_COSINE, Verdict


@dataclass(frozen=True)
class ConsensusCheck:
    """What there is to say of a consensus beside the responses; it is never part of what is scored.

    Attributes:
        not_from_any_agent: its claims that no response supports.
        left_out: contested claims that it does not speak of, each with one that contests it.
    """

    not_from_any_agent: tuple[str, ...]
    left_out: tuple[tuple[Quote, Quote], ...]


def check(
    stated: Sequence[Claim],
    claims: Sequence[Sequence[Claim]],
    found: Sequence[Sequence[Verdict]],
    encoder: CrossEncoder,
) -> ConsensusCheck:
    """Hold the claims of a consensus against those of the responses.

    Args:
        stated: what the consensus claims.
        claims: what each response claims.
        found: what became of these, see `score.verdicts`.
        encoder: asked where the words alone do not tell.
    """
    said = list(chain.from_iterable(claims))
    pairs = align(stated, said)
    known = stances((pair for pair in pairs if pair.cosine >= LEAST_COSINE), encoder)
    added = [claim.text for claim in stated] if not said else [p.claim.text for p in pairs if not _comes_from(p, known)]
    return ConsensusCheck(tuple(added), tuple(_left_out(stated, said, chain.from_iterable(found))))


def _comes_from(pair: Alignment, known: Stances) -> bool:
    if pair.cosine < LEAST_COSINE:
        return False
    stance = known[pair.claim.text, pair.nearest.text]
    return stance.p_contradict < DOUBT and (pair.cosine >= SUPPORT_COSINE or stance.p_entail_ba >= FOLLOWS)


def _left_out(stated: Sequence[Claim], said: Sequence[Claim], found: chain[Verdict]) -> list[tuple[Quote, Quote]]:
    """Each conflict once of which the consensus names neither side."""
    named = {pair.claim.quote for pair in align(said, stated) if pair.cosine >= LEAST_COSINE}
    missing: dict[frozenset[Quote], tuple[Quote, Quote]] = {}
    for verdict in found:
        for other in verdict.others if verdict.kind == "contested" else ():
            if not {verdict.claim, other} & named:
                missing.setdefault(frozenset({verdict.claim, other}), (verdict.claim, other))
    return list(missing.values())
