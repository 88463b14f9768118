"""The database: transactions, and in what they differ on SQLite and PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection, Select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from folkmoot import postgres, sqlite, traces
from folkmoot.errors import Unavailable
from folkmoot.failpoints import Failpoints
from folkmoot.statements import send

Rows = TypeVar("Rows", bound=Select[*tuple[Any, ...]])

#: Connections of a process: transactions are short, so threads share a few. What lies idle is looked for last.
POOL: dict[str, Any] = {"pool_timeout": sqlite.POOL_TIMEOUT_S, "pool_use_lifo": True}


class Database:
    """Short transactions on one engine: `read` for a consistent look, `write` to change something."""

    def __init__(self, url: str, failpoints: Failpoints | None = None) -> None:
        """Prepare the engine; nothing connects before the first transaction."""
        self._failpoints = failpoints or Failpoints()
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = (sqlite if self.is_sqlite else postgres).engine(url, **POOL)
        # SQLite's own files lie beside the database itself, whatever link leads there.
        path = os.path.realpath(make_url(url).database or "")
        self._turn = sqlite.Turn(Path(f"{path}-turn")) if self.is_sqlite else None
        #: Where SQLite writes what it commits, before it goes to the file itself.
        self._log = f"{path}-wal" if self.is_sqlite else None
        # PostgreSQL would show each statement of a transaction a newer state; SQLite's transactions see one anyway.
        self._reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._looks = sqlite.Looks(self.engine) if self.is_sqlite else None
        #: SQLite's connections to write with, by whether what they commit is synced: one is used at a time.
        self._writers: dict[bool, Connection] = {}

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of everything.

        Raises:
            Unavailable: the database does not answer.
        """
        with traces.span("read"), _translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for one prepared statement that reads (`statements.py`), without a transaction around it.

        Raises:
            Unavailable: the database does not answer.
        """
        try:
            if self._looks is not None:
                look = self._looks.take()
                try:
                    yield look
                finally:
                    self._looks.give_back(look)
            else:
                with self.engine.connect() as connection:
                    driver: Any = connection.connection.dbapi_connection
                    # psycopg2 sends no BEGIN then, and no COMMIT. SQLAlchemy's AUTOCOMMIT would be another statement.
                    driver.autocommit = True
                    try:
                        yield connection
                    finally:
                        if not driver.closed:
                            driver.autocommit = False
        except SQLAlchemyError as error:
            _tell(error)

    @contextmanager
    def looks(self) -> Iterator[Connection]:
        """A connection for several prepared statements that read, and see one state of everything.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._looks is None:
            with self.read() as connection:
                yield connection
            return
        with traces.span("read"), self.look() as look:
            send(look, "BEGIN")
            try:
                yield look
            finally:
                send(look, "ROLLBACK")

    @contextmanager
    def write(self, step: str | None = None, *, synced: bool = True) -> Iterator[Connection]:
        """A transaction that may change rows; on SQLite it is the only writer from its first statement on.

        Args:
            step: its name among the failpoints.
            synced: whether it outlives a power cut once it is committed. One that does not outlives any process all the
                same, and is never lost while a later one is kept (docs/decisions/0018).
        Raises:
            Unavailable: the database does not answer.
        """
        turn, is_kept = self._turn, False
        with traces.span(step or "write"):
            if turn is not None:
                turn.take()
            try:
                # Each `with` of a generator costs as much as a statement, so there are no more of them.
                connection = self._writer(synced=synced)
                try:
                    transaction = connection.begin()
                    try:
                        yield connection
                        if step is not None:
                            self._failpoints.reach(f"{step}.commit")
                    except BaseException:
                        transaction.rollback()
                        raise
                    try:
                        transaction.commit()
                    except BaseException:
                        # SQLite may keep the transaction open, and with it keep out all other writers.
                        connection.invalidate()
                        raise
                    is_kept = turn is not None
                finally:
                    if not is_kept:
                        self._writers.pop(synced, None)
                        connection.close()
            except SQLAlchemyError as error:
                _tell(error)
            finally:
                if turn is not None:
                    turn.give_back()
        if step is not None:
            self._failpoints.reach(f"{step}.committed")

    def _writer(self, *, synced: bool) -> Connection:
        """A connection to write with; on SQLite the last one, which takes a third of the time that a new one does."""
        found = self._writers.get(synced)
        if found is None:
            # Options of an engine would have each statement look for listeners in two places.
            found = self.engine.connect().execution_options(folkmoot_writer=True, folkmoot_unsynced=not synced)
            if self._turn is not None:
                self._writers[synced] = found
        return found

    def sync(self) -> None:
        """Wait until what SQLite has committed outlives a power cut; PostgreSQL has waited at each synced commit.

        Raises:
            Unavailable: the disk does not take it, or the file cannot be opened.
        """
        if self._log is None:
            return
        try:
            log = os.open(self._log, os.O_RDONLY)
            try:
                os.fdatasync(log)
            finally:
                os.close(log)
        except FileNotFoundError:
            # The last connection has closed, and taken all of it into the file itself.
            return
        except OSError as error:
            raise Unavailable("The disk does not keep what is written. Please try again in a moment.") from error

    def locked(self, statement: Rows) -> Rows:
        """The statement with its rows locked until the transaction ends; SQLite's writer has them all already."""
        return statement if self.is_sqlite else statement.with_for_update()

    def claimed(self, statement: Rows) -> Rows:
        """The statement with its rows locked, leaving out rows that another transaction holds."""
        return statement if self.is_sqlite else statement.with_for_update(skip_locked=True)

    def lock_out(self, connection: Connection, table: str) -> None:
        """Let no other writer of this table begin until the transaction ends; SQLite's writer is alone anyway."""
        if not self.is_sqlite:
            connection.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))

    def take_turn(self, connection: Connection, what: str) -> None:
        """Let others who name the same wait until the transaction ends; SQLite's writer is alone anyway."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": what})

    def ping(self) -> None:
        """See that the database answers.

        Raises:
            Unavailable: it does not.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection that nobody has."""
        if self._turn is not None:
            with self._turn.closed():
                while self._writers:
                    self._writers.popitem()[1].close()
        if self._looks is not None:
            self._looks.close()
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        _tell(error)


def _tell(error: SQLAlchemyError) -> NoReturn:
    """Raise the error as the layers above know it: itself, unless it says that the database is away."""
    if isinstance(error, PoolTimeout):
        raise Unavailable(sqlite.BUSY) from error
    if isinstance(error, OperationalError) and "no such table" not in str(error.orig):
        raise Unavailable("The database does not answer. Please try again in a moment.") from error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise Unavailable("The database broke the connection. Please try again in a moment.") from error
    raise error
