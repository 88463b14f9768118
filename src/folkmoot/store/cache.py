"""The cache of answers: who has the answer to a call, or is asking for it now; always within another transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from folkmoot.db import Database
from folkmoot.models import Cache, Interaction, Response
from folkmoot.statements import Record, Statement

_OF_KEY = Cache.key == bindparam("of_key")
_ENTRY = Statement(select(Cache).where(_OF_KEY).with_for_update())
_ANSWER = Statement(
    select(Response).where(
        Response.job_id == bindparam("of_job"),
        Response.agent_id == bindparam("of_agent"),
        Response.is_aggregator == bindparam("of_aggregator"),
    )
)
_CONCLUDING = Statement(
    select(Interaction.lease_until).where(
        Interaction.job_id == bindparam("of_job"), Interaction.status == "aggregating"
    )
)
#: An entry, unless there is one with its key.
_NEW_IN_SQLITE = Statement(sqlite.insert(Cache).on_conflict_do_nothing())
_NEW_IN_POSTGRESQL = Statement(postgresql.insert(Cache).on_conflict_do_nothing())
_LEAD = Statement(update(Cache).where(_OF_KEY))
#: Of an entry that leads here already, nothing but this changes.
_READY = Statement(
    update(Cache).where(
        _OF_KEY,
        Cache.job_id == bindparam("of_job"),
        Cache.agent_id == bindparam("of_agent"),
        Cache.is_aggregator == bindparam("of_aggregator"),
    )
)
_DROP = Statement(delete(Cache).where(_OF_KEY, Cache.job_id == bindparam("of_job"), Cache.ready_at.is_(None)))
_BOUNDS = select(
    select(func.min(Cache.id)).scalar_subquery(),
    select(func.max(Cache.id)).scalar_subquery(),
    # That of the oldest entry, for which there is no index: where it was led elsewhere since, others wait for it.
    select(Cache.created_at).where(Cache.id == select(func.min(Cache.id)).scalar_subquery()).scalar_subquery(),
)


@dataclass(frozen=True)
class Look:
    """What a claim looks for.

    Attributes:
        key: of the call.
        since: an answer from before this is too old.
        park_until: when work that waits is sent again, should nobody wake it before.
        reads: whether an answer that is there, or comes, will do; else the call is made anyway, and replaces it.
    """

    key: str
    since: datetime
    park_until: datetime
    reads: bool = True


@dataclass(frozen=True)
class Place:
    """Whose answer an entry is."""

    user_id: int
    job_id: str
    agent_id: str
    is_aggregator: bool


@dataclass(frozen=True)
class Hit:
    """An answer that was given before; `job_id` is the query it came from."""

    text: str
    model: str
    job_id: str


#: Another asks the same now, so that one is to be waited for.
UnderWay = Literal["under way"]


def look(db: Database, connection: Connection, seek: Look, place: Place, *, now: datetime) -> Hit | UnderWay | None:
    """The answer, or that it is under way; else None, and from now on it is this place that asks."""
    if not seek.reads:
        return None
    values: dict[str, Any] = {**vars(place), "created_at": now, "ready_at": None}
    # Looked for first: on PostgreSQL an insert that finds its key taken uses up an id, and `prune` counts by these.
    entry = None if db.is_sqlite else _ENTRY.first(connection, of_key=seek.key)
    if entry is None:
        new = _NEW_IN_SQLITE if db.is_sqlite else _NEW_IN_POSTGRESQL
        if new.change(connection, key=seek.key, **values) == 1:
            return None
        entry = _ENTRY.first(connection, of_key=seek.key)
    if entry is None:
        return None
    found = _answer(connection, entry, since=seek.since, now=now)
    if found is None or (found == "under way" and _is_of(entry, place)):
        _LEAD.change(connection, of_key=seek.key, **values)
        return None
    return found


def _answer(connection: Connection, entry: Record, *, since: datetime, now: datetime) -> Hit | UnderWay | None:
    row = _ANSWER.first(connection, of_job=entry.job_id, of_agent=entry.agent_id, of_aggregator=entry.is_aggregator)
    if entry.ready_at is not None:
        if row is None or row.status != "ok" or entry.ready_at < since:
            return None
        return Hit(row.text, row.model, entry.job_id)
    if entry.is_aggregator:
        lease_until = _CONCLUDING.scalar(connection, of_job=entry.job_id)
    else:
        lease_until = row.lease_until if row is not None and row.status == "pending" else None
    return "under way" if lease_until is not None and lease_until > now else None


def _is_of(entry: Record, place: Place) -> bool:
    return (entry.job_id, entry.agent_id, entry.is_aggregator) == (place.job_id, place.agent_id, place.is_aggregator)


def keep(db: Database, connection: Connection, key: str, place: Place, *, now: datetime) -> None:
    """From now on, this place's answer is given to whoever makes the same call."""
    of = {"of_job": place.job_id, "of_agent": place.agent_id, "of_aggregator": place.is_aggregator}
    if _READY.change(connection, of_key=key, **of, ready_at=now):
        return
    values = {**vars(place), "created_at": now, "ready_at": now}
    if _LEAD.change(connection, of_key=key, **values) == 0:
        statement: Any = (sqlite.insert(Cache) if db.is_sqlite else postgresql.insert(Cache)).values(key=key, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def drop(connection: Connection, key: str, job_id: str) -> None:
    """This query asks no more, and has no answer that another could take."""
    _DROP.change(connection, of_key=key, of_job=job_id)


def prune(db: Database, *, before: datetime, most: int) -> int:
    """Delete entries that are too old, and the oldest beyond so many; nothing is written when there are none."""
    with db.read() as connection:
        first, last, oldest = connection.execute(_BOUNDS).one()
    if first is None or (last - first < most and oldest >= before):
        return 0
    with db.write(synced=False) as connection:
        return connection.execute(delete(Cache).where((Cache.id <= last - most) | (Cache.created_at < before))).rowcount
