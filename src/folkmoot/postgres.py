"""PostgreSQL's engine: connections that stay open, and are replaced when the server has left them."""

import math
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError

from folkmoot.sockets import has_something_to_say

#: A server has a bounded number of connections for all processes together. To open one takes many times longer than to
#: wait for one, so none is opened beyond those that are kept.
CONNECTIONS = 8
#: One that nobody used for so long, in seconds, is asked whether it is still one.
IDLE_S = 1.0
#: A dead server is noticed within seconds, not after TCP's own minutes.
ARGUMENTS = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "folkmoot",
}


def engine(url: str, **pool: Any) -> Engine:
    """The engine; nothing connects before the first transaction.

    The execution options `folkmoot_writer` and `folkmoot_unsynced` say of a transaction that it changes rows, and that
    its commit need not wait for the disk.
    """
    made = create_engine(url, connect_args=ARGUMENTS, pool_size=CONNECTIONS, max_overflow=0, **pool)
    dialect = made.dialect

    def replace_broken(connection: Any, record: Any, _proxy: object) -> None:
        # One that broke while nobody used it is replaced before anything is asked of it, and so are all others. To ask
        # each time, as `pool_pre_ping` does, takes as long as a statement; a server that left has said so.
        idle_s = time.monotonic() - record.info.get("idle_since", math.inf)
        try:
            if idle_s >= IDLE_S or has_something_to_say(connection):
                dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(made, "connect", _prefer_indexes)
    event.listen(made, "checkin", _note_since)
    event.listen(made, "checkout", replace_broken)
    event.listen(made, "begin", _set_commit)
    event.listen(made, "rollback", _forget_commit)
    return made


def _prefer_indexes(connection: Any, _record: object) -> None:
    # By default a page elsewhere costs four times the next one, as on disks that turn. So PostgreSQL would look for a
    # user's queries among everybody's, since these lie in the order in which a page of them is wanted.
    with connection.cursor() as cursor:
        cursor.execute("SET random_page_cost = 1.1")
    connection.commit()


def _note_since(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _set_commit(connection: Connection) -> None:
    options = connection.get_execution_options()
    wanted = "off" if options.get("folkmoot_unsynced", False) else "on"
    if options.get("folkmoot_writer", False) and connection.info.get("synchronous_commit", "on") != wanted:
        connection.exec_driver_sql(f"SET synchronous_commit = {wanted}")
        connection.info["synchronous_commit"] = wanted


def _forget_commit(connection: Connection) -> None:
    # It is what it was before the transaction, whatever that was.
    if not connection.invalidated:
        connection.info["synchronous_commit"] = None
