"""Log lines: a JSON object each, the time first, with the request and the job that it is about."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from logging.config import dictConfig
from types import MappingProxyType
from typing import Any

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


def set_up(process: str, level: str) -> None:
    """Write the lines of this process, from this level on, to standard error."""
    # None of these stands in a line, and to find them out takes as long as to write it (the manual of `logging`).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    dictConfig(configuration(process, level))


def configuration(process: str, level: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes: lines of this process, from this level on, to standard error."""
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
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["subject"]}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }
