"""The statements on every query's way: written with SQLAlchemy, compiled once, then handed straight to the driver.

SQLAlchemy prepares each execution anew, and that takes many times what the database takes (docs/decisions/0021). The
transactions around them, the connections, and the types of what goes in and comes out stay its own.
"""

import itertools
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Delete, Insert, Select, Update, literal_column
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

#: A row that was found; its columns are its attributes.
Record = Any

_Converter = Callable[[Any], Any]
#: What can be prepared.
Clause = Select[*tuple[Any, ...]] | Insert | Update | Delete


class Statement:
    """A statement whose parameters have names: those of its `bindparam`s, and those of the columns that it sets."""

    def __init__(self, clause: Clause) -> None:
        """Prepare nothing yet: what a database is sent depends on which one it is."""
        # An insert would fetch the new row's id by itself.
        self._clause = clause.inline() if isinstance(clause, Insert) else clause
        self._prepared: dict[tuple[str, ...], _Prepared] = {}

    def all(self, connection: Connection, **values: Any) -> list[Record]:
        """All rows that it finds."""
        prepared = self._for(connection, values)
        return prepared.records(prepared.execute(connection, values))

    def first(self, connection: Connection, **values: Any) -> Record | None:
        """The first row that it finds, if any."""
        return next(iter(self.all(connection, **values)), None)

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row; None when there is none."""
        row = self.first(connection, **values)
        return None if row is None else row[0]

    def change(self, connection: Connection, **values: Any) -> int:
        """Execute what changes rows; returns how many it changed."""
        cursor = self._for(connection, values).execute(connection, values)
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def insert(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows, which name the same columns, together."""
        if not rows:
            return
        if connection.dialect.positional:
            self._for(connection, rows[0]).execute_many(connection, rows)
        else:
            # psycopg2 would send each row by itself; SQLAlchemy makes one statement of them.
            connection.execute(self._clause, rows)

    def _for(self, connection: Connection, values: Mapping[str, Any]) -> "_Prepared":
        key = (connection.dialect.name, *values)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepared[key] = _Prepared(self._clause, connection.dialect, list(values))
        return found


class _Prepared:
    """A statement as one kind of database is sent it, with these parameters."""

    def __init__(self, clause: Clause, dialect: Dialect, names: list[str]) -> None:
        self._dialect = dialect
        self._clause = clause
        keys = None if isinstance(clause, Select) else names
        compiled = _with_constants(clause, dialect).compile(dialect=dialect, column_keys=keys)
        assert isinstance(compiled, SQLCompiler)
        # The values of a list would be parameters each, and defaults computed anew: both only when it is executed.
        later = (compiled.post_compile_params, compiled.insert_prefetch, compiled.update_prefetch)
        assert not any(later), f"not to be prepared: {compiled.string}"
        self._sql = compiled.string
        self._ordered = None if compiled.positiontup is None else _taking(compiled.positiontup)
        self._server = None if compiled.positional else _OnServer(compiled)
        converters = {name: self._binds(bound.type) for name, bound in compiled.binds.items()}
        self._converters = {name: converter for name, converter in converters.items() if converter and name in names}
        whole = compiled.construct_params(dict.fromkeys(names))
        constants = {name: value for name, value in whole.items() if name not in names}
        self._constants = {name: self._converted(converters[name], value) for name, value in constants.items()}
        self._shape: tuple[Callable[[Any], Record], list[tuple[int, _Converter]]] | None = None

    def _binds(self, type_: TypeEngine[Any]) -> _Converter | None:
        return type_.dialect_impl(self._dialect).bind_processor(self._dialect)

    @staticmethod
    def _converted(converter: _Converter | None, value: Any) -> Any:
        return value if converter is None else converter(value)

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor, after it has executed the statement with these values."""
        known = None if self._server is None else self._server.ready(connection)
        return send(connection, self._sql, self._parameters(values), known=known)

    def execute_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute the statement with each of these sets of values."""
        send(connection, self._sql, [self._parameters(row) for row in rows], many=True).close()

    def _parameters(self, values: Mapping[str, Any]) -> Any:
        given = {**self._constants, **values}
        for name, converter in self._converters.items():
            given[name] = converter(given[name])
        return given if self._ordered is None else self._ordered(given)

    def records(self, cursor: Any) -> list[Record]:
        """All rows of a cursor, which is closed."""
        rows = cursor.fetchall()
        make, converters = self._shape = self._shape or self._shaped(cursor)
        cursor.close()
        return [make(_converted(row, converters) if converters else row) for row in rows]

    def _shaped(self, cursor: Any) -> tuple[Callable[[Any], Record], list[tuple[int, _Converter]]]:
        """How a row becomes a record: what makes one, and what to convert in which place."""
        assert isinstance(self._clause, Select)
        columns = self._clause.selected_columns
        record = namedtuple("Record", columns.keys())  # type: ignore[misc]
        impls = (column.type.dialect_impl(self._dialect) for column in columns)
        codes = (told[1] for told in cursor.description)
        converters = [impl.result_processor(self._dialect, code) for impl, code in zip(impls, codes, strict=True)]
        return record._make, [(place, one) for place, one in enumerate(converters) if one is not None]


def _with_constants(clause: Clause, dialect: Dialect) -> Clause:
    """The statement with the constants of its conditions in its words, and not as parameters.

    SQLite plans a statement anew each time that it gets a parameter on which the use of an index depends, and
    PostgreSQL plans it without that index: some have the rows of one status alone.
    """

    def written(element: Any, **_: object) -> Any:
        if not isinstance(element, BindParameter) or not isinstance(element.value, str | int):
            return None
        if "%" in str(element.value):
            # The driver for PostgreSQL takes its parameters' places from such a sign.
            return None
        spelled = element.type.dialect_impl(dialect).literal_processor(dialect)
        return None if spelled is None else literal_column(spelled(element.value), element.type)

    return cast(Clause, visitors.replacement_traverse(clause, {}, written))


def _taking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What takes the values of these names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


class _OnServer:
    """A statement that PostgreSQL keeps for each connection, read and planned: that takes longer than to execute it."""

    _numbers = itertools.count(1)

    def __init__(self, compiled: SQLCompiler) -> None:
        names = list(dict.fromkeys(compiled.bind_names.values()))
        self._name = f"folkmoot_{next(self._numbers)}"
        numbered = compiled.string % {name: f"${number}" for number, name in enumerate(names, 1)}
        self._prepare = f"PREPARE {self._name} AS {numbered}"
        given = ", ".join(f"%({name})s" for name in names)
        self._execute = f"EXECUTE {self._name}" + (f" ({given})" if given else "")

    def ready(self, connection: Connection) -> str:
        """What executes it, on a connection whose server knows it then."""
        known: set[str] = connection.info.setdefault("prepared", set())
        if self._name not in known:
            cursor = connection.connection.cursor()
            _execute(connection, cursor, self._prepare, None)
            cursor.close()
            known.add(self._name)
        return self._execute


def _converted(row: Any, converters: list[tuple[int, _Converter]]) -> list[Any]:
    converted = list(row)
    for place, converter in converters:
        converted[place] = converter(converted[place])
    return converted


def send(
    connection: Connection, sql: str, parameters: Any = (), *, many: bool = False, known: str | None = None
) -> Any:
    """The driver's cursor, after it has executed this, once or with each of many sets of parameters.

    Args:
        known: what is sent in its place, to a server that knows the statement already.
    Raises:
        sqlalchemy.exc.DBAPIError: as SQLAlchemy tells of what the driver raises.
    """
    cursor, listeners = connection.connection.cursor(), connection.dispatch
    for tell in listeners.before_cursor_execute:
        tell(connection, cursor, sql, parameters, None, many)
    _execute(connection, cursor, known or sql, parameters, many=many)
    for tell in listeners.after_cursor_execute:
        tell(connection, cursor, sql, parameters, None, many)
    return cursor


def _execute(connection: Connection, cursor: Any, sql: str, parameters: Any, *, many: bool = False) -> None:
    try:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
    except Exception as error:
        # Tells of it in SQLAlchemy's words, and gives up a connection that is gone.
        connection._handle_dbapi_exception(error, sql, parameters, cursor, None)
