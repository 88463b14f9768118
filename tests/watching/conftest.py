"""The stack that is watched: with analysis, a cache, and prices."""

from collections.abc import Iterator

import pytest
import yaml

from tests.client import Client, first_user
from tests.conftest import SETTINGS, scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack
from tests.watching.collector import Collector

#: What a million tokens of each scripted model cost, in dollars.
PRICE = 1000


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """A collector of traces that listens."""
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="package")
def stack(
    scripted_model: ScriptedModel, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The whole stack on scripted models, whose calls cost something and are kept; it sends its traces soon."""
    prices = tmp_path_factory.mktemp("prices") / "prices.yaml"
    models = {f"scripted/{seat}": {"prompt": PRICE, "completion": PRICE} for seat in SEATS}
    prices.write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
    settings = {**SETTINGS, "FOLKMOOT_CACHE_HOURS": "1", "FOLKMOOT_PRICES_FILE": str(prices)}
    traced = {"FOLKMOOT_TRACES_URL": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with Stack(scripted_roster(scripted_model), {**settings, **traced}) as running:
        yield running
        assert "Traceback" not in (logs := running.logs(lines=100_000)), logs


@pytest.fixture(scope="package")
def admin(stack: Stack) -> Client:
    """The first user of the stack."""
    return first_user(stack.url)
