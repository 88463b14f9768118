"""Liveness: a file that a process without a port touches while it does its rounds, for a health check from outside."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def show(alive_file: Path | None) -> None:
    """Touch the file that says that this process lives; nothing where none is wanted.

    It says so of this process alone: whether database and broker answer is no matter of its liveness.
    """
    if alive_file is None:
        return
    try:
        alive_file.touch()
    except OSError as error:
        log.warning("cannot touch %s: %s", alive_file, error)
