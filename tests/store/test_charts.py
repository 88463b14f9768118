"""The pictures of an analysis: kept with it, shown to its owner, gone with the query."""

from typing import get_args

import pytest

from folkmoot.db import Database
from folkmoot.errors import NotFound, NotReady
from folkmoot.models import Chart
from folkmoot.resources import AnalysisResource, ChartName, ChartResource
from folkmoot.store import charts, concluding, queries
from folkmoot.store.charts import Picture
from tests.store import rows
from tests.store.rows import after

READY = AnalysisResource(
    status="ready",
    consensus_score=62.0,
    reason=None,
    report={"similarity": [[1.0]], "tones": [{"neutral": 1.0}]},
    charts=[ChartResource(name="radar", alt="A radar.")],
)
SKIPPED = AnalysisResource(status="skipped", consensus_score=None, reason="nobody measures here")
SVG = b"<svg>" + b"<path/>" * 1000 + b"</svg>"
CHARTS = get_args(ChartName)
PICTURES = [Picture("radar", "png", b"\x89PNG\x00\xff"), Picture("radar", "svg", SVG)]


def measured(db: Database, user_id: int) -> str:
    """A query whose analysis is ready, with one chart that came off."""
    job_id = rows.done(db, user_id)
    assert concluding.finish_analysis(db, job_id, READY, now=after(9))
    charts.keep(db, job_id, PICTURES)
    return job_id


def test_pictures_come_back_as_they_were(db: Database, ada: int) -> None:
    """Each format is given back byte for byte, and the analysis with all that was measured."""
    job_id = measured(db, ada)

    assert charts.find(db, job_id, "radar", "png", user_id=ada) == b"\x89PNG\x00\xff"
    assert charts.find(db, job_id, "radar", "svg", user_id=ada) == SVG
    assert queries.find(db, job_id).analysis == READY


def test_charts_of_others_are_not_found(db: Database, ada: int) -> None:
    """A stranger learns no more of a chart than of one that does not exist."""
    job_id, grace = measured(db, ada), rows.user(db, "grace")

    with pytest.raises(NotFound) as foreign:
        charts.find(db, job_id, "radar", "png", user_id=grace)
    with pytest.raises(NotFound) as absent:
        charts.find(db, "no-such-job", "radar", "png", user_id=grace)

    assert str(foreign.value) == str(absent.value)


def test_charts_that_are_not_there_say_why(db: Database, ada: int) -> None:
    """A chart is not ready while its analysis is pending, and not found with the reason when there will be none."""
    pending, skipped, ready = rows.done(db, ada), rows.done(db, ada), measured(db, ada)
    concluding.finish_analysis(db, skipped, SKIPPED, now=after(9))

    with pytest.raises(NotReady):
        charts.find(db, pending, "radar", "png", user_id=ada)
    with pytest.raises(NotFound, match="skipped: nobody measures here"):
        charts.find(db, skipped, "radar", "png", user_id=ada)
    with pytest.raises(NotFound, match="could not be drawn"):
        charts.find(db, ready, "heatmap", "png", user_id=ada)


def test_charts_are_drawn_once(db: Database, ada: int) -> None:
    """Of an analysis without charts there is all to draw; once they are kept nothing is, and nothing changes them."""
    job_id = rows.done(db, ada)
    assert charts.to_draw(db, job_id) is None, "its analysis is pending"
    concluding.finish_analysis(db, job_id, READY, now=after(9))

    assert charts.to_draw(db, job_id) == (list(rows.PANEL), READY.report)
    assert charts.find(db, job_id, "radar", "png", user_id=ada) is None

    charts.keep(db, job_id, PICTURES)
    charts.keep(db, job_id, [Picture("radar", "png", b"late"), Picture("claims", "png", b"late")])

    assert charts.to_draw(db, job_id) is None
    assert charts.find(db, job_id, "radar", "png", user_id=ada) == b"\x89PNG\x00\xff"
    with pytest.raises(NotFound):
        charts.find(db, job_id, "claims", "png", user_id=ada)


def test_charts_of_a_deleted_query_are_not_kept(db: Database, ada: int) -> None:
    """Pictures that come after their query was deleted are let go."""
    job_id = rows.done(db, ada)
    concluding.finish_analysis(db, job_id, READY, now=after(9))
    queries.erase(db, job_id, user_id=ada)

    charts.keep(db, job_id, PICTURES)

    assert rows.count(db, Chart) == 0


def test_pictures_go_with_their_query(db: Database, ada: int) -> None:
    """A query that is deleted takes its pictures along, and no others."""
    job_id, other = measured(db, ada), measured(db, ada)

    queries.erase(db, job_id, user_id=ada)

    assert rows.count(db, Chart) == len(CHARTS) * 2
    assert charts.find(db, other, "radar", "svg", user_id=ada) == SVG
