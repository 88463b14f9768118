"""What many tests share: the scripted model server, a running stack, and users of it."""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.client import Client, first_user, new_user
from tests.compose.deployment import Deployment
from tests.compose.fixtures import bridge, built, containers, deployed, fresh
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Running, Stack, eventually

# Fixtures that more than one folder of tests uses.
__all__ = ["bridge", "built", "containers", "fresh"]

#: What the end-to-end tests can run against: the processes of `make up`, or the containers with a profile or two.
STACKS = ("up", "postgres", "rabbitmq", "postgres+rabbitmq")
#: Of every stack on scripted models.
SETTINGS = {"FOLKMOOT_ANALYSIS": "true", "FOLKMOOT_HEARTBEAT_S": "1", "FOLKMOOT_FAILED_AFTER_S": "6"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choices of stacks and databases."""
    parser.addoption(
        "--databases",
        default="all",
        choices=["all", "alternate"],
        help="whether tests/faults kills at each failpoint on every database, or on one after the other in turn",
    )
    parser.addoption("--stacks", default="up", help=f"what tests/e2e runs against, of {','.join(STACKS)}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have each end-to-end test run against each stack that was chosen, as far as it is about that one."""
    chosen = metafunc.config.getoption("--stacks").split(",")
    if set(chosen) - set(STACKS):
        raise pytest.UsageError(f"--stacks takes some of {','.join(STACKS)}, not {','.join(chosen)}")
    if "stack_kind" in metafunc.fixturenames and metafunc.module.__name__.startswith("tests.e2e."):
        about = [kind for kind in chosen if kind == "up" or not any(metafunc.definition.iter_markers("make_up"))]
        metafunc.parametrize("stack_kind", about, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test's limit not count what it takes to build and start the containers, which has limits of its own."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if parameters.get("stack_kind", "up") != "up":
            own = item.get_closest_marker("timeout")
            limit_s = own.args[0] if own else item.config.getini("timeout")
            item.add_marker(pytest.mark.timeout(float(limit_s), func_only=True), append=False)


@pytest.fixture(scope="session")
def stack_kind(request: pytest.FixtureRequest) -> str:
    """The kind of stack, of `STACKS`."""
    return str(getattr(request, "param", "up"))


def scripted_roster(model: ScriptedModel) -> dict[str, Any]:
    """The four seats, each with its own port on the scripted server, and llama3 to conclude."""
    seats = {seat: {"model": f"scripted/{seat}", "base_url": model.seat_url(seat), "timeout_s": 20} for seat in SEATS}
    return {"aggregator": "llama3", "seats": seats}


@pytest.fixture(scope="session")
def scripted_model(stack_kind: str, request: pytest.FixtureRequest) -> Iterator[ScriptedModel]:
    """The scripted model server, with what earlier tests told it; most tests want `model`."""
    with ScriptedModel(SEATS, host="127.0.0.1" if stack_kind == "up" else request.getfixturevalue("bridge")) as server:
        yield server


@pytest.fixture(scope="session")
def stack(stack_kind: str, scripted_model: ScriptedModel, request: pytest.FixtureRequest) -> Iterator[Running]:
    """The whole stack on scripted models, shared by the session."""
    running: AbstractContextManager[Running]
    if stack_kind == "up":
        running = Stack(scripted_roster(scripted_model), SETTINGS)
    else:
        running = deployed(request.getfixturevalue("built"), scripted_model, stack_kind, **SETTINGS)
    with running as started:
        yield started
        assert "Traceback" not in (logs := started.logs(lines=100_000)), logs


@pytest.fixture(scope="session")
def admin(stack: Running) -> Client:
    """The first user, who alone may reset agents."""
    return first_user(stack.url)


@pytest.fixture
def model(scripted_model: ScriptedModel, admin: Client) -> ScriptedModel:
    """The scripted models on their best behaviour, and every seat healthy again after earlier tests."""
    scripted_model.reset()
    for seat in SEATS:
        assert admin.reset_agent(seat).status_code == 202
    eventually(lambda: admin.states() == dict.fromkeys(SEATS, "healthy"), 20, "every seat is healthy")
    scripted_model.reset()
    return scripted_model


@pytest.fixture
def client(stack: Running, model: ScriptedModel) -> Iterator[Client]:
    """A new user, signed in, of a stack in good order; nothing of theirs runs on into the next test."""
    user = new_user(stack.url)
    yield user
    user.give_up()


@pytest.fixture
def stranger(stack: Running) -> Iterator[Client]:
    """Another new user, signed in."""
    user = new_user(stack.url)
    yield user
    user.give_up()


@pytest.fixture(scope="module")
def embedded_stack() -> Iterator[Stack]:
    """The whole stack as it comes, on the embedded language model, for the tests of one module."""
    with Stack(settings={"FOLKMOOT_ANALYSIS": "true"}) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed test with the end of its stack's or its containers' logs."""
    report = yield
    for name in ("stack", "embedded_stack", "deployment", "built", "fresh"):
        running = getattr(item, "funcargs", {}).get(name)
        if report.failed and isinstance(running, Running | Deployment):
            report.sections.append((f"logs of {name}", running.logs()))
            break
    return report
