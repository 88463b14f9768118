"""SQLite's engine: connections that are prepared alike, those that only look, and the turn of those that write."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from folkmoot.errors import Unavailable
from folkmoot.statements import send

BUSY = "The database is busy. Please try again in a moment."
#: How long a SQLite writer waits for the one before it; rare commits take more than a second.
BUSY_TIMEOUT_MS = 10_000
#: How long a thread waits for a connection that others have, in seconds.
POOL_TIMEOUT_S = 15
#: To open one takes longer than a transaction. Fewer would make one query's reads quicker, and let a few long searches
#: keep everybody else out for seconds.
CONNECTIONS = 16
#: A transaction has ended when its connection is given back, or the connection is not used again (`Database.write`).
KEPT: dict[str, Any] = {"max_overflow": 0, "pool_reset_on_return": None}


def engine(url: str, **pool: Any) -> Engine:
    """The engine; nothing connects before the first transaction.

    The execution options `folkmoot_writer` and `folkmoot_unsynced` say of a transaction that it changes rows, and that
    its commit need not wait for the disk.
    """
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    made = create_engine(url, connect_args=arguments, pool_size=CONNECTIONS, **KEPT, **pool)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def _prepare(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, deferred and too late: `_begin` does it.
    connection.isolation_level = None
    # SQLite's own knows English letters only.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote between; so writers say it first.
    options = connection.get_execution_options()
    writer = options.get("folkmoot_writer", False)
    # FULL: what is committed outlives a power cut, not only a killed process; a new query waits for that by itself.
    synchronous = "NORMAL" if options.get("folkmoot_unsynced", False) else "FULL"
    if writer and connection.info.get("synchronous") != synchronous:
        send(connection, f"PRAGMA synchronous = {synchronous}")
        connection.info["synchronous"] = synchronous
    send(connection, "BEGIN IMMEDIATE" if writer else "BEGIN")


class Look:
    """What prepared statements need of a connection (`statements.py`)."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.dialect, self.dispatch = engine, engine.dialect, engine.dispatch
        lent = engine.raw_connection()
        lent.detach()
        #: The driver's connection, which is SQLAlchemy's no more.
        self.connection: Any = lent.dbapi_connection

    def _handle_dbapi_exception(self, error: BaseException, *_execution: object) -> NoReturn:
        Connection._handle_dbapi_exception_noconnection(error, self.dialect, self.engine)


class Looks:
    """Connections to one SQLite file for statements that read: as many as SQLAlchemy may have beside them.

    To take one of SQLAlchemy's and give it back takes longer than the look itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._idle: list[Any] = []

    def take(self) -> Any:
        """Have one for oneself.

        Raises:
            PoolTimeout: all were taken for too long.
        """
        if not self._free.acquire(timeout=POOL_TIMEOUT_S):
            raise PoolTimeout
        with suppress(IndexError):
            return self._idle.pop()
        try:
            return Look(self._engine)
        except BaseException:
            self._free.release()
            raise

    def give_back(self, look: Any) -> None:
        """Keep it for the next, unless a transaction on it could not be ended."""
        if look.connection.in_transaction:
            look.connection.close()
        else:
            self._idle.append(look)
        self._free.release()

    def close(self) -> None:
        """Close those that nobody has."""
        while self._idle:
            self._idle.pop().connection.close()


class Turn:
    """The turn to write to one SQLite file, handed from writer to writer through a lock on a file beside it.

    SQLite's own writers look again every 0.1 s whether the file is free, while newcomers look at once: under load some
    never find it so, and give up after the busy timeout. The kernel wakes whoever waits for this lock, and takes it
    from a process that dies. SQLite's lock stays the one that keeps the data whole (docs/decisions/0007).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        # The file's lock belongs to the process; this one lets its threads in one by one.
        self._among_threads = threading.Lock()

    def take(self) -> None:
        """Wait for the turn, and hold it.

        Raises:
            Unavailable: others of this process have waited for it for too long already, or the file cannot be opened
                or locked.
        """
        if not self._among_threads.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise Unavailable(BUSY)
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException as error:
            self._among_threads.release()
            if isinstance(error, OSError):
                raise Unavailable("The database cannot be written to. Please try again in a moment.") from error
            raise

    def give_back(self) -> None:
        """Let the next one write."""
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._among_threads.release()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """The file closed, and nobody of this process writing; the next turn opens it again."""
        with self._among_threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None
            yield
