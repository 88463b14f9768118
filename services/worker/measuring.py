"""Measures responses and draws the charts: imported by the pool of the queue `analyse` alone."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from folkmoot.analysis import charts
from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.chart_words import ALT_TEXTS
from folkmoot.council import Measurable
from folkmoot.resources import AnalysisResource, ChartName, ChartResource
from folkmoot.store.charts import Picture


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

    def measure(self, asked: Measurable) -> AnalysisResource:
        """All that can be said of the responses, and what each chart of it shows in words."""
        report = self._analyser.analyse(
            asked.query, asked.question_type, asked.responses, consensus=asked.consensus, roles=asked.roles
        ).as_json()
        score = report["score"] or {}
        agents = [agent_id for agent_id, _ in asked.responses]
        return AnalysisResource(
            status="ready",
            consensus_score=score.get("agreed"),
            reason=score.get("reason") or report.get("reason"),
            report=report,
            charts=[ChartResource(name=name, alt=ALT_TEXTS[name](agents, report)) for name in get_args(ChartName)],
        )

    def draw(self, agents: Sequence[str], report: Mapping[str, Any]) -> list[Picture]:
        """Every chart, as PNG and as SVG."""
        return [
            Picture(chart.name, format_, content)
            for chart in charts.draw(agents, report, seats=self._seats)
            for format_, content in chart.pictures.items()
        ]
