"""A user leaves: nothing of them is found anywhere afterwards, and everybody else's is as it was, byte by byte."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, create_engine, inspect, text

from folkmoot import secret
from tests.client import PASSWORD, Client, new_user
from tests.conftest import SETTINGS, scripted_roster
from tests.e2e.test_bad_input import problem
from tests.e2e.test_secrets import everything_of
from tests.scripted_model import ScriptedModel
from tests.stack import Running, Stack, eventually
from tests.store.servers import Postgres, postgres_binaries

pytestmark = [pytest.mark.timeout(240), pytest.mark.make_up]

LEAVE = "/users/current"
EXPORT = "/users/current/export"
#: Words that stand in no other test's questions and in no model's script but those of this one.
QUESTION, ANSWER, CONSENSUS = "Quagga-7741 or okapi?", "Zorilla-5512, I say, for it is a duty.", "Numbat-9930"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def leaving(request: pytest.FixtureRequest, scripted_model: ScriptedModel) -> Iterator[Stack]:
    """A stack of its own on each database: its first user, the admin, is called `first`."""
    with _database(request.param) as own, Stack(scripted_roster(scripted_model), {**SETTINGS, **own}) as running:
        admin = Client(running.url)
        admin.sign_up("first")
        yield running


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with Postgres(postgres_binaries()) as server, server.database() as url:
        yield {"FOLKMOOT_DATABASE_URL": url}


@pytest.fixture
def behaved(scripted_model: ScriptedModel) -> ScriptedModel:
    """Models that say the words to look for."""
    scripted_model.reset()
    for seat in ("qwen", "mistral", "deephermes"):
        scripted_model.script(f"scripted/{seat}", {"text": ANSWER}, stage="response", times=None)
    return scripted_model


def engine_of(stack: Stack) -> Engine:
    """The stack's database, as it is."""
    return create_engine(stack.environment.get("FOLKMOOT_DATABASE_URL") or f"sqlite:///{stack.data}/folkmoot.db")
