"""Where the time goes at saturation: a sampling profile of a gateway, a seat's worker and the aggregator.

Run as root, `python -m bench.profile [seconds]`; writes each process' samples to bench/results/profile_<process>.txt,
folded as flame graphs take them, and prints what takes the largest shares of its busy time: by function with all that
it calls, within Folkmoot's own code first, and then anywhere.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench.councils import Folkmoot
from bench.figures import RESULTS
from bench.overhead import flood
from bench.peer import ENVIRONMENT, install
from bench.stub import Stub

PROCESSES = ("gateway-1", "agent.seat2", "aggregate")
IN_FLIGHT = 32
SAMPLES_A_SECOND = 200
SHOWN = 20
OURS = ("folkmoot/", "services/")


def main() -> None:
    """Flood the stack while the profiler looks, and show."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    install()
    RESULTS.mkdir(exist_ok=True)
    with Stub() as stub, Folkmoot(stub, {"FOLKMOOT_ANALYSIS": "false"}) as folkmoot:
        stub.answer_with(0.0)
        asyncio.run(flood(stub, folkmoot, IN_FLIGHT, 3))
        spies = [_spy(folkmoot, process, seconds) for process in PROCESSES]
        measured = asyncio.run(flood(stub, folkmoot, IN_FLIGHT, seconds))
        for spy in spies:
            spy.wait()
    print(f"{measured.rate:.1f} queries/s while the profiler looked")
    for process in PROCESSES:
        _show(process, _file(process).read_text(encoding="utf-8"))


def _file(process: str) -> Path:
    return RESULTS / f"profile_{process}.txt"


def _spy(folkmoot: Folkmoot, process: str, seconds: int) -> subprocess.Popen[bytes]:
    # Of a gateway the process that answers, not the one that watches it.
    pid = max(one.pid for one in folkmoot.stack.processes(process))
    options = ["--duration", str(seconds), "--rate", str(SAMPLES_A_SECOND), "--format", "raw", "--gil", "--nonblocking"]
    program = str(ENVIRONMENT / "bin" / "py-spy")
    command = [program, "record", "--pid", str(pid), "--output", str(_file(process)), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _show(process: str, folded: str) -> None:
    inclusive: Counter[str] = Counter()
    total = 0
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        total += int(samples)
        inclusive.update(dict.fromkeys(stack.split(";"), int(samples)))
    print(f"\n{process}: {total} samples")
    ours = [one for one in inclusive.most_common() if any(part in one[0] for part in OURS)]
    others = [one for one in inclusive.most_common() if not any(part in one[0] for part in OURS)]
    for frames in (ours[:SHOWN], others[:SHOWN]):
        for frame, count in frames:
            print(f"{100 * count / total:5.1f} %  {frame}")
        print()


if __name__ == "__main__":
    main()
