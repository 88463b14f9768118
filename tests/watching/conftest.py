"""The stack that is watched: with analysis, a cache, and prices."""

from collections.abc import Iterator

import pytest
import yaml

from tests.client import Client
from tests.conftest import SETTINGS, scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually
from tests.watching.collector import Collector

#: What a million tokens of each scripted model cost, in dollars.
PRICE = 1000


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """A collector of traces that listens."""
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="package")
def watched(
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


@pytest.fixture(scope="package")
def operator(watched: Stack) -> Client:
    """The first user, who may reset agents."""
    client = Client(watched.url)
    client.sign_up("operator")
    return client.sign_in("operator")


@pytest.fixture
def user(watched: Stack, operator: Client, scripted_model: ScriptedModel) -> Client:
    """The same, of a stack in good order."""
    scripted_model.reset()
    for seat in SEATS:
        assert operator.reset_agent(seat).status_code == 202
    eventually(lambda: operator.states() == dict.fromkeys(SEATS, "healthy"), 30, "every seat is healthy")
    scripted_model.reset()
    return operator
