"""What the front bears: reads and durable accepts a second through nginx, and how soon an event is with its reader.

Run as `python -m bench.front [--seconds 10] [--database sqlite|postgresql]`, with wrk on the PATH (Debian's package
`wrk`); prints a table, and writes it to bench/results/front_<database>.json. Accepts are measured twice: with the
pools of the seats stopped, so that nothing but accepting takes the processors, and with everything at work.
"""

import argparse
import asyncio
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from bench.councils import SEATS, Folkmoot
from bench.databases import DATABASES, database
from bench.figures import keep, percentile, table
from bench.stub import Stub
from tests.stack import NO_LIMITS, eventually

CONNECTIONS = 16
#: Each request is another query: a body that came before with its key would be answered without being accepted.
POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local number = 0
request = function()
  number = number + 1
  local body = string.format('{"query": "Question %d of RUN: should voting be compulsory?"}', number)
  return wrk.format(nil, nil, nil, body)
end
"""
LATENCY = re.compile(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def main() -> None:
    """Measure, and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not on the PATH. On Debian: apt-get install wrk.")
    # Accepting thousands from one user within seconds is what limits are for; they are off here alone.
    own = {**NO_LIMITS, "FOLKMOOT_ANALYSIS": "false"}
    with Stub() as stub, database(options.database) as settings, Folkmoot(stub, {**settings, **own}) as folkmoot:
        rows = [*_rows(folkmoot, options.seconds), _event_latency(stub, folkmoot)]
    print(table(rows))
    keep(f"front_{options.database}", rows)


def _rows(folkmoot: Folkmoot, seconds: int) -> Iterator[dict[str, Any]]:
    client = folkmoot.clients[0]
    job_id = client.ask()["job_id"]
    client.wait_done(job_id)
    yield _wrk(folkmoot, "GET a query", f"/api/v1/queries/{job_id}", seconds)
    yield _wrk(folkmoot, "GET the history", "/api/v1/queries?limit=20", seconds)
    with _stopped(folkmoot):
        yield _wrk(folkmoot, "POST a query, pools stopped", "/api/v1/queries", seconds, post=True)
    eventually(lambda: folkmoot.open_queries() == 0, 300, "what was accepted is done")
    yield _wrk(folkmoot, "POST a query, all at work", "/api/v1/queries", seconds, post=True)
    eventually(lambda: folkmoot.open_queries() == 0, 300, "what was accepted is done")


@contextmanager
def _stopped(folkmoot: Folkmoot) -> Iterator[None]:
    pools = [f"agent.{seat}" for seat in SEATS] + ["aggregate"]
    for pool in pools:
        folkmoot.stack.signal(pool, signal.SIGSTOP)
    try:
        yield
    finally:
        for pool in pools:
            folkmoot.stack.signal(pool, signal.SIGCONT)


def _wrk(folkmoot: Folkmoot, what: str, path: str, seconds: int, *, post: bool = False) -> dict[str, Any]:
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    command += ["-H", f"Authorization: Bearer {folkmoot.clients[0].token}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if post:
            script.write(POST.replace("RUN", str(time.time_ns())))
            script.flush()
            command += ["-s", script.name]
        told = subprocess.run([*command, folkmoot.stack.url + path], check=True, capture_output=True, text=True).stdout
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", told))
    shares = {int(share): float(figure) * IN_MS[unit] for share, figure, unit in LATENCY.findall(told)}
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    return {
        "what": what,
        "a second": rate,
        "p50, ms": shares[50],
        "p90, ms": shares[90],
        "p99, ms": shares[99],
        "refused": int(refused.group(1)) if refused else 0,
    }


def _found(pattern: str, told: str) -> str:
    match = re.search(pattern, told)
    assert match is not None, told
    return match.group(1)


def _event_latency(stub: Stub, folkmoot: Folkmoot, queries: int = 20) -> dict[str, Any]:
    """From the moment the model says a piece to the moment its delta is with the reader; one query at a time."""
    stub.answer_with(0.05, words=100, stamped=True)
    late_ms = [1000 * one for _ in range(queries) for one in asyncio.run(_late(folkmoot))]
    stub.answer_with(0.0)
    return {
        "what": "a piece from the model to the reader",
        "a second": None,
        "p50, ms": statistics.median(late_ms),
        "p90, ms": percentile(late_ms, 0.9),
        "p99, ms": percentile(late_ms, 0.99),
        "refused": 0,
    }


async def _late(folkmoot: Folkmoot) -> list[float]:
    headers = {"Authorization": f"Bearer {folkmoot.clients[0].token}"}
    queries = f"{folkmoot.stack.url}/api/v1/queries"
    late: list[float] = []
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(queries, json={"query": f"Question {time.time_ns()}: is this soon?"}) as accepted:
            job_id = (await accepted.json())["job_id"]
        async with session.get(f"{queries}/{job_id}/events") as stream:
            async for line in stream.content:
                came = time.time()
                if line.startswith(b"event: "):
                    event = line[7:].strip()
                elif line.startswith(b"data: ") and event == b"response.delta":
                    # Of pieces that came together the oldest counts.
                    late.append(came - float(re.findall(rb"at (\d+\.\d+)", line)[0]))
                elif line == b"\n" and event == b"end":
                    break
    return late


if __name__ == "__main__":
    main()
