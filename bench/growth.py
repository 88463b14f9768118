"""How the overhead grows: with seats, with the history, with a worker's threads, and with the length of responses.

Run as `python -m bench.growth [seats|history|threads|length ...] [--seconds 10] [--most-rows 1000000]`; all four unless
some are named. Prints a table each, writes them to bench/results/growth.json beside those that were measured before,
and draws docs/images/growth.svg of what is there. Models take 200 ms; one query at a time, for threads 32 in flight.
"""

import argparse
import json
import sqlite3
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.councils import Folkmoot
from bench.figures import RESULTS, keep, percentile, table
from bench.overhead import STAGES, measure
from bench.stub import Stub
from tests.stack import ROOT

DELAY_S = 0.2
PICTURE = ROOT / "docs" / "images" / "growth.svg"
SEATS = (2, 4, 8, 16)
ROWS = (1_000, 10_000, 100_000, 1_000_000)
THREADS = (1, 2, 4, 8)
WORDS = (100, 1_000, 5_000, 20_000)
QUIET = {"FOLKMOOT_ANALYSIS": "false"}
#: Responses of a stored query: four seats and the consensus.
PANEL = 5


def main() -> None:
    """Measure the curves that are named, and draw."""
    curves: dict[str, Callable[[float, int], Iterator[dict[str, Any]]]] = {
        "seats": _seats,
        "history": _history,
        "threads": _threads,
        "length": _length,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", nargs="*", choices=[*curves, []], default=[])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--most-rows", type=int, default=ROWS[-1])
    options = parser.parse_args()
    before = RESULTS / "growth.json"
    measured = json.loads(before.read_text()) if before.exists() else {}
    for name in options.curves or curves:
        measured[name] = list(curves[name](options.seconds, options.most_rows))
        print(f"{name}\n\n{table(measured[name])}\n")
    keep("growth", measured)
    _draw(measured)


def _row(size: dict[str, Any], stub: Stub, folkmoot: Folkmoot, seconds: float, in_flight: int = 1) -> dict[str, Any]:
    measured = measure(stub, folkmoot, DELAY_S, in_flight, seconds)
    over_ms = [1000 * (one - STAGES * DELAY_S) for one in measured.seconds]
    return {
        **size,
        "overhead p50, ms": statistics.median(over_ms),
        "p95, ms": percentile(over_ms, 0.95),
        "queries/s": measured.rate,
    }


def _seats(seconds: float, _most: int) -> Iterator[dict[str, Any]]:
    for seats in SEATS:
        # The one that concludes is asked nothing else.
        with Stub() as stub, Folkmoot(stub, QUIET, seats=seats) as folkmoot:
            yield _row({"seats asked": seats}, stub, folkmoot, seconds)


def _threads(seconds: float, _most: int) -> Iterator[dict[str, Any]]:
    for threads in THREADS:
        with Stub() as stub, Folkmoot(stub, {**QUIET, "FOLKMOOT_WORKER_THREADS": str(threads)}) as folkmoot:
            yield _row({"threads a pool": threads}, stub, folkmoot, seconds, in_flight=32)


def _length(seconds: float, _most: int) -> Iterator[dict[str, Any]]:
    with Stub() as stub, Folkmoot(stub, QUIET) as folkmoot:
        for words in WORDS:
            stub.words = words
            yield _row({"words a response": words}, stub, folkmoot, seconds)


def _history(seconds: float, most: int) -> Iterator[dict[str, Any]]:
    with Stub() as stub, Folkmoot(stub, QUIET) as folkmoot:
        stored = 0
        for rows in (one for one in ROWS if one <= most):
            _fill(folkmoot.stack.data / "folkmoot.db", rows - stored)
            stored = rows
            yield _row({"queries stored": rows}, stub, folkmoot, seconds) | {
                "first page, ms": _page_ms(folkmoot),
                "search, ms": _page_ms(folkmoot, q="the last of all"),
            }


def _page_ms(folkmoot: Folkmoot, **parameters: str) -> float:
    """The median time of a page of the history of whoever has all of it."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        folkmoot.clients[0].history(limit=20, **parameters)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _fill(path: Path, count: int) -> None:
    """Store so many queries of the first user as if they had ended long ago."""
    with sqlite3.connect(path, timeout=60) as connection:
        (user_id,) = connection.execute("SELECT id FROM users WHERE username = 'bench0'").fetchone()
        at = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
        for first in range(0, count, 10_000):
            jobs = [str(uuid.uuid4()) for _ in range(min(10_000, count - first))]
            connection.executemany(QUERY, ((job, user_id, job, at, at, at, at) for job in jobs))
            connection.executemany(
                RESPONSE,
                (
                    (job, f"seat{seat % (PANEL - 1) + 1}", seat == PANEL - 1, at, at)
                    for job in jobs
                    for seat in range(PANEL)
                ),
            )
            connection.commit()


QUERY = """
INSERT INTO interactions (job_id, user_id, query, domain, question_type, status, quorum, aggregator_requested,
    aggregator_used, idempotency_key, request_hash, fence, notes, created_at, ask_deadline_at, deadline_at, finished_at)
VALUES (?, ?, 'Should voting be compulsory?', 'General', 'Open-ended', 'done', 2, 'seat1', 'seat1', ?, '', 1, '[]',
    ?, ?, ?, ?)
"""
RESPONSE = """
INSERT INTO responses (job_id, agent_id, is_aggregator, role, model, status, text, cached, attempts, created_at,
    finished_at)
VALUES (?, ?, ?, 'None', 'stub', 'ok', 'Compulsory voting raises turnout.', 0, 1, ?, ?)
"""


def _draw(measured: dict[str, list[dict[str, Any]]]) -> None:
    """One panel a curve, overhead over size."""
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    for number, (name, rows) in enumerate(sorted(measured.items()), start=1):
        axes = figure.add_subplot(1, len(measured), number)
        sizes = [row[next(iter(row))] for row in rows]
        for column, style in (("overhead p50, ms", "o-"), ("p95, ms", "s--")):
            axes.plot(sizes, [row[column] for row in rows], style, label=column.removeprefix("overhead "))
        axes.set_xscale("log")
        axes.set_xticks(sizes, [_short(size) for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(0, 1.1 * max(row["p95, ms"] for row in rows))
        axes.set_xlabel(next(iter(rows[0])))
        axes.set_title(f"overhead, ms, by {name}", fontsize=9)
        axes.legend(frameon=False, fontsize=8)
    FigureCanvasSVG(figure).print_figure(str(PICTURE), format="svg")


def _short(size: int) -> str:
    """A size in thousands or millions where it is round, so that four stand beside each other."""
    for unit, sign in ((1_000_000, " M"), (1_000, " k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{sign}"
    return str(size)


if __name__ == "__main__":
    main()
