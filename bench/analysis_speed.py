"""How long the analysis of four responses of 150 words, their votes and the charts take, warm, and how much memory.

Run as `python -m bench.analysis_speed [rounds, 20]` on an idle machine. Wall time is what a user waits; the process'
own time on the cores says more on a machine that does other things. Prints the figures, and writes them to
bench/results/analysis_speed.json; ends with 1 when a target is missed.
"""

import json
import re
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from folkmoot.analysis import charts
from folkmoot.analysis.analyser import Analyser
from services.worker import pool  # noqa: F401 # loaded beside the networks in the process whose memory this is to tell
from services.worker.heap import give_back_what_is_large

RESULTS = Path(__file__).with_name("results")
TOPICS = Path(__file__).with_name("data") / "topics.jsonl"
WORDS = 150
TARGET_MS, TARGET_WITH_CHARTS_MS, TARGET_MB = 700, 1500, 700


def main() -> int:
    """Measure; 1 when a target is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    give_back_what_is_large()
    began = time.perf_counter()
    analyser = Analyser()
    loaded_s = time.perf_counter() - began
    taken = [_taken(analyser, number) for number in range(rounds + 1)][1:]
    found = {
        "load_s": round(loaded_s, 2),
        "analysis_ms": round(statistics.median(one.analysis_ms for one in taken)),
        "analysis_cpu_ms": round(statistics.median(one.analysis_cpu_ms for one in taken)),
        "with_votes_ms": round(statistics.median(one.with_votes_ms for one in taken)),
        "with_charts_ms": round(statistics.median(one.with_charts_ms for one in taken)),
        "with_charts_cpu_ms": round(statistics.median(one.with_charts_cpu_ms for one in taken)),
        "worst_with_charts_ms": round(max(one.with_charts_ms for one in taken)),
        "peak_rss_mb": most_memory_mb(),
    }
    print(json.dumps(found))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "analysis_speed.json").write_text(json.dumps(found), encoding="utf-8")
    slower = max(found["analysis_ms"], found["with_votes_ms"])
    is_quick = slower <= TARGET_MS and found["with_charts_ms"] <= TARGET_WITH_CHARTS_MS
    return int(not is_quick or found["peak_rss_mb"] > TARGET_MB)


@dataclass(frozen=True)
class _Taken:
    """What one round took: without votes, with them, and with charts instead, which come after the analysis."""

    analysis_ms: float
    analysis_cpu_ms: float
    with_votes_ms: float
    with_charts_ms: float
    with_charts_cpu_ms: float


def _taken(analyser: Analyser, number: int) -> _Taken:
    query, responses = four_responses(number)
    began, began_cpu = time.perf_counter(), time.process_time()
    report = analyser.analyse(query, "None", responses).as_json()
    analysed, analysed_cpu = time.perf_counter(), time.process_time()
    charts.draw([agent_id for agent_id, _ in responses], report)
    drawn, drawn_cpu = time.perf_counter(), time.process_time()
    analyser.analyse(query, "Yes/No", responses)
    voted = time.perf_counter()
    seconds = (analysed - began, analysed_cpu - began_cpu, voted - drawn, drawn - began, drawn_cpu - began_cpu)
    return _Taken(*(1000 * one for one in seconds))


def four_responses(number: int) -> tuple[str, list[tuple[str, str]]]:
    """A question and four responses of 150 words to it, made of what the topics hold from this one on."""
    topics = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    turned = topics[number % len(topics) :] + topics[: number % len(topics)]
    columns = zip(*([text for side in topic["sides"] for text in side] for topic in turned), strict=True)
    texts = [" ".join(" ".join(column).split()[:WORDS]) for column in columns]
    return turned[0]["query"], [(f"agent{place}", text) for place, text in enumerate(texts)]


def most_memory_mb() -> int:
    """What this process has held at most, in MiB; `getrusage` would count what its parent held when it started it."""
    held = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert held is not None, "a kernel that does not tell what a process held"
    return int(held[1]) // 1024


if __name__ == "__main__":
    sys.exit(main())
