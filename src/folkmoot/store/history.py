"""All of a user's queries: in pages, searched, and one after the other."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, LargeBinary, bindparam, cast, func, select

from folkmoot.db import Database
from folkmoot.models import IS_OPEN_QUERY, Interaction
from folkmoot.resources import QueryPage, QueryResource, QuerySummary, Standing
from folkmoot.statements import Statement
from folkmoot.store import records
from folkmoot.store.deletions import NUL, is_hidden

#: Takes its meaning from a sign of a pattern.
ESCAPE = "/"


def page(
    db: Database,
    user_id: int,
    *,
    limit: int,
    before: int | None,
    search: str,
    standing: Standing | None = None,
    domain: str | None = None,
) -> QueryPage:
    """The user's queries, newest first, from the one before `before` on.

    Only those that contain `search`, stand like `standing`, and are of `domain`.
    """
    if NUL in search or NUL in (domain or ""):
        return QueryPage(queries=[], next_cursor=None)
    # PostgreSQL has its own rules for small letters, and takes them for both.
    sought = _pattern(search.lower() if db.is_sqlite else search)
    given = {"of_user": user_id, "before": before, "of_domain": domain, "sought": sought, "most": limit + 1}
    values = {name: value for name, value in given.items() if value is not None}
    contains = (_contains_on_sqlite if db.is_sqlite else _contains) if search else None
    statement = _page(standing, contains, is_before=before is not None, has_domain=domain is not None)
    with db.look() as connection:
        rows = statement.all(connection, **values)
    shown = rows[:limit]
    return QueryPage(
        queries=[QuerySummary.model_validate(row, from_attributes=True) for row in shown],
        next_cursor=str(shown[-1].id) if len(rows) > limit else None,
    )


@cache
def _page(
    standing: Standing | None, contains: Callable[[], ColumnElement[bool]] | None, *, is_before: bool, has_domain: bool
) -> Statement:
    """The statement of a page that is asked for in this way."""
    statement = select(Interaction).where(Interaction.user_id == bindparam("of_user"), ~is_hidden())
    if is_before:
        statement = statement.where(Interaction.id < bindparam("before"))
    if standing == "open":
        statement = statement.where(IS_OPEN_QUERY)
    elif standing:
        statement = statement.where(Interaction.status == standing)
    if has_domain:
        statement = statement.where(Interaction.domain == bindparam("of_domain"))
    if contains is not None:
        statement = statement.where(contains())
    return Statement(statement.order_by(Interaction.id.desc()).limit(bindparam("most")))


def _contains() -> ColumnElement[bool]:
    return Interaction.query.ilike(bindparam("sought"), escape=ESCAPE)


def _contains_on_sqlite() -> ColumnElement[bool]:
    """What SQLite compares by itself, English letters only, it compares faster, and while other threads work."""
    has_others = func.length(Interaction.query) != func.length(cast(Interaction.query, LargeBinary))
    return Interaction.query.like(bindparam("sought"), escape=ESCAPE) | (has_others & _contains())


def _pattern(search: str) -> str | None:
    """What a text is like that contains this; None where nothing is sought."""
    if not search:
        return None
    for sign in (ESCAPE, "%", "_"):
        search = search.replace(sign, ESCAPE + sign)
    return f"%{search}%"


def all_of(db: Database, user_id: int) -> Iterator[QueryResource]:
    """All queries that a user sees, the oldest first; each is read when it is its turn, in a transaction of its own."""
    last = 0
    while True:
        mine = (Interaction.user_id == user_id, Interaction.id > last, ~is_hidden())
        with db.read() as connection:
            row = connection.execute(select(Interaction).where(*mine).order_by(Interaction.id).limit(1)).first()
            if row is None:
                return
            found = records.query(connection, row)
        yield found
        last = row.id


def comparable(
    db: Database, user_id: int, *, domain: str, question_type: str, limit: int
) -> list[tuple[str, str, datetime]]:
    """The user's latest queries of this kind that were answered and stand by themselves, newest first.

    Returns:
        job_id, text and time of each.
    """
    statement = (
        select(Interaction.job_id, Interaction.query, Interaction.created_at)
        .where(Interaction.user_id == user_id, ~is_hidden(), Interaction.status == "done")
        .where(Interaction.domain == domain, Interaction.question_type == question_type)
        .where(Interaction.parent_job_id.is_(None), Interaction.conversation.is_(None))
        .order_by(Interaction.id.desc())
    )
    with db.read() as connection:
        return [(row.job_id, row.query, row.created_at) for row in connection.execute(statement.limit(limit))]
