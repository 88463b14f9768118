"""What saturates first as the load grows: a cost model, fed by what was measured and checked against it.

Run as `python -m bench.scaling measure [seconds]` to measure on this machine what one query costs each part, and as
`python -m bench.scaling` to compute the tables of docs/scaling.md from bench/results/scaling_costs.json and
front_sqlite.json. A part's load is its processor time a query times the queries a second; a part of one process and
one thread at a time (Python's, Redis', SQLite's writer) is full at one core, and is planned for at most `FILLED`.
"""

import asyncio
import json
import math
import os
import sqlite3
import sys
import time
from collections import Counter
from typing import Any

from redis import Redis
from sqlalchemy import text

from bench.councils import Folkmoot
from bench.figures import RESULTS, cpu_s, keep, table
from bench.overhead import flood
from bench.stub import Stub
from folkmoot.db import Database
from tests.stack import NO_LIMITS

LOADS = (10, 100, 1_000, 10_000)
#: Queries under way at once while the costs are measured, and then, to check the model, at saturation.
AT_ONCE, SATURATED = 8, 32
#: The share of what it could do at most that a part is planned for: beyond it, waiting grows faster than the load.
FILLED = 0.7
#: Seconds that a model takes to answer, of which each query has two in turn.
MODEL_S = 2.0
#: Reads of a query, or of a page of the history, for each query that is asked.
READS = 3
WORKER_THREADS, STREAMS_A_GATEWAY = 16, 96
#: Transactions that write, for a query of four seats: accepted, four claims and four answers, the claim and the
#: consensus. An analysis has two more.
WRITES = 11
#: Commits a second of one PostgreSQL server on a disk of its own with group commit; assumed, not measured here.
POSTGRES_COMMITS = 10_000
#: Named apart in the tables; all else is what keeps the stack together.
PARTS = ("gateway", "agent", "aggregate", "broker", "nginx")
#: How long `Database.write` is timed.
TURNS_S = 2.0


def main() -> None:
    """Measure, or compute."""
    if sys.argv[1:2] == ["measure"]:
        keep("scaling_costs", _measured(float(sys.argv[2]) if len(sys.argv) > 2 else 15.0))
    costs = json.loads((RESULTS / "scaling_costs.json").read_text())
    front = {row["what"]: row for row in json.loads((RESULTS / "front_sqlite.json").read_text())}
    print(table([_demand(costs, front, load) for load in LOADS]), end="\n\n")
    print(table([_first(costs, front, cores) for cores in (2, 8, 32, 128)]), end="\n\n")
    print(table(_checked(costs)))


def _measured(seconds: float) -> dict[str, Any]:
    """What a query costs: milliseconds of processor by part, commands of Redis, bytes stored; and the rates."""
    settings = {**NO_LIMITS, "FOLKMOOT_ANALYSIS": "false"}
    with Stub() as stub, Folkmoot(stub, settings, seats=3) as folkmoot:
        stub.answer_with(0.0)
        redis = Redis.from_url(folkmoot.stack.redis_url())
        before = _seen(folkmoot, redis)
        rate = asyncio.run(flood(stub, folkmoot, AT_ONCE, seconds)).rate
        after = _seen(folkmoot, redis)
        saturated = asyncio.run(flood(stub, folkmoot, SATURATED, seconds)).rate
        turn_ms = _turn_ms(f"sqlite:///{folkmoot.stack.data / 'folkmoot.db'}")
    count = after["queries"] - before["queries"]
    used = {name: 1000 * (after["cpu"][name] - before["cpu"][name]) / count for name in sorted(after["cpu"])}
    return {
        "ms": used,
        "redis commands": (after["commands"] - before["commands"]) / count,
        "bytes": (after["bytes"] - before["bytes"]) / count,
        "write turn, ms": turn_ms,
        "queries/s": {str(AT_ONCE): rate, str(SATURATED): saturated},
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def _seen(folkmoot: Folkmoot, redis: Redis) -> dict[str, Any]:
    cpu: Counter[str] = Counter()
    for process in folkmoot.stack.processes():
        part = process.name.partition("-")[0].partition(".")[0]
        cpu[part if part in PARTS else "others"] += cpu_s(process.pid)  # type: ignore[assignment]
    info: Any = redis.info("stats")
    with sqlite3.connect(folkmoot.stack.data / "folkmoot.db", timeout=30) as connection:
        queries = connection.execute("SELECT count(*) FROM interactions").fetchone()[0]
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return {"cpu": cpu, "commands": info["total_commands_processed"], "queries": queries, "bytes": pages * size}


def _turn_ms(url: str) -> float:
    """How long one after the other has SQLite for itself: a small transaction, synced to the disk."""
    database, count, ends = Database(url), 0, time.monotonic() + TURNS_S
    while time.monotonic() < ends:
        with database.write() as connection:
            connection.execute(text("UPDATE users SET is_admin = is_admin WHERE username = 'bench0'"))
        count += 1
    database.close()
    return 1000 * TURNS_S / count


def _demand(costs: dict[str, Any], front: dict[str, Any], load: int) -> dict[str, Any]:
    """What so many queries a second take, each with its reads and its stream."""
    ms = costs["ms"]
    read_ms = front["GET a query"]["gateways, ms"] * READS
    query_s = 2 * MODEL_S
    return {
        "queries/s": f"{load:,}",
        "cores in all": load * (sum(ms.values()) + read_ms) / 1000 / FILLED,
        "gateways": max(
            _processes(load * (ms["gateway"] + read_ms)), math.ceil(load * query_s / STREAMS_A_GATEWAY / FILLED)
        ),
        "workers of the panel": max(
            _processes(load * ms["agent"]), math.ceil(load * 3 * MODEL_S / WORKER_THREADS / FILLED)
        ),
        "aggregators": max(_processes(load * ms["aggregate"]), math.ceil(load * MODEL_S / WORKER_THREADS / FILLED)),
        "SQLite's writer, % full": 100 * load * WRITES * costs["write turn, ms"] / 1000,
        "PostgreSQL's commits, % full": 100 * load * WRITES / POSTGRES_COMMITS,
        "one Redis, % full": 100 * load * ms["broker"] / 1000,
        "streams open": load * query_s,
        "GB a day": load * 86_400 * costs["bytes"] / 1e9,
    }


def _processes(ms_a_second: float) -> int:
    return max(1, math.ceil(ms_a_second / 1000 / FILLED))


def _first(costs: dict[str, Any], front: dict[str, Any], cores: int) -> dict[str, Any]:
    """The queries a second at which each thing there is one of is full, on one machine of so many cores."""
    ms = costs["ms"]
    all_ms = sum(ms.values()) + front["GET a query"]["gateways, ms"] * READS
    full = {
        "its cores": cores * 1000 / all_ms,
        "SQLite's writer": 1000 / WRITES / costs["write turn, ms"],
        "one Redis": 1000 / ms["broker"],
        "PostgreSQL's commits": POSTGRES_COMMITS / WRITES,
        "one process of a seat": 3 * 1000 / ms["agent"],
        "one aggregator": 1000 / ms["aggregate"],
        "two gateways": 2 * 1000 / (ms["gateway"] + front["GET a query"]["gateways, ms"] * READS),
    }
    order = sorted(full, key=lambda name: full[name])
    return {"cores": cores, "first, second and third to be full, at queries/s": _told(full, order[:3])}


def _told(full: dict[str, float], names: list[str]) -> str:
    return "; ".join(f"{name} at {full[name]:,.0f}" for name in names)


def _checked(costs: dict[str, Any]) -> list[dict[str, Any]]:
    """What the model says of the machine that was measured, beside what was measured: no reads, no waiting models."""
    # The stub, the load generator and whatever else ran had their share of the cores.
    said = min(costs["cores"] * 1000 / sum(costs["ms"].values()), 1000 / WRITES / costs["write turn, ms"])
    return [
        {"in flight": at_once, "measured, queries/s": rate, "the model's most": said, "share": rate / said}
        for at_once, rate in costs["queries/s"].items()
    ]


if __name__ == "__main__":
    main()
