"""The charts of an analysis: drawn by the pool that analyses when somebody first wants to see one, and kept.

To draw takes several times as long as to measure, and few queries' charts are ever looked at.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from folkmoot.errors import NotReady, Unavailable
from folkmoot.resources import ChartFormat, ChartName
from folkmoot.runtime import Runtime
from folkmoot.store import charts
from folkmoot.store.charts import Picture

#: Whoever wants a chart waits this long for it, and looks this often, in seconds; on two quiet cores it takes one.
WAIT_S = 10.0
LOOK_S = 0.1

log = logging.getLogger(__name__)


class Artist(Protocol):
    """Draws. It is handed in, and imported by no process but the one that draws."""

    def draw(self, agents: Sequence[str], report: Mapping[str, Any]) -> Sequence[Picture]:
        """Every chart of a report about these agents' responses, in each format."""


def show(runtime: Runtime, user_id: int, job_id: str, *, name: ChartName, format_: ChartFormat) -> bytes:
    """A chart of a query that is this user's.

    Raises:
        NotFound: there is no such query of theirs, or no such chart; then the text says why.
        NotReady: the analysis is pending, or the chart is being drawn.
        Unavailable: it is not drawn yet, and nobody can be told to.
    """
    ends = time.monotonic() + WAIT_S
    content = charts.find(runtime.db, job_id, name, format_, user_id=user_id)
    if content is None and not runtime.publisher.hint(job_id, "draw"):
        raise Unavailable("The charts cannot be drawn now: the broker does not answer. Please try again in a moment.")
    while content is None:
        if time.monotonic() > ends:
            raise NotReady("The charts are being drawn. Try again in a moment.")
        time.sleep(LOOK_S)
        content = charts.find(runtime.db, job_id, name, format_, user_id=user_id)
    return content


def draw(runtime: Runtime, job_id: str, artist: Artist) -> None:
    """Draw and keep the charts of a query that is analysed, unless somebody has; that none come off is kept too."""
    found = charts.to_draw(runtime.db, job_id)
    if found is None:
        return
    agents, report = found
    pictures: Sequence[Picture] = ()
    try:
        pictures = artist.draw(agents, report)
    except Exception:
        log.exception("the charts of job %s could not be drawn", job_id)
    charts.keep(runtime.db, job_id, pictures)
