"""Log lines: one JSON object each, at once in the file of their process or on standard error, and put aside in time."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from folkmoot import logs
from folkmoot.logs import LogFile

#: Tells something, then is gone without a chance to tell more.
KILLED = """
import logging, os, pathlib, signal, sys
from folkmoot import logs
logs.set_up("gateway", "info", pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None)
with logs.about(job_id="j1"):
    logging.getLogger("folkmoot.test").info("höre \\udc80")
    logging.getLogger("folkmoot.test").debug("not this")
sys.stderr.write("by itself\\n")
os.kill(os.getpid(), signal.SIGKILL)
"""


class Counted:
    """What a line is about; knows how often it was written."""

    def __init__(self) -> None:
        self.written = 0

    def __str__(self) -> str:
        """What stands in the line."""
        self.written += 1
        return "counted"


@pytest.fixture
def logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A logger with a file of its own, which is full at a thousand bytes."""
    monkeypatch.setattr(logs, "FILE_BYTES", 1000)
    made = logging.Logger("folkmoot.test")
    made.addHandler(_handler(tmp_path / "x.log"))
    yield made
    made.handlers[0].close()


def _handler(file: Path) -> LogFile:
    handler = LogFile(file)
    handler.setFormatter(logging.Formatter('{"message": "%(message)s"}'))
    return handler


def _numbers(file: Path) -> list[int]:
    return [int(json.loads(line)["message"]) for line in file.read_text().splitlines()]


def _killed(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == -signal.SIGKILL
    return done.stderr


def _is_the_line(line: str) -> bool:
    told: dict[str, Any] = json.loads(line)
    names = ("level", "logger", "message", "process", "job_id")
    return next(iter(told)) == "time" and [told[name] for name in names] == [
        *("INFO", "folkmoot.test", "höre \udc80", "gateway", "j1")
    ]


def test_a_killed_process_has_told_all(tmp_path: Path) -> None:
    """What a process has logged is in its file when SIGKILL ends it; what it says by itself stays on standard error."""
    assert _killed(str(tmp_path / "x.log")) == "by itself\n"

    [line] = (tmp_path / "x.log").read_text().splitlines()
    assert _is_the_line(line)


def test_without_a_file_lines_go_to_standard_error() -> None:
    """A process that is given no file, as in a container, writes to standard error."""
    line, rest = _killed().splitlines()

    assert _is_the_line(line) and rest == "by itself"


def test_a_full_file_is_put_aside(tmp_path: Path, logger: logging.Logger) -> None:
    """Past its size a file becomes `.1`, then `.2`, then goes; lines stay whole and in order, the last in `x.log`."""
    for number in range(200):
        logger.info("%d", number)
        assert _numbers(tmp_path / "x.log")[-1] == number

    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    kept = [number for name in ("x.log.2", "x.log.1", "x.log") for number in _numbers(tmp_path / name)]
    assert kept == list(range(kept[0], 200))
    assert all(1000 <= (tmp_path / name).stat().st_size < 1030 for name in ("x.log.1", "x.log.2"))


def test_the_next_process_goes_on_with_the_file(tmp_path: Path, logger: logging.Logger) -> None:
    """A process that is started again counts what its predecessor has written."""
    for number in range(30):
        logger.info("%d", number)
    successor = logging.Logger("folkmoot.test")
    successor.addHandler(_handler(tmp_path / "x.log"))
    for number in range(30, 60):
        successor.info("%d", number)
    successor.handlers[0].close()

    assert _numbers(tmp_path / "x.log.1") + _numbers(tmp_path / "x.log") == list(range(60))
    assert 1000 <= (tmp_path / "x.log.1").stat().st_size < 1030


def test_a_line_is_written_once(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is formatted once, and nobody looks the file up for it."""
    counted = [Counted() for _ in range(10)]
    monkeypatch.setattr("os.stat", None)
    for each in counted:
        logger.info("%s", each)

    assert {each.written for each in counted} == {1}
