"""All rows of one database come into another, whole, and only if that is empty."""

import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from folkmoot.db import Database
from folkmoot.models import User
from migrations.move import main
from tests.store import rows


def test_rows_come_along(
    url: str, db: Database, migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are the same on the other side, ids are counted on from theirs, and a second copy is refused."""
    old = f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'old.db')}"
    source = Database(old)
    ids = [rows.user(source, name) for name in ("ada", "grace", "edsger")]
    with source.read() as connection:
        users = connection.execute(select(User.__table__).order_by(User.id)).all()
    source.close()
    monkeypatch.setenv("FOLKMOOT_DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["move", old])

    assert main() == 0

    with db.read() as connection:
        assert connection.execute(select(User.__table__).order_by(User.id)).all() == users
    assert rows.user(db, "alan") == max(ids) + 1
    assert main() == 1
