"""Erasure for good: of queries, of what is too old, and of a user with all that is theirs, whatever the tables are.

Nothing here names the tables to clear: they are found by what refers to a user or a query, so that a new one is
covered by itself. The two that keep something are named: the ledger keeps figures, and invitations keep that they were.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, delete, exists, func, insert, select, tuple_, update

from folkmoot.db import Database
from folkmoot.models import Base, Interaction, Usage, User
from folkmoot.resources import ENDED

#: Queries that one transaction erases, with all their rows: other writers get their turn in between.
BATCH = 100
#: Rows of the ledger that one transaction deletes.
LEDGER_BATCH = 1000
#: Figures of the ledger that stay when it is no more known whose they were.
FIGURES = ("calls", "estimated_calls", "unpriced_calls", "prompt_tokens", "completion_tokens", "nano_usd")

#: What `folded` begins with while an account is being deleted, and no name does.
LEAVING = "/"


def of_users() -> list[Column[Any]]:
    """The columns that say whose a row is, of every table but that of users; rows that refer to others first."""
    return [
        column
        for table in reversed(Base.metadata.sorted_tables)
        for column in table.columns
        if table is not User.__table__ and (column.name == "user_id" or _refers(column, User.__table__))
    ]


def of_jobs() -> list[Column[Any]]:
    """The columns that say which query a row belongs to; the ledger's is not among them, for it outlives its query."""
    return [
        column
        for table in reversed(Base.metadata.sorted_tables)
        for column in table.columns
        if table not in (Interaction.__table__, Usage.__table__)
        and (column.name.endswith("job_id") or _refers(column, Interaction.__table__))
    ]


def _refers(column: Column[Any], to: Any) -> bool:
    return any(key.column.table is to for key in column.foreign_keys)


def erase_jobs(connection: Connection, job_ids: Sequence[str]) -> None:
    """Delete queries and all that came of them; a row that may be without its query stays, and forgets it.

    The queries go first: a worker that is about to store something waits for that, and then finds none to store it to.
    """
    connection.execute(delete(Interaction).where(Interaction.job_id.in_(job_ids)))
    for column in of_jobs():
        if column.nullable:
            connection.execute(update(column.table).where(column.in_(job_ids)).values({column: None}))
        else:
            connection.execute(delete(column.table).where(column.in_(job_ids)))


def erase_all_of(db: Database, user_id: int) -> Iterator[list[str]]:
    """Erase a user's queries, open ones too, a batch a transaction; the job_ids of each."""
    mine = select(Interaction.job_id).where(Interaction.user_id == user_id).order_by(Interaction.id).limit(BATCH)
    yield from _erased(db, mine)


def erase_ended(db: Database, *, before: datetime) -> Iterator[list[str]]:
    """Erase the queries that ended before this, the oldest first, a batch a transaction; the job_ids of each.

    One that is open is never among them, however old it is.
    """
    old = select(Interaction.job_id).where(Interaction.status.in_(ENDED), Interaction.finished_at < before)
    yield from _erased(db, old.order_by(Interaction.finished_at).limit(BATCH))


def _erased(db: Database, found: Select[Any]) -> Iterator[list[str]]:
    while True:
        # Looked for without a lock first: mostly there is nothing, and then nobody has to wait.
        with db.read() as connection:
            if connection.scalar(found.limit(1)) is None:
                return
        with db.write() as connection:
            job_ids = list(connection.scalars(db.locked(found)))
            erase_jobs(connection, job_ids)
        yield job_ids


def erase_ways_in(connection: Connection, user_id: int) -> None:
    """Delete all that is a user's but their queries and what these used: sessions, tokens, keys and the like."""
    for column in of_users():
        if column.table not in (Interaction.__table__, Usage.__table__):
            connection.execute(delete(column.table).where(column == user_id))


def erase_user(db: Database, user_id: int) -> list[str]:
    """Delete a user with all that is left of theirs; the ledger keeps the figures, and not whose they were.

    Returns:
        The job_ids of queries that were still among it.
    """
    with db.write() as connection:
        connection.execute(db.locked(select(User.id).where(User.id == user_id)))
        _keep_figures(connection, user_id)
        job_ids = list(connection.scalars(select(Interaction.job_id).where(Interaction.user_id == user_id)))
        erase_jobs(connection, job_ids)
        for column in of_users():
            connection.execute(delete(column.table).where(column == user_id))
        connection.execute(delete(User).where(User.id == user_id))
    return job_ids


def _keep_figures(connection: Connection, user_id: int) -> None:
    """Add a user's part of the ledger up by day and stage, under ids that are no query's: the budget of all holds."""
    sums = [func.sum(Usage.__table__.c[name]).label(name) for name in FIGURES]
    mine = select(Usage.day, Usage.stage, *sums).where(Usage.user_id == user_id).group_by(Usage.day, Usage.stage)
    kept = [
        {**row, **{name: int(row[name]) for name in FIGURES}, "job_id": str(uuid.uuid4()), "user_id": None}
        for row in connection.execute(mine).mappings()
    ]
    connection.execute(delete(Usage).where(Usage.user_id == user_id))
    if kept:
        connection.execute(insert(Usage), [{**row, "reserved_tokens": 0, "reserved_nano_usd": 0} for row in kept])


def purge_ledger(db: Database, *, before: date) -> int:
    """Delete a batch of what the ledger keeps of days before this, for queries that are gone; how many rows it was."""
    gone = ~exists().where(Interaction.job_id == Usage.job_id)
    old = select(Usage.job_id, Usage.stage).where(Usage.day < before, gone).limit(LEDGER_BATCH)
    with db.read() as connection:
        rows = [tuple(row) for row in connection.execute(old)]
    if rows:
        with db.write() as connection:
            connection.execute(delete(Usage).where(tuple_(Usage.job_id, Usage.stage).in_(rows)))
    return len(rows)


def leaving(db: Database) -> list[int]:
    """The accounts whose deletion has begun and not ended."""
    with db.read() as connection:
        return list(connection.scalars(select(User.id).where(User.folded.startswith(LEAVING))))
