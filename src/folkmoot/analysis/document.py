"""The result of an analysis, and the JSON that the contract promises of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot.analysis.baseline import above_chance
from folkmoot.analysis.consensus import ConsensusCheck
from folkmoot.analysis.manner import Manner
from folkmoot.analysis.relations import Relation
from folkmoot.analysis.report import Point, Report
from folkmoot.analysis.roles import Fidelity
from folkmoot.analysis.score import Score, Verdict
from folkmoot.analysis.votes import Votes


@dataclass(frozen=True)
class Analysis:
    """Everything that was measured; lists are in the order of the responses.

    Attributes:
        agent_ids: whose the responses are.
        similarity: topical, cosines of the whole responses; not agreement.
        score: the shares, or None, and then
        reason: why there is none.
        verdicts: what became of each claim.
        relations: of every two responses.
        votes: where the question has given answers.
        manners: sentiment, tones, emotions and features.
        report: the dissent report.
        consensus: how it stands to the responses, where one was given.
        fidelity: by agent, where roles were given.
        notes: what a reader must know of these figures.
    """

    agent_ids: tuple[str, ...]
    similarity: Sequence[Sequence[float]]
    score: Score | None
    reason: str | None
    verdicts: tuple[Verdict, ...]
    relations: tuple[Relation, ...]
    votes: Votes | None
    manners: tuple[Manner, ...]
    report: Report
    consensus: ConsensusCheck | None
    fidelity: Mapping[str, Fidelity]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The fields of the contract, and after them what it leaves free."""
        return {
            "similarity": self.similarity,
            "score": asdict(self.score) if self.score else None,
            "reason": self.reason,
            "claims": [_claim(verdict) for verdict in self.verdicts],
            "relations": [_rounded(asdict(relation)) for relation in self.relations],
            "votes": asdict(self.votes) if self.votes else None,
            "sentiment": [_rounded(manner.sentiment.as_json()) for manner in self.manners],
            "tones": [dict(manner.tones) for manner in self.manners],
            "emotions": [dict(manner.emotions) for manner in self.manners],
            "features": [_rounded(dict(manner.features)) for manner in self.manners],
            "above_chance": self._above_chance(),
            "report": _report(self.report),
            "consensus": asdict(self.consensus) if self.consensus else None,
            "roles": {agent: _rounded(asdict(fidelity)) for agent, fidelity in self.fidelity.items()},
            "notes": list(self.notes),
        }

    def _above_chance(self) -> float | None:
        """By how many standard deviations the mean similarity exceeds that of responses to unrelated questions."""
        values = [value for number, row in enumerate(self.similarity) for value in row[number + 1 :]]
        return round(above_chance(sum(values) / len(values)), 1) if values else None


def _claim(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict.claim), "kind": verdict.kind, "with": [asdict(other) for other in verdict.others]}


def _report(report: Report) -> dict[str, Any]:
    return {
        "agreements": [_point(point) for point in report.agreements],
        "conflicts": [_rounded(asdict(conflict)) for conflict in report.conflicts],
        "partial": [_point(point) for point in report.partial],
        "unique": [asdict(quote) for quote in report.unique],
        "blind_spots": {agent: [_point(point) for point in points] for agent, points in report.blind_spots.items()},
    }


def _point(point: Point) -> dict[str, Any]:
    return {"agent_ids": list(point.agent_ids), "quotes": [asdict(quote) for quote in point.quotes]}


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with figures that say no more than is known."""
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}
