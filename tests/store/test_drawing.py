"""Charts are drawn by the pool that analyses when somebody first wants to see one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest

from folkmoot import drawing
from folkmoot.agents import ANALYSE_QUEUE
from folkmoot.errors import NotFound, NotReady, Unavailable
from folkmoot.resources import AnalysisResource, ChartFormat, ChartName
from folkmoot.runtime import Runtime
from folkmoot.store import concluding
from folkmoot.store.charts import Picture
from tests.stack import eventually
from tests.store import rows
from tests.store.rows import after
from tests.store.servers import Valkey

READY = AnalysisResource(status="ready", consensus_score=62.0, reason=None, report={"similarity": [[1.0]]})


class Pencil:
    """Draws what it was asked to, in letters, and counts how often; `breaks` when it is told to."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.drawn = 0
        self._breaks = breaks

    def draw(self, agents: Sequence[str], report: Mapping[str, Any]) -> list[Picture]:
        """Every chart."""
        self.drawn += 1
        if self._breaks:
            raise ZeroDivisionError
        said = f"{agents} {report}".encode()
        return [Picture(name, format_, said) for name in get_args(ChartName) for format_ in get_args(ChartFormat)]


@pytest.fixture
def job_id(runtime: Runtime, user_id: int) -> str:
    """A query whose analysis is ready, and whose charts nobody has wanted to see yet."""
    found = rows.done(runtime.db, user_id)
    concluding.finish_analysis(runtime.db, found, READY, now=after(9))
    return found


def test_who_wants_a_chart_has_it_drawn(runtime: Runtime, user_id: int, job_id: str) -> None:
    """The first request has the pool draw, and waits for it; all later ones have what is kept."""
    pencil = Pencil()
    with ThreadPoolExecutor() as reader:
        shown = reader.submit(drawing.show, runtime, user_id, job_id, name="radar", format_="png")
        eventually(lambda: runtime.publisher.depth(ANALYSE_QUEUE), 5, "the pool is told")
        drawing.draw(runtime, job_id, pencil)

    assert shown.result() == f"{list(rows.PANEL)} {READY.report}".encode()
    assert drawing.show(runtime, user_id, job_id, name="claims", format_="svg") == shown.result()
    drawing.draw(runtime, job_id, pencil)
    assert pencil.drawn == 1 and runtime.publisher.depth(ANALYSE_QUEUE) == 1


def test_charts_that_break_down_are_not_waited_for(runtime: Runtime, user_id: int, job_id: str) -> None:
    """When the charts cannot be drawn, that is kept: a reader is told at once, and nobody tries again."""
    pencil = Pencil(breaks=True)
    for _ in range(2):
        drawing.draw(runtime, job_id, pencil)

    with pytest.raises(NotFound, match="could not be drawn"):
        drawing.show(runtime, user_id, job_id, name="radar", format_="png")
    assert pencil.drawn == 1 and runtime.publisher.depth(ANALYSE_QUEUE) == 0


def test_charts_that_take_long_come_later(
    runtime: Runtime, user_id: int, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader is told to come again when the pool takes too long."""
    monkeypatch.setattr(drawing, "WAIT_S", 0.3)

    with pytest.raises(NotReady, match="being drawn"):
        drawing.show(runtime, user_id, job_id, name="radar", format_="png")


def test_charts_need_the_broker_once(runtime: Runtime, user_id: int, job_id: str, valkey: Valkey) -> None:
    """Without a broker a chart that is kept is shown, and one that is not drawn is said to be unavailable."""
    other = rows.done(runtime.db, user_id)
    concluding.finish_analysis(runtime.db, other, READY, now=after(9))
    drawing.draw(runtime, job_id, Pencil())
    valkey.kill()

    assert drawing.show(runtime, user_id, job_id, name="radar", format_="png")
    with pytest.raises(Unavailable):
        drawing.show(runtime, user_id, other, name="radar", format_="png")
    valkey.start()
