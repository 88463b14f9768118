"""An engine, the images, and two deployments one after the other: as it comes, and on scripted models."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.compose.deployment import Deployment
from tests.compose.engine import Engine, NoEngine, engine
from tests.compose.manual import commands, perform
from tests.compose.stack import ContainedStack
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import NO_LIMITS, eventually

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
def bridge(containers: Engine) -> str:
    """The address of this machine on the engine's own network, which containers reach and nobody else does."""
    form = "{{(index .IPAM.Config 0).Gateway}}"
    # An engine that has had no container yet has not written it down.
    return containers.docker("network", "inspect", "bridge", "--format", form).strip() or "172.17.0.1"


@pytest.fixture(scope="session")
def host_model(bridge: str) -> Iterator[ScriptedModel]:
    """Scripted models on this machine, for containers."""
    with ScriptedModel(SEATS, host=bridge) as model:
        yield model


def roster_for_containers(model: ScriptedModel) -> dict[str, Any]:
    """The four seats as containers reach them."""
    seats = {
        seat: {"model": f"scripted/{seat}", "base_url": model.seat_url(seat, HOST), "timeout_s": 20} for seat in SEATS
    }
    return {"aggregator": "llama3", "seats": seats}


@pytest.fixture(scope="module")
def deployment(built: Deployment, host_model: ScriptedModel) -> Iterator[Deployment]:
    """The product on scripted models, two gateways and one of everything else; empty, for the tests of one module."""
    host_model.reset()
    for seat in SEATS:
        host_model.script(f"scripted/{seat}", {"token_delay_s": 0.02})
    with deployed(built, host_model):
        yield built


@contextmanager
def deployed(built: Deployment, model: ScriptedModel, profiles: str = "", **settings: str) -> Iterator[ContainedStack]:
    """Start the product anew on scripted models, with two gateways; `profiles` of docker-compose.yml, joined by +."""
    built.down()
    built.settings, built.scale = {**NO_LIMITS, **settings}, {"gateway": 2}
    built.use_roster(roster_for_containers(model))
    if "postgres" in profiles:
        perform(built, commands("# Secrets"))
        built.use_postgres()
    if "rabbitmq" in profiles:
        perform(built, commands("# Broker secrets"))
        built.use_rabbitmq()
    built.up()
    eventually(built.is_ready, 30, "database and broker answer")
    yield ContainedStack(built)
    built.down()
