"""What each process takes when nothing happens, and how long a start takes.

Run as `python -m bench.footprint [settle_s]`; prints a table, and writes it to bench/results/footprint.json. Memory is
the proportional set size, so that pages which processes share are counted once in the sum; the scripted models are no
part of it. The start that is timed is the second one, on data that are there, to `/readyz`.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.councils import Folkmoot
from bench.figures import cpu_s, keep, table
from bench.stub import Stub

#: Until models are loaded and caches warm.
SETTLE_S = 30.0
IDLE_S = 20.0


def main() -> None:
    """Start twice, wait, and show."""
    settle_s = float(sys.argv[1]) if len(sys.argv) > 1 else SETTLE_S
    with Stub() as stub, Folkmoot(stub) as folkmoot:
        folkmoot.stack.stop()
        began = time.monotonic()
        folkmoot.stack.start()
        start_s = time.monotonic() - began
        time.sleep(settle_s)
        pids: dict[str, list[int]] = defaultdict(list)
        for process in folkmoot.stack.processes():
            pids[process.name].append(process.pid)
        before = {name: sum(map(cpu_s, found)) for name, found in pids.items()}
        time.sleep(IDLE_S)
        rows = [_row(name, pids[name], before[name]) for name in sorted(pids)]
    rows.append(
        {
            "process": "together",
            "MB": sum(row["MB"] for row in rows),
            "to start, s of one core": sum(row["to start, s of one core"] for row in rows),
            "idle, % of one core": sum(row["idle, % of one core"] for row in rows),
        }
    )
    print(table(rows))
    print(f"from `make up` to ready, the second time: {start_s:.1f} s")
    keep("footprint", {"start_s": start_s, "processes": rows})


def _row(name: str, pids: list[int], before_s: float) -> dict[str, Any]:
    return {
        "process": name,
        "MB": sum(map(_pss_kb, pids)) / 1000,
        "to start, s of one core": before_s,
        "idle, % of one core": 100 * (sum(map(cpu_s, pids)) - before_s) / IDLE_S,
    }


def _pss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no Pss of {pid}")


if __name__ == "__main__":
    main()
