"""Measures responses and draws the charts: imported by the pool of the queue `analyse` alone."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.analysis import charts
from folkmoot.analysis.analyser import Analyser
from folkmoot.council import Measurable
from folkmoot.resources import AnalysisResource, ChartResource
from folkmoot.store.charts import Picture

log = logging.getLogger(__name__)


def load(seats: Sequence[str]) -> "Measuring":
    """Load every model.

    Args:
        seats: of the roster, in its order, from which each has its colour.
    Raises:
        WeightsDamaged: a file is missing, or not the one that was measured.
    """
    return Measuring(Analyser(), seats)


class Measuring:
    """The analyser with its models, and who is drawn in which colour."""

    def __init__(self, analyser: Analyser, seats: Sequence[str]) -> None:
        self._analyser = analyser
        self._seats = seats

    def __call__(self, asked: Measurable) -> tuple[AnalysisResource, list[Picture]]:
        """Measure and draw."""
        report = self._analyser.analyse(
            asked.query, asked.question_type, asked.responses, consensus=asked.consensus, roles=asked.roles
        ).as_json()
        drawn = self._drawn([agent_id for agent_id, _ in asked.responses], report)
        score = report["score"] or {}
        result = AnalysisResource(
            status="ready",
            consensus_score=score.get("agreed"),
            reason=score.get("reason") or report.get("reason"),
            report=report,
            charts=[ChartResource.model_validate({"name": chart.name, "alt": chart.alt}) for chart in drawn],
        )
        return result, [
            Picture(shown.name, format_, content)
            for shown, chart in zip(result.charts, drawn, strict=True)
            for format_, content in chart.pictures.items()
        ]

    def _drawn(self, agents: Sequence[str], report: Mapping[str, Any]) -> list[charts.Chart]:
        """The charts; what was measured stands without them, should they not come off."""
        try:
            return charts.draw(agents, report, seats=self._seats)
        except Exception:
            log.exception("the charts of an analysis could not be drawn")
            return []
