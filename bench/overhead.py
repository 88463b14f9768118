"""What asking costs beyond the models' own time, beside a bare fan-out and a peer, in one run.

Run as `python -m bench.overhead [--rounds 3] [--seconds 20] [--database sqlite|postgresql] [--no-peer]
[--no-analysis]`; prints a table, and writes it to bench/results/overhead_<database>.json. Each round measures every
council in turn, with one query at a time and with 32 in flight, at models that take 0, 50 and 200 ms; what is told are
medians over the rounds. A query's time is from its submission to the whole consensus in the client's hand; its overhead
is what is left of it after twice the models' delay, since the aggregator can only begin when the panel is done.
"""

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from bench.councils import Council, Floor, Folkmoot
from bench.databases import DATABASES, database
from bench.figures import keep, percentile, table
from bench.peer import Peer
from bench.stub import Stub

DELAYS_S = (0.0, 0.05, 0.2)
IN_FLIGHT = (1, 32)
WARM_UP = 10
#: With no delay nothing but the machine bounds the rate: this is where it is at saturation.
STAGES = 2


class Measured(NamedTuple):
    """One council at one load: seconds of each query, queries a second, and the stub's idle share of a core."""

    seconds: list[float]
    rate: float
    idle: float


def main() -> None:
    """Measure every council at every load, and show the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--no-analysis", action="store_true")
    options = parser.parse_args()
    analysis = {"FOLKMOOT_ANALYSIS": str(not options.no_analysis).lower()}
    with ExitStack() as running:
        stub = running.enter_context(Stub())
        settings = running.enter_context(database(options.database)) | analysis
        councils: list[Council] = [Floor(stub), running.enter_context(Folkmoot(stub, settings))]
        if not options.no_peer:
            councils.append(running.enter_context(Peer(stub)))
        rounds = [list(_round(stub, councils, options.seconds)) for _ in range(options.rounds)]
    rows = [_row(same) for same in zip(*rounds, strict=True)]
    print(table(rows))
    keep(f"overhead_{options.database}", rows)


def _round(stub: Stub, councils: Sequence[Council], seconds: float) -> Iterator[tuple[Council, float, int, Measured]]:
    for delay_s, in_flight, council in itertools.product(DELAYS_S, IN_FLIGHT, councils):
        measured = measure(stub, council, delay_s, in_flight, seconds)
        if isinstance(council, Folkmoot):
            council.drain()
        yield council, delay_s, in_flight, measured


def measure(stub: Stub, council: Council, delay_s: float, in_flight: int, seconds: float) -> Measured:
    """Ask for so many seconds, so many at once, with nothing left over from before."""
    stub.answer_with(delay_s)
    return asyncio.run(flood(stub, council, in_flight, seconds))


_numbers = itertools.count()


async def flood(stub: Stub, council: Council, in_flight: int, seconds: float) -> Measured:
    """Ask for so many seconds, so many at once, after some that do not count."""
    async with council.session() as session:

        async def ask_until(ends: float) -> list[float]:
            times = []
            while time.perf_counter() < ends:
                times.append(await council.ask(session, next(_numbers)))
            return times

        await asyncio.gather(*(council.ask(session, next(_numbers)) for _ in range(max(WARM_UP, in_flight))))
        began = time.perf_counter()
        askers = await asyncio.gather(*(ask_until(began + seconds) for _ in range(in_flight)))
        passed_s = time.perf_counter() - began
    times = [one for asker in askers for one in asker]
    return Measured(times, len(times) / passed_s, stub.usage()["idle"])


def _row(same: Sequence[tuple[Council, float, int, Measured]]) -> dict[str, Any]:
    council, delay_s, in_flight, _ = same[0]
    measured = [one for *_, one in same]

    def overhead_ms(share: float) -> float:
        return statistics.median(1000 * (percentile(one.seconds, share) - STAGES * delay_s) for one in measured)

    return {
        "council": council.name,
        "models, ms": round(1000 * delay_s),
        "in flight": in_flight,
        "overhead p50, ms": overhead_ms(0.5),
        "p95, ms": overhead_ms(0.95),
        "queries/s": statistics.median(one.rate for one in measured),
        "queries": sum(len(one.seconds) for one in measured),
        "stub idle": statistics.median(one.idle for one in measured),
    }


if __name__ == "__main__":
    main()
