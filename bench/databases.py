"""The databases that benches run on: a SQLite file, or a PostgreSQL server of the bench's own, both as they come."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.store.servers import Postgres, postgres_binaries

DATABASES = ("sqlite", "postgresql")


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """The settings that name a new, empty database of this kind."""
    if kind == "sqlite":
        yield {}
        return
    with Postgres(postgres_binaries(), fsync=True) as server, server.database() as url:
        yield {"FOLKMOOT_DATABASE_URL": url}
