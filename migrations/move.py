"""Copies every row of one database into another, empty one: `python3 -m migrations.move sqlite:////data/folkmoot.db`.

The other is the one that the settings name. Both have to be at the newest schema, and nothing may run on either.
"""

import sys

from sqlalchemy import Connection, Table, func, select, text

from folkmoot import settings
from folkmoot.db import Database
from folkmoot.errors import FolkmootError
from folkmoot.models import Base

#: Rows that are read and written at once.
BATCH = 500


def main() -> int:
    """Copy; 1 when the other database is not empty or one of them does not answer, and then nothing was copied."""
    if len(sys.argv) != 2:
        sys.stderr.write("Say which database to copy from, for example sqlite:////data/folkmoot.db.\n")
        return 2
    try:
        target_url = settings.load().database_url
        source, target = Database(sys.argv[1]), Database(target_url)
        with source.read() as old, target.write() as new:
            if any(new.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables):
                sys.stderr.write("The database to copy into holds rows already; nothing was copied.\n")
                return 1
            copied = {table.name: _copy(table, old, new) for table in Base.metadata.sorted_tables}
    except FolkmootError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{name}: {count}\n" for name, count in copied.items()))
    return 0


def _copy(table: Table, old: Connection, new: Connection) -> int:
    count = 0
    # A row comes after those that it refers to.
    rows_in_order = select(table).order_by(*table.primary_key.columns)
    for rows in old.execution_options(yield_per=BATCH).execute(rows_in_order).mappings().partitions():
        new.execute(table.insert(), [dict(row) for row in rows])
        count += len(rows)
    if "id" in table.c and new.dialect.name == "postgresql":
        # What counts the ids up has not seen the ones that came along.
        counter = f"pg_get_serial_sequence('{table.name}', 'id')"
        new.execute(text(f"SELECT setval({counter}, (SELECT max(id) FROM {table.name}))"))  # noqa: S608 # nosec B608 # our own names
    return count


if __name__ == "__main__":
    sys.exit(main())
