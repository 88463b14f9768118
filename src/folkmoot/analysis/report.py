"""The dissent report: where the responses agree, where they conflict, and what some of them leave unsaid."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from folkmoot.analysis.claims import Quote
from folkmoot.analysis.score import Verdict

#: A conflict that a small model flags is possible; a judge may confirm or dismiss it, see `judge.py`.
Standing = Literal["possible", "confirmed", "dismissed"]


@dataclass(frozen=True)
class Point:
    """One thing that is said, in the words of everybody who says it."""

    quotes: tuple[Quote, ...]

    @property
    def agent_ids(self) -> tuple[str, ...]:
        """Who says it, each once, in the order of the responses."""
        return tuple(dict.fromkeys(quote.agent_id for quote in self.quotes))


@dataclass(frozen=True)
class Conflict:
    """Two sentences of two agents that do not go together.

    Attributes:
        is_vote: whether they are the agents' answers to the question itself, which no model had to compare.
    """

    one: Quote
    other: Quote
    likelihood: float
    standing: Standing = "possible"
    reason: str = ""
    is_vote: bool = False


@dataclass(frozen=True)
class Report:
    """What a reader should know before trusting the consensus.

    Attributes:
        agreements: what everybody says.
        conflicts: what two agents say that does not go together, the likeliest first.
        partial: what several say, but not all.
        unique: what one alone says.
        blind_spots: by agent, the points of several others that it leaves unsaid.
    """

    agreements: tuple[Point, ...]
    conflicts: tuple[Conflict, ...]
    partial: tuple[Point, ...]
    unique: tuple[Quote, ...]
    blind_spots: dict[str, tuple[Point, ...]]


def report(found: Sequence[Sequence[Verdict]]) -> Report:
    """The report of these verdicts; a response that claims nothing has no part in it."""
    agents = [own[0].claim.agent_id for own in found if own]
    verdicts = list(chain.from_iterable(found))
    shared = [point for point in _points(verdicts) if len(point.agent_ids) > 1]
    partial = tuple(point for point in shared if len(point.agent_ids) < len(agents))
    return Report(
        agreements=tuple(point for point in shared if len(point.agent_ids) == len(agents)),
        conflicts=tuple(_conflicts(verdicts)),
        partial=partial,
        unique=tuple(verdict.claim for verdict in verdicts if verdict.kind == "unique"),
        blind_spots={agent: tuple(point for point in partial if agent not in point.agent_ids) for agent in agents},
    )


def _points(verdicts: Sequence[Verdict]) -> list[Point]:
    """Claims that support each other, directly or through others, as one point each."""
    group: dict[Quote, set[Quote]] = {}
    for verdict in verdicts:
        if verdict.kind != "supported":
            continue
        quotes = {verdict.claim, *verdict.others}
        joined = quotes.union(*(group.get(quote, set()) for quote in quotes))
        group.update(dict.fromkeys(joined, joined))
    order = list(dict.fromkeys(verdict.claim for verdict in verdicts))
    sets = list({id(quotes): quotes for quotes in group.values()}.values())
    return [Point(tuple(quote for quote in order if quote in quotes)) for quotes in sets]


def _conflicts(verdicts: Sequence[Verdict]) -> list[Conflict]:
    """Each pair once, whoever of the two was held against the other."""
    pairs: dict[frozenset[Quote], Conflict] = {}
    for verdict in verdicts:
        for other in verdict.others if verdict.kind == "contested" else ():
            standing: Standing = "confirmed" if verdict.is_vote else "possible"
            conflict = Conflict(verdict.claim, other, verdict.likelihood, standing, is_vote=verdict.is_vote)
            pairs.setdefault(frozenset({verdict.claim, other}), conflict)
    return sorted(pairs.values(), key=lambda conflict: -conflict.likelihood)
