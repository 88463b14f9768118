"""How long the analysis of four responses of 150 words takes, warm, and how much memory it holds.

Run as `python -m bench.analysis_speed [rounds, 20]` on an idle machine. Prints the figures, and writes them to
bench/results/analysis_speed.json; ends with 1 when a target is missed.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

from folkmoot.analysis.analyser import Analyser

RESULTS = Path(__file__).with_name("results")
TOPICS = Path(__file__).with_name("data") / "topics.jsonl"
WORDS = 150
TARGET_MS, TARGET_MB = 700, 700


def main() -> int:
    """Measure; 1 when a target is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    began = time.perf_counter()
    analyser = Analyser()
    loaded_s = time.perf_counter() - began
    taken_ms = [_analysed_ms(analyser, number) for number in range(rounds + 1)][1:]
    found = {
        "load_s": round(loaded_s, 2),
        "median_ms": round(statistics.median(taken_ms)),
        "worst_ms": round(max(taken_ms)),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(found))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "analysis_speed.json").write_text(json.dumps(found), encoding="utf-8")
    return int(found["median_ms"] > TARGET_MS or found["peak_rss_mb"] > TARGET_MB)


def _analysed_ms(analyser: Analyser, number: int) -> float:
    query, responses = four_responses(number)
    began = time.perf_counter()
    analyser.analyse(query, "None", responses).as_json()
    return (time.perf_counter() - began) * 1000


def four_responses(number: int) -> tuple[str, list[tuple[str, str]]]:
    """A question and four responses of 150 words to it, made of what the topics hold from this one on."""
    topics = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    turned = topics[number % len(topics) :] + topics[: number % len(topics)]
    columns = zip(*([text for side in topic["sides"] for text in side] for topic in turned), strict=True)
    texts = [" ".join(" ".join(column).split()[:WORDS]) for column in columns]
    return turned[0]["query"], [(f"agent{place}", text) for place, text in enumerate(texts)]


if __name__ == "__main__":
    sys.exit(main())
