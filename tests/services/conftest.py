"""Starts workers for whatever settings a module has."""

import os
from pathlib import Path

import pytest

from folkmoot.settings import Settings
from tests.services.worker import StartWorker, Worker


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> StartWorker:
    """Starts workers; each ends with its `with`."""
    inherited = {name: "" for name in os.environ if name.startswith("FOLKMOOT_")}
    own = {f"FOLKMOOT_{name.upper()}": str(getattr(settings, name)) for name in settings.model_fields_set}
    count = iter(range(100))

    def make(*program: str) -> Worker:
        return Worker(
            {**inherited, **own}, tmp_path / f"worker-{next(count)}.log", program or ("-m", "services.worker")
        )

    return make
