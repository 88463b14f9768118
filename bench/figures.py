"""What benches share: percentiles, a table on the terminal, and a file of results."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
TICKS = os.sysconf("SC_CLK_TCK")


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least this share of all do not exceed (nearest rank).

    Raises:
        ValueError: there is no sample.
    """
    if not samples:
        raise ValueError("a percentile needs a sample")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows under the names of the first one's columns, as Markdown reads it too."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([_cell(row[column]) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def keep(name: str, result: Any) -> None:
    """Write a bench's result to bench/results."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def cpu_s(pid: int) -> float:
    """The processor time that a living process has taken since it started, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
    return "" if value is None else str(value)
