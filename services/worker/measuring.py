"""Measures responses and draws the charts: imported by the pool of the queue `analyse` alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

from folkmoot.analysis import charts
from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.chart_words import ALT_TEXTS
from folkmoot.analysis.document import Analysis
from folkmoot.analysis.judge import confirm
from folkmoot.measurement import Measurable
from folkmoot.resources import AnalysisResource, ChartName, ChartResource
from folkmoot.store.charts import Picture
from services.worker.judges import Judges

DISMISSED = (
    "A hosted model dismissed {count} of the possible conflicts; the shares were measured before and still count them."
)


def load(seats: Sequence[str], judges: Judges | None = None) -> "Measuring":
    """Load every model.

    Args:
        seats: of the roster, in its order, from which each has its colour.
        judges: who may confirm conflicts; without them each stays possible.
    Raises:
        WeightsDamaged: a file is missing, or not the one that was measured.
    """
    return Measuring(Analyser(), seats, judges)


class Measuring:
    """The analyser with its models, who is drawn in which colour, and who may judge."""

    def __init__(self, analyser: Analyser, seats: Sequence[str], judges: Judges | None = None) -> None:
        self._analyser = analyser
        self._seats = seats
        self._judges = judges

    def measure(self, asked: Measurable) -> AnalysisResource:
        """All that can be said of the responses, and what each chart of it shows in words."""
        analysis = self._analyser.analyse(
            asked.query, asked.question_type, asked.responses, consensus=asked.consensus, roles=asked.roles
        )
        report = self._judged(analysis, asked).as_json()
        score = report["score"] or {}
        agents = [agent_id for agent_id, _ in asked.responses]
        return AnalysisResource(
            status="ready",
            consensus_score=score.get("agreed"),
            reason=score.get("reason") or report.get("reason"),
            report=report,
            charts=[ChartResource(name=name, alt=ALT_TEXTS[name](agents, report)) for name in get_args(ChartName)],
        )

    def _judged(self, analysis: Analysis, asked: Measurable) -> Analysis:
        """The analysis with what hosted models say of its conflicts."""
        if self._judges is None or not analysis.report.conflicts:
            return analysis
        judges = self._judges
        ask = partial(judges.ask, job_id=asked.job_id, user_id=asked.user_id)
        conflicts = confirm(analysis.report.conflicts, judges.available(), judges.models, ask, most=judges.most)
        dismissed = sum(conflict.standing == "dismissed" for conflict in conflicts)
        notes = (DISMISSED.format(count=dismissed),) if dismissed else ()
        report = replace(analysis.report, conflicts=tuple(conflicts))
        return replace(analysis, report=report, notes=(*analysis.notes, *notes))

    def draw(self, agents: Sequence[str], report: Mapping[str, Any]) -> list[Picture]:
        """Every chart, as PNG and as SVG."""
        return [
            Picture(chart.name, format_, content)
            for chart in charts.draw(agents, report, seats=self._seats)
            for format_, content in chart.pictures.items()
        ]
