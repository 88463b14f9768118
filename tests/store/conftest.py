"""Real SQLite files, a real PostgreSQL, a real broker and real runtimes; each test begins with an empty database."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from folkmoot.db import Database
from folkmoot.runtime import Runtime, build
from folkmoot.settings import Settings
from tests.conftest import scripted_roster
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.pool import MakeRuntime
from tests.store.servers import Postgres, Valkey, migrate, postgres_binaries

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the environment's own settings out of these tests."""
    for name in [name for name in os.environ if name.startswith("FOLKMOOT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the session; without its programs, skipped on a desk and failed in CI."""
    with Postgres(postgres_binaries()) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "folkmoot.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of commits, each synced to a disk, would be most of the time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="fm-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[str]:
    """The address of a migrated database without any row, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), quick_folder / "folkmoot.db")
        yield f"sqlite:///{quick_folder / 'folkmoot.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield server.emptied()


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as fresh:
        yield fresh


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """An empty database as one process sees it."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def other(url: str) -> Iterator[Database]:
    """The same database as another process sees it."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def ada(db: Database) -> int:
    """A user."""
    return rows.user(db)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """A Valkey server for the session."""
    with Valkey() as server:
        yield server


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """An empty broker."""
    valkey_server.client.flushall()
    return valkey_server


@pytest.fixture
def model(scripted_model: ScriptedModel) -> ScriptedModel:
    """The scripted models on their best behaviour; no stack runs behind them here."""
    scripted_model.reset()
    return scripted_model


@pytest.fixture
def make_runtime(url: str, valkey: Valkey, model: ScriptedModel, tmp_path: Path) -> Iterator[MakeRuntime]:
    """Builds real runtimes on the empty database; settings and the roster can be changed."""
    made: list[Runtime] = []
    roster_file = tmp_path / "agents.yaml"

    def make(change: Callable[[dict[str, Any]], None] = lambda _: None, **settings: Any) -> Runtime:
        roster = scripted_roster(model)
        change(roster)
        roster_file.write_text(yaml.safe_dump(roster, sort_keys=False), encoding="utf-8")
        own = {"database_url": url, "broker_url": valkey.broker_url, "agents_file": roster_file, "cache_hours": 0}
        made.append(build(Settings(**{**own, **settings})))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


@pytest.fixture
def runtime(make_runtime: MakeRuntime) -> Runtime:
    """A real runtime with short times."""
    return make_runtime(lease_s=0.6, resend_s=0.2, deadline_s=20)


@pytest.fixture
def user_id(runtime: Runtime) -> int:
    """Somebody who asks."""
    return rows.user(runtime.db, "grace")
