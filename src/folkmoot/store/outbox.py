"""The outbox: work that nobody has taken yet, written in the transaction that made it, sent until it is taken."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from folkmoot.db import Database
from folkmoot.models import Outbox
from folkmoot.statements import Statement

#: A hint is never sent again less often than this.
LONGEST_WAIT_S = 30.0
#: Rows that one look takes; the next look takes the rest.
BATCH = 500

#: (job_id, task, agent_id) of a piece of work.
Work = tuple[str, str, str]

_OF_JOB = Outbox.job_id == bindparam("of_job")
_OF_WORK = (_OF_JOB, Outbox.task == bindparam("of_task"), Outbox.agent_id == bindparam("of_agent"))
_ADD = Statement(insert(Outbox))
_TAKE = Statement(delete(Outbox).where(*_OF_WORK))
_PARK = Statement(update(Outbox).where(*_OF_WORK))
_WAITING = Statement(select(Outbox.job_id, Outbox.task, Outbox.agent_id).where(Outbox.awaits == bindparam("of_key")))
_CLEAR = Statement(delete(Outbox).where(_OF_JOB))
_DUE = select(Outbox.id, Outbox.job_id, Outbox.task, Outbox.agent_id, Outbox.sent).where(
    Outbox.due_at <= bindparam("now")
)
_ANY_DUE = _DUE.limit(1)
_OLDEST_DUE = _DUE.order_by(Outbox.due_at).limit(BATCH)


def add(
    connection: Connection,
    job_id: str,
    task: str,
    agent_ids: list[str],
    *,
    due_at: datetime,
    once: bool = False,
) -> None:
    """Write one row for each agent (`[""]` for a task that asks none); with `once`, only where none is waiting."""
    if once:
        waiting = select(Outbox.agent_id).where(Outbox.job_id == job_id, Outbox.task == task)
        agent_ids = [agent for agent in agent_ids if agent not in set(connection.scalars(waiting))]
    rows = [{"job_id": job_id, "task": task, "agent_id": agent, "sent": 0, "due_at": due_at} for agent in agent_ids]
    _ADD.insert(connection, rows)


def take(connection: Connection, job_id: str, task: str, agent_id: str = "") -> None:
    """Remove the row of a piece of work that somebody has taken."""
    _TAKE.change(connection, of_job=job_id, of_task=task, of_agent=agent_id)


def park(connection: Connection, job_id: str, task: str, agent_id: str, *, awaits: str, due_at: datetime) -> None:
    """Have a piece of work wait for an equal call that is under way; it is sent again when that ends, or when due."""
    of = {"of_job": job_id, "of_task": task, "of_agent": agent_id}
    if _PARK.change(connection, **of, awaits=awaits, due_at=due_at) == 0:
        row = {"job_id": job_id, "task": task, "agent_id": agent_id, "sent": 0, "due_at": due_at, "awaits": awaits}
        _ADD.change(connection, **row)


def waiting(connection: Connection, key: str) -> list[Work]:
    """All the work that waits for a call."""
    return [(row.job_id, row.task, row.agent_id) for row in _WAITING.all(connection, of_key=key)]


def clear(connection: Connection, job_id: str) -> None:
    """Remove all rows of a job that has ended."""
    _CLEAR.change(connection, of_job=job_id)


def claim_due(db: Database, *, now: datetime, resend_s: float) -> list[tuple[int, str, str, str]]:
    """Take the rows that are due, and put each off to twice its last wait, so that two relays never take one.

    Returns:
        (id, job_id, task, agent_id) of each, oldest first.
    """
    with db.read() as connection:
        if connection.execute(_ANY_DUE, {"now": now}).first() is None:
            return []
    with db.write("relay", synced=False) as connection:
        rows = connection.execute(db.claimed(_OLDEST_DUE), {"now": now}).all()
        for row in rows:
            wait_s = min(LONGEST_WAIT_S, resend_s * 2 ** (row.sent + 1))
            connection.execute(
                update(Outbox)
                .where(Outbox.id == row.id)
                .values(sent=row.sent + 1, due_at=now + timedelta(seconds=wait_s))
            )
    return [(row.id, row.job_id, row.task, row.agent_id) for row in rows]


def release(db: Database, ids: list[int], *, now: datetime) -> None:
    """Make rows due again whose hints could not be sent.

    Those that another transaction changes are left to it. To wait for it would be to wait in a circle where it comes
    upon these rows in another order.
    """
    with db.write(synced=False) as connection:
        mine = list(connection.scalars(db.claimed(select(Outbox.id).where(Outbox.id.in_(ids)))))
        connection.execute(update(Outbox).where(Outbox.id.in_(mine)).values(due_at=now, sent=0))
