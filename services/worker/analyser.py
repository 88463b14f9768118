"""What the pool of the queue `analyse` measures with: the models, where they are installed, and charts."""

import importlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from folkmoot.agents import Roster
from folkmoot.council import NOT_WANTED
from folkmoot.drawing import Artist
from folkmoot.measurement import Measurable
from folkmoot.resources import AnalysisResource
from folkmoot.settings import Settings
from folkmoot.store.charts import Picture
from services.worker.judges import Judges

#: What the analysis is made of. It is imported by its pool alone: it takes seconds and hundreds of megabytes.
MEASURING = "services.worker.measuring"
NOT_INSTALLED = AnalysisResource(
    status="skipped",
    consensus_score=None,
    reason="this Folkmoot was installed without what measures responses, the extra `analysis`",
)

log = logging.getLogger(__name__)


class Measurer(Artist, Protocol):
    """Measures, and draws what was measured."""

    def measure(self, asked: Measurable) -> AnalysisResource:
        """All that can be said of the responses."""


def load(settings: Settings, roster: Roster, judges: Judges | None = None) -> Measurer:
    """Load every model; where they are not installed or not wanted, what says so of each analysis.

    Args:
        settings: say whether anything is measured.
        roster: gives each seat its colour.
        judges: who may confirm conflicts.
    Raises:
        WeightsDamaged: a file of the analysis is missing, or not the one that was measured.
    """
    if not settings.analysis:
        return Nobody(NOT_WANTED)
    try:
        measuring = importlib.import_module(MEASURING)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("folkmoot", "services")):
            raise
        log.warning("analyses are skipped: the extra `analysis` is not installed (%s)", error)
        return Nobody(NOT_INSTALLED)
    analyser: Measurer = measuring.load(tuple(roster.seats), judges)
    return analyser


class Nobody:
    """Measures nothing, and says why."""

    def __init__(self, reason: AnalysisResource = NOT_INSTALLED) -> None:
        self._reason = reason

    def measure(self, _: Measurable) -> AnalysisResource:
        """What says so of each analysis."""
        return self._reason

    def draw(self, _agents: Sequence[str], _report: Mapping[str, Any]) -> Sequence[Picture]:
        """Nothing."""
        return ()
