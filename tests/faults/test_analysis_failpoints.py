"""A process killed as it stores an analysis: each is stored once, and the streams of its queries end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.failpoints import NAMES
from tests.client import Client
from tests.conftest import scripted_roster
from tests.faults.conftest import SETTINGS, Records, arm, armed, assert_nothing_lost, assert_streams_tell, send
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

pytestmark = pytest.mark.usefixtures("in_good_order")

#: Each is measured, with a start of what measures in between.
JOBS = 4
DEADLINE_S = 90.0


@pytest.fixture(scope="module")
def stack(scripted_model: ScriptedModel, database_url: str, points: Path) -> Iterator[Stack]:
    """The stack of the other failpoints, measuring."""
    own = {"FOLKMOOT_DATABASE_URL": database_url, "FOLKMOOT_FAILPOINTS": str(points), "FOLKMOOT_ANALYSIS": "true"}
    with Stack(scripted_roster(scripted_model), SETTINGS | own) as running:
        yield running


@pytest.mark.parametrize("point", [name for name in NAMES if name.startswith("store-analysis.")])
def test_analyses_outlive_a_kill(point: str, points: Path, client: Client, records: Records, case: str) -> None:
    """Whoever dies as it stores an analysis: every query has one, and its stream tells it and ends."""
    arm(points, point)

    send(client, case, JOBS)
    records.await_settled(case, JOBS, DEADLINE_S)

    assert not armed(points)
    assert {row["status"] for row in records.rows("analysis", case)} == {"ready"}
    assert_nothing_lost(records, case, JOBS)
    assert_streams_tell(client, records, case)
