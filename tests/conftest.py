"""What many tests share: the scripted model server, a running stack, and users of it."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.client import Client, new_user
from tests.scripted_model import ScriptedModel
from tests.stack import Stack, eventually

SEATS = ("qwen", "llama3", "mistral", "deephermes")


def scripted_roster(model: ScriptedModel) -> dict[str, Any]:
    """The four seats, each with its own port on the scripted server, and llama3 to conclude."""
    seats = {seat: {"model": f"scripted/{seat}", "base_url": model.seat_url(seat), "timeout_s": 20} for seat in SEATS}
    return {"aggregator": "llama3", "seats": seats}


@pytest.fixture(scope="session")
def scripted_model() -> Iterator[ScriptedModel]:
    """The scripted model server, with what earlier tests told it; most tests want `model`."""
    with ScriptedModel(SEATS) as server:
        yield server


@pytest.fixture(scope="session")
def stack(scripted_model: ScriptedModel) -> Iterator[Stack]:
    """The whole stack on scripted models, shared by the session."""
    settings = {"FOLKMOOT_HEARTBEAT_S": "1", "FOLKMOOT_FAILED_AFTER_S": "6"}
    with Stack(scripted_roster(scripted_model), settings) as running:
        yield running
        assert "Traceback" not in (logs := running.logs(lines=100_000)), logs


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Client:
    """The first user, who alone may reset agents."""
    client = Client(stack.url)
    client.sign_up("first")
    return client.sign_in("first")


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
def client(stack: Stack, model: ScriptedModel) -> Iterator[Client]:
    """A new user, signed in, of a stack in good order; nothing of theirs runs on into the next test."""
    user = new_user(stack.url)
    yield user
    user.give_up()


@pytest.fixture
def stranger(stack: Stack) -> Iterator[Client]:
    """Another new user, signed in."""
    user = new_user(stack.url)
    yield user
    user.give_up()


@pytest.fixture(scope="module")
def embedded_stack() -> Iterator[Stack]:
    """The whole stack as it comes, on the embedded language model, for the tests of one module."""
    with Stack() as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed test with the end of its stack's logs."""
    report = yield
    for name in ("stack", "embedded_stack"):
        running = getattr(item, "funcargs", {}).get(name)
        if report.failed and isinstance(running, Stack):
            report.sections.append((f"logs of {name}", running.logs()))
    return report
