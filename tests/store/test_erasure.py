"""What is erased leaves nothing, what is not is not touched, and no table of either kind is forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Integer, String, Table, func, insert, select, update

from folkmoot import accounts, invitations, sweep, tokens
from folkmoot.accounts import Policy
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, LastAdmin
from folkmoot.models import Base, Incident, Interaction, Invitation, Usage, User
from folkmoot.prices import NANO
from folkmoot.runtime import utcnow
from folkmoot.store import asking, erasure, usage
from folkmoot.store.usage import Spent
from tests.client import PASSWORD
from tests.store import rows
from tests.store.pool import MakeRuntime, events
from tests.store.rows import NOW, after
from tests.store.test_migrations import everything, fill

#: Columns that hold what a person is called, with what clears them; the username itself goes with its row.
NAMES = {"invitations.created_by", "invitations.used_by", "users.username"}
#: Tables of which no row is anybody's: what happened to seats only mentions a query, and forgets it.
NOBODYS = {"users", "invitations"}


def test_every_table_is_erased_or_known_to_be_nobodys() -> None:
    """Each table belongs to a user or a query by a column that erasure finds, or is named here as neither."""
    found = {column.table.name for column in (*erasure.of_users(), *erasure.of_jobs())}
    telling = {
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.endswith(("_by", "username", "owner", "account", "author", "email"))
    }

    assert set(Base.metadata.tables) - found == NOBODYS
    assert telling == NAMES


@pytest.fixture
def added(db: Database) -> Iterator[Table]:
    """A table of tomorrow that refers to users and queries without saying so to the database."""
    table = Table(
        "tomorrows",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("user_id", BigInteger),
        Column("first_job_id", String(36)),
    )
    with db.write() as connection:
        table.create(connection)
    yield table
    with db.write() as connection:
        table.drop(connection)
    Base.metadata.remove(table)


def test_a_table_that_is_added_is_covered_by_itself(db: Database, ada: int, added: Table) -> None:
    """Rows of a new table go with their user; those of a query that others may share forget the query."""
    grace = rows.user(db, "grace")
    job_id, others = rows.accepted(db, ada), rows.accepted(db, grace)
    with db.write() as connection:
        values: list[dict[str, Any]] = [
            {"user_id": ada, "first_job_id": job_id},
            {"user_id": grace, "first_job_id": job_id},
            {"user_id": grace, "first_job_id": others},
        ]
        connection.execute(insert(added), values)

    assert list(erasure.erase_all_of(db, ada)) == [[job_id]]
    assert erasure.erase_user(db, ada) == []

    with db.read() as connection:
        left = connection.execute(select(added.c.user_id, added.c.first_job_id).order_by(added.c.id)).all()
    assert [tuple(row) for row in left] == [(grace, None), (grace, others)]


def test_a_user_goes_with_everything_and_the_figures_stay(db: Database) -> None:
    """Of a user with rows in every table nothing is left but sums that tell of nobody; another's rows are the same."""
    grace = rows.user(db, "grace")
    rows.accepted(db, grace)
    tokens.create(db, grace, "laptop", ["read"], now=NOW)
    before = everything(db)
    fill(db)
    with db.read() as connection:
        ada = connection.scalar(select(User.id).where(User.username == "ada"))
        job_ids = list(connection.scalars(select(Interaction.job_id).where(Interaction.user_id == ada)))
    assert ada is not None
    for job_id in job_ids:
        usage.count(db, job_id, [Spent("response", 3, 4, 5)])
    with db.write() as connection:
        connection.execute(update(User).where(User.id == ada).values(password_hash=accounts.HASHER.hash(PASSWORD)))
        connection.execute(insert(Incident).values(at=NOW, agent_id="qwen", kind="failed_over", job_id=job_ids[0]))

    accounts.close(db, ada, PASSWORD)
    list(erasure.erase_all_of(db, ada))
    erasure.erase_user(db, ada)

    left = everything(db)
    told = [row for row in left["incidents"] if "job_id" in row]
    assert told == [] and len(left.pop("incidents")) == 2
    sums = [row for row in left["usage"] if "user_id" not in row]
    left["usage"] = [row for row in left["usage"] if "user_id" in row]
    assert left == {name: found for name, found in before.items() if name != "incidents"}
    assert {row["stage"] for row in sums} == set(usage.STAGES) and not {row["job_id"] for row in sums} & set(job_ids)
    with db.read() as connection:
        spent = usage.standing(connection, NOW.date()).spent
    assert (spent.tokens, spent.nano_usd) == (len(job_ids) * 7, len(job_ids) * 5)


def test_a_late_worker_brings_nothing_back(db: Database, ada: int) -> None:
    """Whoever still answers, concludes or counts for a user who has left stores nothing."""
    held = rows.claimed(db, rows.accepted(db, ada), "qwen")
    concluding = rows.conclusion(db, rows.aggregating(db, ada))
    list(erasure.erase_all_of(db, ada))
    erasure.erase_user(db, ada)
    before = everything(db)

    assert rows.finish(db, held) == (False, None)
    assert not asking.renew(db, held, lease_until=after(60))
    assert not rows.conclude(db, concluding)
    usage.count(db, held.job.job_id, [Spent("response", 3, 4, NANO)])

    assert everything(db) == before


def test_a_closed_account_has_no_name_and_no_way_in(db: Database) -> None:
    """Its name is free at once, its password is none, its invitations are gone; a wrong password closes nothing."""
    first = accounts.sign_up(db, "Ada", PASSWORD, request_id="1", now=NOW)
    text, _ = invitations.invite(db, "Ada", now=NOW, days=1)
    invitations.invite(db, "Ada", now=NOW, days=1)
    by_invitation = Policy("invitation")
    accounts.sign_up(db, "grace", PASSWORD, request_id="2", now=NOW, policy=by_invitation, invitation=text)
    with pytest.raises(LastAdmin):
        accounts.close(db, first.user_id, PASSWORD)
    with pytest.raises(InvalidRequest):
        accounts.close(db, first.user_id, "not the password", policy=Policy(admins={"grace"}))

    accounts.close(db, first.user_id, PASSWORD, policy=Policy(admins={"grace"}))

    with db.read() as connection:
        kept = [(row.created_by, row.used_by) for row in connection.execute(select(Invitation))]
        names = list(connection.scalars(select(User.username).order_by(User.username)))
    assert kept == [(invitations.SOMEBODY, "grace")] and names == ["", "grace"]
    assert erasure.leaving(db) == [first.user_id]
    again = accounts.sign_up(db, "ada", PASSWORD, request_id="3", now=NOW)
    assert not again.is_admin and again.user_id != first.user_id


def test_of_two_admins_who_leave_at_once_one_stays(db: Database, other: Database) -> None:
    """However close together they go, an installation with users keeps an admin."""
    policy = Policy(admins={"ada", "grace"})
    ada = accounts.sign_up(db, "ada", PASSWORD, request_id="1", now=NOW, policy=policy)
    grace = accounts.sign_up(db, "grace", PASSWORD, request_id="2", now=NOW, policy=policy)
    accounts.sign_up(db, "edsger", PASSWORD, request_id="3", now=NOW, policy=policy)

    ends = rows.at_once(
        rows.caught(lambda: accounts.close(db, ada.user_id, PASSWORD, policy=policy)),
        rows.caught(lambda: accounts.close(other, grace.user_id, PASSWORD, policy=policy)),
    )

    assert sorted(type(end).__name__ for end in ends) == ["LastAdmin", "NoneType"]


def test_the_sweep_ends_a_deletion_that_its_gateway_has_not(make_runtime: MakeRuntime, db: Database) -> None:
    """A gateway that dies after an account is closed leaves the rest to the next look."""
    runtime = make_runtime()
    ada = accounts.sign_up(db, "ada", PASSWORD, request_id="1", now=NOW)
    job_id = rows.accepted(db, ada.user_id)
    runtime.events.append(job_id, [("status", {"status": "accepted"})], begins=1)
    accounts.close(db, ada.user_id, PASSWORD)

    sweep.sweep(runtime)

    assert erasure.leaving(db) == [] and rows.count(db, User) == rows.count(db, Interaction) == 0
    assert events(runtime, job_id) == []


def test_many_queries_are_erased_in_batches(db: Database, ada: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction holds more than a batch of them."""
    monkeypatch.setattr(erasure, "BATCH", 3)
    job_ids = [rows.accepted(db, ada) for _ in range(7)]

    assert [len(batch) for batch in erasure.erase_all_of(db, ada)] == [3, 3, 1]
    assert rows.count(db, Interaction) == 0 and len(set(job_ids)) == 7


def ended(db: Database, user_id: int, *, days_ago: float, now: Any) -> str:
    """A query that ended so long ago, and began just before."""
    job_id = rows.done(db, user_id)
    moment = now - timedelta(days=days_ago)
    with db.write() as connection:
        connection.execute(update(Interaction).where(Interaction.job_id == job_id).values(finished_at=moment))
        connection.execute(update(Usage).where(Usage.job_id == job_id).values(day=moment.date()))
    return job_id


def test_old_queries_go_and_open_ones_stay(make_runtime: MakeRuntime, db: Database, ada: int) -> None:
    """With N days, what ended before is erased with its figures and its stream; what is open or younger is kept."""
    runtime, now = make_runtime(retention_days=30), utcnow()
    old, young = ended(db, ada, days_ago=31.01, now=now), ended(db, ada, days_ago=29.99, now=now)
    is_open = rows.accepted(db, ada)
    with db.write() as connection:
        ages_ago = now - timedelta(days=400)
        connection.execute(update(Interaction).where(Interaction.job_id == is_open).values(created_at=ages_ago))
        connection.execute(update(Usage).where(Usage.job_id == is_open).values(day=ages_ago.date()))
    runtime.events.append(old, [("status", {"status": "accepted"})], begins=1)

    sweep.erase_old(runtime)

    with db.read() as connection:
        assert set(connection.scalars(select(Interaction.job_id))) == {young, is_open}
        assert set(connection.scalars(select(Usage.job_id))) == {young, is_open}
    assert events(runtime, old) == []


def test_without_a_limit_everything_is_kept(make_runtime: MakeRuntime, db: Database, ada: int) -> None:
    """0 days, the default, erases nothing however old it is."""
    job_id = ended(db, ada, days_ago=5000, now=utcnow())

    sweep.erase_old(make_runtime())

    with db.read() as connection:
        assert list(connection.scalars(select(Interaction.job_id))) == [job_id]


def test_what_was_spent_today_counts_although_its_query_is_gone(
    make_runtime: MakeRuntime, db: Database, ada: int
) -> None:
    """A retention of less than a day frees no budget: the day's figures stay while the day lasts."""
    now = utcnow()
    job_id = ended(db, ada, days_ago=0, now=now)
    with db.write() as connection:
        connection.execute(update(Interaction).values(finished_at=now - timedelta(seconds=20)))
    usage.count(db, job_id, [Spent("response", 3, 4, 5)])

    sweep.erase_old(make_runtime(retention_days=0.0001))

    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Interaction)) == 0
        assert usage.standing(connection, now.date(), user_id=ada).spent.tokens == 7
