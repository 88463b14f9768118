"""How long writers of one SQLite file wait, with and without turns: decision 7.

Run as `python -m bench.sqlite_turns [seconds] [busy]`; nine processes of eight threads write, `busy` others burn time.
Prints a table, and writes it to bench/results/sqlite_turns.json.
"""

import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from multiprocessing.queues import Queue
from pathlib import Path

from sqlalchemy import text

from folkmoot.db import Database

RESULTS = Path(__file__).with_name("results")
PROCESSES, THREADS, ROWS = 9, 8, 100
#: A thread pauses for up to twice this long between two transactions.
PAUSE_S = 0.15


def main() -> None:
    """Measure both ways, one after the other."""
    seconds, busy = [float(word) for word in sys.argv[1:3]] + [12.0, 0.0][len(sys.argv) - 1 :]
    rows = {kind: _measured(kind == "with turns", seconds, int(busy)) for kind in ("without turns", "with turns")}
    for kind, row in rows.items():
        print(f"{kind:14}", *(f"{name} {value:9.1f}" for name, value in row.items()))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sqlite_turns.json").write_text(json.dumps(rows, indent=2) + "\n")


def _measured(has_turns: bool, seconds: float, busy: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        db = Database(url)
        with db.write() as connection:
            connection.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER, body TEXT)"))
            for number in range(ROWS):
                connection.execute(text("INSERT INTO rows VALUES (:id, 0, '')"), {"id": number})
        db.close()
        took: Queue[list[float]] = multiprocessing.Queue()
        ends = time.time() + seconds
        writers = [multiprocessing.Process(target=_write, args=(url, has_turns, ends, took)) for _ in range(PROCESSES)]
        burners = [multiprocessing.Process(target=_burn, args=(ends,)) for _ in range(busy)]
        for process in (*writers, *burners):
            process.start()
        ms = sorted(one for _ in writers for one in took.get())
        for process in (*writers, *burners):
            process.join()
    return {
        "per s": len(ms) / seconds,
        "p50 ms": ms[len(ms) // 2],
        "p99 ms": ms[len(ms) * 99 // 100],
        "longest ms": ms[-1],
    }


def _write(url: str, has_turns: bool, ends: float, took: "Queue[list[float]]") -> None:
    db, ms = Database(url), list[float]()
    if not has_turns:
        db._turn = None

    def work() -> None:
        while time.time() < ends:
            time.sleep(random.uniform(0, 2 * PAUSE_S))
            began = time.perf_counter()
            with db.write() as connection:
                connection.execute(text("SELECT n FROM rows WHERE id = :id"), {"id": random.randrange(ROWS)}).all()
                for _ in range(3):
                    change = {"id": random.randrange(ROWS), "body": "x" * 1500}
                    connection.execute(text("UPDATE rows SET n = n + 1, body = :body WHERE id = :id"), change)
            ms.append(1000 * (time.perf_counter() - began))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took.put(ms)


def _burn(ends: float) -> None:
    while time.time() < ends:
        sum(range(10_000))


if __name__ == "__main__":
    main()
