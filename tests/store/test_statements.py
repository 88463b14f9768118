"""Statements that go straight to the driver do what SQLAlchemy would have them do, on both databases."""

from typing import Any

import pytest
from sqlalchemy import bindparam, column, delete, event, insert, literal_column, select, table, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from folkmoot.db import Database
from folkmoot.errors import NotFound
from folkmoot.models import Interaction, Outbox, Response, User
from folkmoot.statements import Statement
from folkmoot.store import queries
from tests.store import rows
from tests.store.rows import NOW, after

OF_JOB = select(Interaction).where(Interaction.job_id == bindparam("of_job"))


@pytest.fixture
def job_id(db: Database) -> str:
    """A query of a user, as it is accepted."""
    return rows.accepted(db, rows.user(db))


def test_rows_are_those_of_sqlalchemy(db: Database, job_id: str) -> None:
    """Every column has its name, its type and its value: times in UTC, JSON, booleans, and none."""
    with db.look() as look, db.read() as connection:
        for clause, table in ((OF_JOB, Interaction), (select(Response).order_by(Response.id), Response)):
            values = {"of_job": job_id} if table is Interaction else {}
            found = Statement(clause).all(look, **values)
            expected = connection.execute(clause, values).all()
            assert [row._asdict() for row in found] == [dict(row._mapping) for row in expected]
            assert found

    assert found[0].created_at == NOW and found[0].is_aggregator is False


def test_all_that_is_there_is_found(db: Database, job_id: str) -> None:
    """The first row, its first column, and nothing where nothing is."""
    text = Statement(select(Interaction.query).where(Interaction.job_id == bindparam("of_job")))
    with db.look() as connection:
        assert text.scalar(connection, of_job=job_id) == "Should voting be compulsory?"
        assert text.scalar(connection, of_job="none") is None and text.first(connection, of_job="none") is None
        assert text.all(connection, of_job="none") == []


@pytest.mark.parametrize("name", ["50%", "a%%b", "%(x)s", "it's", "a\\b", ":x", "?"])
def test_constants_mean_themselves(db: Database, name: str) -> None:
    """Whatever signs they have, to the databases and to their drivers."""
    id_ = rows.user(db, name)
    with db.look() as connection:
        assert Statement(select(User.id).where(User.username == name)).scalar(connection) == id_


def test_changes_say_how_many(db: Database, job_id: str) -> None:
    """An update sets the columns that are named with it, and tells how many rows it changed; so does a delete."""
    change = Statement(update(Response).where(Response.job_id == bindparam("of_job"), Response.status == "pending"))
    remove = Statement(delete(Outbox).where(Outbox.job_id == bindparam("of_job")))
    with db.write() as connection:
        assert change.change(connection, of_job=job_id, attempts=2, lease_until=after(3)) == len(rows.PANEL)
        assert change.change(connection, of_job=job_id, text="said", status="ok") == len(rows.PANEL)
        assert change.change(connection, of_job=job_id, text="said again") == 0
        assert remove.change(connection, of_job=job_id) == len(rows.PANEL)

    with db.read() as connection:
        row = connection.execute(select(Response).where(Response.job_id == job_id)).first()
    assert row is not None and (row.attempts, row.lease_until, row.text, row.status) == (2, after(3), "said", "ok")


def test_several_rows_are_inserted_together(db: Database, job_id: str) -> None:
    """Of none there is nothing to do."""
    add = Statement(insert(Outbox))
    work = [
        {"job_id": job_id, "task": "draw", "agent_id": agent_id, "sent": 0, "due_at": NOW} for agent_id in ("a", "b")
    ]
    with db.write() as connection:
        add.insert(connection, work)
        add.insert(connection, [])

    drawn = select(Outbox.agent_id).where(Outbox.task == "draw").order_by(Outbox.id)
    with db.read() as connection:
        assert connection.scalars(drawn).all() == ["a", "b"]


def test_errors_are_sqlalchemys(db: Database) -> None:
    """What the database refuses is raised as callers know it, and the transaction is taken back."""
    add = Statement(insert(User))
    one = {"username": "Ada", "folded": "ada", "password_hash": "-", "is_admin": False, "created_at": NOW}
    with db.write() as connection:
        add.change(connection, **one, id=1)
    with pytest.raises(IntegrityError), db.write() as connection:
        add.change(connection, **{**one, "username": "Ben", "folded": "ben"}, id=2)
        add.change(connection, **one, id=3)

    with db.read() as connection:
        assert connection.scalars(select(User.username)).all() == ["Ada"]


def test_what_was_refused_at_first_is_done_later(db: Database) -> None:
    """A statement whose first execution failed, and one whose first transaction was taken back, are as good as new."""
    add, there = Statement(insert(User)), Statement(select(User.folded).where(User.id == bindparam("of_id")))
    one = {"username": "Ada", "folded": "ada", "password_hash": "-", "is_admin": False, "created_at": NOW}
    with db.write() as connection:
        connection.execute(insert(User), {**one, "id": 1})
    for _ in range(2):
        with pytest.raises(IntegrityError), db.write() as connection:
            assert there.scalar(connection, of_id=1) == "ada"
            add.change(connection, **one, id=2)

    with db.write() as connection:
        add.change(connection, **{**one, "username": "Ben", "folded": "ben"}, id=2)
        assert there.scalar(connection, of_id=2) == "ben"


def test_marks_of_a_pattern_are_no_parameters(db: Database, job_id: str) -> None:
    """A per cent sign within a statement stands for itself."""
    like = Statement(
        select(Interaction.job_id).where(
            Interaction.query.like(literal_column("'%compulsory%'")), Interaction.job_id == bindparam("of_job")
        )
    )
    with db.look() as connection:
        assert like.scalar(connection, of_job=job_id) == job_id


def test_constants_are_no_parameters(db: Database, job_id: str) -> None:
    """A statement that names a status names it in its words: as a parameter it would be planned anew each time.

    Nor is what anybody may give it ever among its words.
    """
    seen: list[tuple[str, Any]] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, values, *_: seen.append((sql, values)))
    of_agent = Response.agent_id == bindparam("of_agent")
    pending = Statement(
        select(Response.id).where(Response.status == "pending", Response.job_id == bindparam("of_job"), of_agent)
    )
    marked = Statement(update(Response).where(of_agent, Response.role != "it's :none").values(error="so"))
    with db.write() as connection:
        assert pending.scalar(connection, of_job=job_id, of_agent=rows.PANEL[0]) is not None
        assert pending.scalar(connection, of_job=job_id, of_agent="' OR '1'='1") is None
        assert marked.change(connection, of_agent=rows.PANEL[0]) == 1

    texts = [(sql, values) for sql, values in seen if "responses" in sql]
    assert len(texts) == 3
    for sql, values in texts:
        given = values.values() if isinstance(values, dict) else values
        assert set(given) <= {job_id, rows.PANEL[0], "' OR '1'='1", "so"}
        assert "'pending'" in sql or "it''s :none'" in sql


def test_several_looks_see_one_state(db: Database, job_id: str) -> None:
    """What is written between two statements of one look is seen by neither, and by the next look."""
    statement = Statement(select(Interaction.status).where(Interaction.job_id == bindparam("of_job")))
    end = update(Interaction).where(Interaction.job_id == job_id).values(status="done")
    with db.looks() as look:
        before = statement.scalar(look, of_job=job_id)
        with db.write() as connection:
            connection.execute(end)
        assert (before, statement.scalar(look, of_job=job_id)) == ("accepted", "accepted")

    with db.looks() as look:
        assert statement.scalar(look, of_job=job_id) == "done"


@pytest.mark.parametrize("way", ["look", "looks"])
def test_a_look_that_fails_leaves_the_next_ones_whole(db: Database, job_id: str, way: str) -> None:
    """What goes wrong in a look, there or in whoever looks, is raised as it is, however often, and then looks go on."""
    nothing = Statement(select(table("nowhere", column("of"))))
    for _ in range(20):
        with pytest.raises(DBAPIError), getattr(db, way)() as look:
            nothing.all(look)
        with pytest.raises(NotFound), getattr(db, way)() as look:
            assert Statement(OF_JOB).first(look, of_job=job_id) is not None
            raise NotFound("nothing")

    with getattr(db, way)() as look:
        assert Statement(OF_JOB).first(look, of_job=job_id) is not None


def test_many_may_look_at_once(db: Database, job_id: str) -> None:
    """More threads than there are connections look all the same, each at what it looks for."""
    found = rows.at_once(*[lambda: queries.find(db, job_id).job_id for _ in range(60)])

    assert found == [job_id] * 60


def test_listeners_hear_them(db: Database, job_id: str) -> None:
    """Whoever listens to what the engine executes hears of these too, with what was sent."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: object) -> None:
        heard.append((sql, parameters))

    event.listen(db.engine, "before_cursor_execute", hear)
    with db.look() as connection:
        Statement(OF_JOB).first(connection, of_job=job_id)
    event.remove(db.engine, "before_cursor_execute", hear)

    ((sql, parameters),) = heard
    assert "FROM interactions" in sql
    assert job_id in (parameters if db.is_sqlite else parameters.values())


@pytest.mark.parametrize(
    "clause",
    [
        select(Interaction).where(Interaction.status.in_(["done", "failed"])),
        insert(Response),
    ],
    ids=["list", "default"],
)
def test_what_is_known_only_at_execution_is_refused(db: Database, clause: Any) -> None:
    """A list is as many parameters as it has values, and Python's defaults are made anew each time."""
    with db.read() as connection, pytest.raises(AssertionError, match="not to be prepared"):
        Statement(clause).all(connection, **({"job_id": "a"} if clause.is_insert else {}))
