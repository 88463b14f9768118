"""An engine, the images, and two deployments one after the other: as it comes, and on scripted models."""

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.compose.deployment import Deployment
from tests.compose.engine import Engine, NoEngine, engine
from tests.conftest import SEATS
from tests.scripted_model import ScriptedModel
from tests.stack import eventually

NAME = "folkmoot-test"
#: What a container calls the machine that it runs on.
HOST = "host.docker.internal"
#: Looks like a secret that somebody's shell holds while images are built.
SECRET = "sk-or-never-in-an-image"


@pytest.fixture(scope="session")
def containers() -> Iterator[Engine]:
    """The engine; where none can run, these tests are skipped and say why."""
    running = engine()
    try:
        ready = running.__enter__()
    except NoEngine as reason:
        pytest.skip(f"no containers here: {reason}")
    yield ready
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def fresh(containers: Engine) -> Iterator[Deployment]:
    """A deployment of which nothing exists yet, no image either."""
    made = Deployment(containers, NAME)
    made.close()
    made = Deployment(containers, NAME)
    made.settings["OPENROUTER_API_KEY"] = SECRET
    yield made
    if "FOLKMOOT_COMPOSE_KEEP" not in os.environ:
        made.close()


@pytest.fixture(scope="session")
def built(fresh: Deployment) -> Deployment:
    """The deployment with its images, built in a shell that holds a secret, and nothing started."""
    fresh.build()
    del fresh.settings["OPENROUTER_API_KEY"]
    return fresh


@pytest.fixture(scope="session")
def host_model(containers: Engine) -> Iterator[ScriptedModel]:
    """Scripted models on this machine, where containers reach them and nobody else does."""
    address = containers.docker(
        "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    ).strip()
    if not address:
        # An engine that has had no container yet has not written it down.
        address = "172.17.0.1"
    with ScriptedModel(SEATS, host=address) as model:
        yield model


def scripted_roster(model: ScriptedModel) -> dict[str, Any]:
    """The four seats as containers reach them."""
    seats = {
        seat: {"model": f"scripted/{seat}", "base_url": model.seat_url(seat, HOST), "timeout_s": 20} for seat in SEATS
    }
    return {"aggregator": "llama3", "seats": seats}


@pytest.fixture(scope="module")
def deployment(built: Deployment, host_model: ScriptedModel) -> Iterator[Deployment]:
    """The product on scripted models, two gateways and one of everything else; empty, for the tests of one module."""
    built.down()
    built.settings, built.scale = {}, {"gateway": 2}
    built.use_roster(scripted_roster(host_model))
    host_model.reset()
    for seat in SEATS:
        host_model.script(f"scripted/{seat}", {"token_delay_s": 0.02})
    built.up()
    eventually(built.is_ready, 30, "database and broker answer")
    yield built
    built.down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed test with the end of its containers' logs."""
    report = yield
    for name in ("deployment", "built", "fresh"):
        running = getattr(item, "funcargs", {}).get(name)
        if report.failed and isinstance(running, Deployment):
            report.sections.append((f"logs of {name}", running.logs()))
            break
    return report
