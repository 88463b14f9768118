"""Runs the migrations on the database that the settings name."""

from alembic import context

from folkmoot import settings
from folkmoot.db import Database
from folkmoot.models import Base


def run() -> None:
    """Migrate in one transaction, with tables rebuilt where SQLite cannot alter them in place."""
    database = Database(context.config.attributes.get("database_url") or settings.load().database_url)
    with database.write() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            transactional_ddl=True,
        )
        context.run_migrations()
    database.close()


run()
