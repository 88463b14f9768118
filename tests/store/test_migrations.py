"""The migrations: up, down and up again with rows in place, and the schema that the models say."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, insert, inspect, text

from folkmoot import accounts, invitations, tokens
from folkmoot.db import Database
from folkmoot.models import Base, Incident, ProviderKey, Response, Session, User
from folkmoot.resources import AnalysisResource
from folkmoot.store import cache, charts, concluding, deletions, incidents, queries
from folkmoot.store.charts import Picture
from folkmoot.store.incidents import NewIncident
from tests.store import rows
from tests.store.rows import NOW, after
from tests.store.servers import migrate, migrate_down, revisions

TABLES = {
    "users", "sessions", "api_tokens", "invitations", "interactions", "responses", "analysis", "charts", "deletions",
    "outbox", "incidents", "usage", "provider_keys", "cache",
}  # fmt: skip


def tables(db: Database) -> set[str]:
    """The tables there are, Alembic's own aside."""
    with db.read() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def fill(db: Database) -> None:
    """Put a row into every table."""
    ada = rows.user(db)
    with db.write() as connection:
        connection.execute(insert(Session).values(user_id=ada, token_hash="0" * 64, created_at=NOW, expires_at=NOW))
        connection.execute(insert(ProviderKey).values(user_id=ada, provider="a", encrypted="-", created_at=NOW))
        incidents.record(connection, [NewIncident(NOW, "qwen", "reset")])
    tokens.create(db, ada, "laptop", ["read"], now=NOW)
    invitations.invite(db, "ada", now=NOW, days=1)
    ready = AnalysisResource(status="ready", consensus_score=1.0, reason=None, report={"a": 1})
    job_id = rows.done(db, ada)
    concluding.finish_analysis(db, job_id, ready, now=NOW)
    charts.keep(db, job_id, [Picture("radar", "png", b"1")])
    deletions.hide(db, job_id, user_id=ada, due_at=NOW)
    with db.write() as connection:
        cache.keep(db, connection, "0" * 64, cache.Place(ada, job_id, "qwen", is_aggregator=False), now=NOW)
    rows.claimed(db, rows.accepted(db, ada), "qwen")


def test_up_down_and_up_again_with_rows(empty_url: str) -> None:
    """Migrating down removes every table, rows and all, and up again gives a database that works."""
    db = Database(empty_url)
    for _ in range(2):
        migrate(empty_url)
        assert tables(db) == TABLES
        fill(db)
        migrate_down(empty_url)
        assert tables(db) == set()
    migrate(empty_url)

    fill(db)

    db.close()


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_every_earlier_revision_with_rows_is_migrated(empty_url: str, revision: str) -> None:
    """A database in use that goes back to an earlier revision and up again keeps the rows whose tables stay."""
    db = Database(empty_url)
    migrate(empty_url)
    fill(db)
    migrate_down(empty_url, revision)
    stayed = everything(db)
    assert stayed.keys() <= TABLES and all(stayed.values())

    migrate(empty_url)

    came_back: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES - stayed.keys()}
    assert everything(db) == stayed | came_back
    with db.write() as connection:
        connection.execute(delete(User))
    fill(db)
    db.close()


def everything(db: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of every table there is, without the columns that they leave empty."""
    with db.read() as connection:
        return {
            table: [
                {name: value for name, value in row.items() if value is not None}
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).mappings()
            ]
            for table in set(inspect(connection).get_table_names()) - {"alembic_version"}
        }


def test_upgrade_of_a_database_in_use_keeps_its_rows(url: str, db: Database) -> None:
    """Migrating a database that is up to date changes nothing in it."""
    fill(db)

    migrate(url)

    assert {table: rows.count(db, table) for table in (User, Response, Incident)} == {
        User: 1,
        Response: 7,
        Incident: 1,
    }


def test_half_a_migration_leaves_nothing(empty_url: str) -> None:
    """A migration that fails midway leaves the database as it was, so that it can simply be run again."""
    db = Database(empty_url)
    with db.write() as connection:
        connection.execute(text("CREATE TABLE responses (id INTEGER)"))

    with pytest.raises(Exception) as raised:
        migrate(empty_url)
    assert "already exists" in f"{raised.value} {raised.value.__cause__}"
    assert tables(db) == {"responses"}
    with db.write() as connection:
        connection.execute(text("DROP TABLE responses"))
    migrate(empty_url)

    assert tables(db) == TABLES
    db.close()


def test_models_and_migrated_schema_agree(db: Database) -> None:
    """Alembic finds no difference between what the migrations made and what the models say."""
    with db.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrated_schema_is_the_models_to_the_letter(empty_url: str) -> None:
    """Indexes with their conditions, constraints and foreign keys are those that the models would make themselves."""
    db = Database(empty_url)
    with db.write() as connection:
        Base.metadata.create_all(connection)
        modelled = described(connection)
        Base.metadata.drop_all(connection)
        assert described(connection) == set()

    migrate(empty_url)

    with db.read() as connection:
        assert described(connection) == modelled
    db.close()


def described(connection: Connection) -> set[tuple[str, ...]]:
    """Every index and constraint as the database itself tells it, Alembic's own aside."""
    statements = POSTGRES_SCHEMA if connection.dialect.name == "postgresql" else SQLITE_SCHEMA
    return {
        tuple(" ".join(part.replace('"', "").split()).lower() for part in row)
        for statement in statements
        for row in connection.execute(text(statement))
    }


POSTGRES_SCHEMA = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
    "SELECT conname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint "
    "JOIN pg_class ON pg_class.oid = conrelid "
    "WHERE connamespace = 'public'::regnamespace AND relname <> 'alembic_version'",
)
SQLITE_SCHEMA = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    'SELECT m.name, f."table" || f."from" || f."to" || f.on_delete FROM sqlite_master m '
    "JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
    'SELECT m.name, u.name || u."unique" || u.origin || u.partial FROM sqlite_master m '
    "JOIN pragma_index_list(m.name) u WHERE m.type = 'table' AND m.name <> 'alembic_version'",
)


def test_times_come_back_aware_and_exact(db: Database) -> None:
    """A time is stored to the microsecond, comes back in UTC, and a naive one is refused."""
    ada = rows.user(db)

    job_id = rows.accepted(db, ada, created_at=after(0.000001))

    found = queries.find(db, job_id).created_at
    assert found == after(0.000001) and str(found.tzinfo) == "UTC"
    with pytest.raises(Exception, match="naive"):
        rows.accepted(db, ada, created_at=NOW.replace(tzinfo=None))


def test_a_copied_file_is_a_whole_database(migrated_file: Path, tmp_path: Path) -> None:
    """A migrated SQLite file that is copied while nobody writes works by itself: nothing stayed in its log."""
    db = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'copy.db')}")

    assert accounts.sign_up(db, "ada", "long enough", request_id="r", now=NOW).is_admin

    db.close()
