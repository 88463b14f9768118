"""Log lines: a JSON object each, the time first, with the request and the job that it is about."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import TextIOWrapper
from logging.config import dictConfig
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import MappingProxyType
from typing import Any

#: A log that a process writes by itself is put aside at this size, in bytes, and so many of these are kept.
FILE_BYTES = 5 * 1024 * 1024
OLD_FILES = 2

#: What the lines of this thread are about now: `request_id`, `job_id`, `agent_id`.
_subject: ContextVar[Mapping[str, str]] = ContextVar("subject", default=MappingProxyType({}))


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Have these ids in every line that is written inside; calls that begin inside take them along."""
    token = _subject.set(_named(_subject.get(), ids))
    try:
        yield
    finally:
        _subject.reset(token)


def begin(**ids: str | None) -> None:
    """Have these ids, and no others, in every line of this thread from now on."""
    _subject.set(_named({}, ids))


def add(**ids: str | None) -> None:
    """Have these ids too in every line that follows, until what is around ends."""
    _subject.set(_named(_subject.get(), ids))


def _named(known: Mapping[str, str], ids: Mapping[str, str | None]) -> Mapping[str, str]:
    return {**known, **{name: value for name, value in ids.items() if value}}


class Subject(logging.Filter):
    """Puts on each record what it is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass."""
        record.__dict__.update(_subject.get())
        return True


class LogFile(RotatingFileHandler):
    """A log of one process alone: each line is in the file before the process goes on, and no kill takes it back."""

    _bytes: int

    def __init__(self, file: Path) -> None:
        """Go on with this file."""
        super().__init__(file, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        self._bytes = stream.tell()
        return stream

    def format(self, record: logging.LogRecord) -> str:
        """The line, which is counted."""
        line = super().format(record)
        # Of one byte are all its characters: JSON escapes the others.
        self._bytes += len(line) + len(self.terminator)
        return line

    def shouldRollover(self, _record: logging.LogRecord) -> bool:  # noqa: N802 # the library's name
        """Whether the file is full; to find out, the library would format each record a second time."""
        return self._bytes >= self.maxBytes


def set_up(process: str, level: str, file: Path | None = None) -> None:
    """Write the lines of this process, from this level on, to a file of its own, or else to standard error."""
    # None of these stands in a line, and to find them out takes as long as to write it (the manual of `logging`).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    dictConfig(configuration(process, level, file))


def configuration(process: str, level: str, file: Path | None = None) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes: lines of this process, from this level on, to that file or to stderr."""
    handler = {"()": LogFile, "file": file} if file else {"class": "logging.StreamHandler"}
    line = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        # A field stands where it was first named: lines sort by their time.
        "defaults": {"time": ""},
        "timestamp": "time",
        "fmt": ["levelname", "name", "message"],
        "rename_fields": {"levelname": "level", "name": "logger"},
        "static_fields": {"process": process},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "filters": {"subject": {"()": Subject}},
        "handlers": {"lines": {**handler, "formatter": "line", "filters": ["subject"]}},
        "root": {"level": level.upper(), "handlers": ["lines"]},
    }
