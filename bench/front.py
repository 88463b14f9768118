"""What the front bears: reads and durable accepts a second through nginx, and how soon an event is with its reader.

Run as `python -m bench.front [--seconds 10] [--database sqlite|postgresql]`, with wrk on the PATH (Debian's package
`wrk`); prints a table, and writes it to bench/results/front_<database>.json. Reads are measured beside a bare Flask
handler behind the same nginx, in the same minute. Accepts are measured twice: with the pools of the seats stopped, so
that nothing but accepting takes the processors, and with everything at work. Processor time is per request, of the
gateways and of all other parts.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp

from bench.bare import Bare
from bench.councils import SEATS, Folkmoot
from bench.databases import DATABASES, database
from bench.figures import cpu_s, keep, percentile, table
from bench.stub import Stub
from tests.stack import NO_LIMITS, eventually

CONNECTIONS = 16
#: As many as make nginx, which goes by the job's id, ask both gateways about alike.
JOBS = 16
PERCENTILES = (50, 95, 99)
GET = """
local paths, number = {PATHS}, 0
request = function()
  number = number + 1
  return wrk.format("GET", paths[number % #paths + 1])
end
"""
#: Each request is another query: a body that came before with its key would be answered without being accepted. Each
#: of wrk's threads counts for itself.
POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local threads = 0
setup = function(thread)
  thread:set("mine", threads)
  threads = threads + 1
end
local number = 0
request = function()
  number = number + 1
  local body = string.format('{"query": "Question %d.%d of RUN: should voting be compulsory?"}', mine, number)
  return wrk.format(nil, nil, nil, body)
end
"""
DONE = r"""
done = function(summary, latency, requests)
  for _, share in ipairs({SHARES}) do
    io.write(string.format("p%d %.3f\n", share, latency:percentile(share) / 1000))
  end
  io.write(string.format("requests %d\nseconds %.6f\nrefused %d\n", summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.read + summary.errors.timeout))
end
"""


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
    jobs = [client.ask(query=f"Question {number}: should voting be compulsory?")["job_id"] for number in range(JOBS)]
    paths = [f"/api/v1/queries/{job_id}" for job_id in jobs]
    for job_id in jobs:
        client.wait_done(job_id)
    with Bare() as bare:
        yield _wrk(folkmoot, "GET, a bare Flask handler", _get(paths), seconds, url=bare.url)
        yield _wrk(folkmoot, "GET a query", _get(paths), seconds)
    yield _wrk(folkmoot, "GET the history", _get(["/api/v1/queries?limit=20"]), seconds)
    post = POST.replace("RUN", str(time.time_ns()))
    with _stopped(folkmoot):
        yield _wrk(folkmoot, "POST a query, pools stopped", post, seconds)
    eventually(lambda: folkmoot.open_queries() == 0, 600, "what was accepted is done")
    yield _wrk(folkmoot, "POST a query, all at work", post.replace("Question", "Request"), seconds)
    eventually(lambda: folkmoot.open_queries() == 0, 600, "what was accepted is done")


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


def _get(paths: Sequence[str]) -> str:
    return GET.replace("PATHS", ", ".join(f'"{path}"' for path in paths))


def _wrk(folkmoot: Folkmoot, what: str, script: str, seconds: int, *, url: str | None = None) -> dict[str, Any]:
    """A row of what wrk found with this script; `url` where it asks something else than Folkmoot."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s"]
    token = ["-H", f"Authorization: Bearer {folkmoot.clients[0].token}"]
    target = (url or folkmoot.stack.url) + ("/api/v1/queries" if "POST" in script else "")
    before = _used_s(folkmoot)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + DONE.replace("SHARES", ", ".join(map(str, PERCENTILES))))
        file.flush()
        told = subprocess.run([*command, file.name, *token, target], check=True, capture_output=True, text=True).stdout
    gateways_s, others_s = (after - began for after, began in zip(_used_s(folkmoot), before, strict=True))
    figure = {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", told, re.MULTILINE)}
    return {
        "what": what,
        "a second": figure["requests"] / figure["seconds"],
        **{f"p{share}, ms": figure[f"p{share}"] for share in PERCENTILES},
        "refused": int(figure["refused"]),
        "gateways, ms": None if url else 1000 * gateways_s / figure["requests"],
        "other parts, ms": None if url else 1000 * others_s / figure["requests"],
        "load": os.getloadavg()[0],
    }


def _used_s(folkmoot: Folkmoot) -> tuple[float, float]:
    """The processor time that the gateways have taken so far, and that of all else that runs."""
    gateways = [process.pid for process in folkmoot.stack.processes() if "gunicorn" in process.command]
    others = [process.pid for process in folkmoot.stack.processes() if process.pid not in gateways]
    return sum(map(cpu_s, gateways)), sum(map(cpu_s, others))


def _event_latency(stub: Stub, folkmoot: Folkmoot, queries: int = 20) -> dict[str, Any]:
    """From the moment the model says a piece to the moment its delta is with the reader; one query at a time."""
    stub.answer_with(0.05, words=100, stamped=True)
    late_ms = [1000 * one for _ in range(queries) for one in asyncio.run(_late(folkmoot))]
    stub.answer_with(0.0)
    return {
        "what": "a piece from the model to the reader",
        "a second": None,
        "p50, ms": statistics.median(late_ms),
        "p95, ms": percentile(late_ms, 0.95),
        "p99, ms": percentile(late_ms, 0.99),
        "refused": 0,
        "gateways, ms": None,
        "other parts, ms": None,
        "load": os.getloadavg()[0],
    }


async def _late(folkmoot: Folkmoot) -> list[float]:
    headers = {"Authorization": f"Bearer {folkmoot.clients[0].token}"}
    queries = f"{folkmoot.stack.url}/api/v1/queries"
    late: list[float] = []
    event = b""
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
