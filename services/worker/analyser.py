"""What the pool of the queue `analyse` measures with: the models, where they are installed, and charts."""

import importlib
import logging

from folkmoot.agents import Roster
from folkmoot.council import Analyser, Measurable
from folkmoot.resources import AnalysisResource
from folkmoot.store.charts import Picture

#: What the analysis is made of. It is imported by its pool alone: it takes seconds and hundreds of megabytes.
MEASURING = "services.worker.measuring"
NOT_INSTALLED = AnalysisResource(
    status="skipped",
    consensus_score=None,
    reason="this Folkmoot was installed without what measures responses, the extra `analysis`",
)

log = logging.getLogger(__name__)


def load(roster: Roster) -> Analyser:
    """Load every model; where they are not installed, what says so of each analysis.

    Raises:
        WeightsDamaged: a file of the analysis is missing, or not the one that was measured.
    """
    try:
        measuring = importlib.import_module(MEASURING)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("folkmoot", "services")):
            raise
        log.warning("analyses are skipped: the extra `analysis` is not installed (%s)", error)
        return skip
    analyser: Analyser = measuring.load(tuple(roster.seats))
    return analyser


def skip(_: Measurable) -> tuple[AnalysisResource, tuple[Picture, ...]]:
    """Measure nothing, and say why."""
    return NOT_INSTALLED, ()
