"""Deletions that can still be undone: such a query is hidden from its owner, and erased when its time is over."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select

from folkmoot.db import Database
from folkmoot.errors import NotFound
from folkmoot.models import Deletion, Interaction
from folkmoot.store import incidents

NO_SUCH_QUERY = "There is no such query. Its id may be mistyped, or it was deleted."
TOO_LATE = "There is nothing to bring back: the query was deleted for good, or never deleted, or its id is mistyped."
#: The one character that no stored text holds, and that PostgreSQL takes in none.
NUL = "\x00"


def is_hidden() -> ColumnElement[bool]:
    """Of a row of interactions: whether its owner has deleted it."""
    return select(Deletion.job_id).where(Deletion.job_id == Interaction.job_id).exists()


def hide(db: Database, job_id: str, *, user_id: int, due_at: datetime) -> None:
    """Hide a query from its owner now, and have it erased at `due_at`.

    Raises:
        NotFound: there is none, it is somebody else's, or it is hidden already.
    """
    known = job_id.replace(NUL, " ")
    mine = select(Interaction.id).where(Interaction.job_id == known, Interaction.user_id == user_id)
    with db.write() as connection:
        # The row is locked first: of two calls at once, the second sees what the first has written.
        found = connection.execute(db.locked(mine)).first()
        if found is None or connection.scalar(select(Deletion.job_id).where(Deletion.job_id == known)):
            raise NotFound(NO_SUCH_QUERY)
        connection.execute(insert(Deletion).values(job_id=known, due_at=due_at))


def restore(db: Database, job_id: str, *, user_id: int, now: datetime) -> None:
    """Show a hidden query to its owner again.

    Raises:
        NotFound: it is not hidden, its time is over, or it is somebody else's.
    """
    known = job_id.replace(NUL, " ")
    mine = select(Interaction.id).where(Interaction.job_id == known, Interaction.user_id == user_id)
    with db.write() as connection:
        found = connection.execute(db.locked(mine)).first()
        if found is None:
            raise NotFound(TOO_LATE)
        back = connection.execute(delete(Deletion).where(Deletion.job_id == known, Deletion.due_at > now))
        if back.rowcount == 0:
            raise NotFound(TOO_LATE)


def erase_due(db: Database, *, now: datetime) -> Iterator[str]:
    """Erase every hidden query whose time is over, each in a transaction of its own; its job_id."""
    with db.read() as connection:
        due = list(connection.scalars(select(Deletion.job_id).where(Deletion.due_at <= now)))
    for job_id in due:
        with db.write() as connection:
            connection.execute(db.locked(select(Interaction.id).where(Interaction.job_id == job_id)))
            # Restored meanwhile, and perhaps hidden anew: then it is not due.
            still_due = select(Deletion.job_id).where(Deletion.job_id == job_id, Deletion.due_at <= now)
            if connection.scalar(still_due) is None:
                continue
            connection.execute(delete(Interaction).where(Interaction.job_id == job_id))
            incidents.forget_job(connection, job_id)
        yield job_id
