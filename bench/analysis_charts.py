"""Measures what an analysis and its charts cost the pool that makes them: `python -m bench.analysis_charts [ROUNDS]`.

Four responses of about 150 words, models loaded and everything warm; the median of the rounds, and the memory of the
process, which holds what the pool's does but for Celery.
"""

import resource
import statistics
import sys
import time
from collections.abc import Sequence

from folkmoot.council import Measurable
from services.worker.measuring import load

ROUNDS = 5
SEATS = ("qwen", "llama3", "mistral", "deephermes")
OPENINGS = (
    "Compulsory vaccination of hospital staff protects patients who cannot protect themselves.",
    "I am torn about compulsory vaccination, for it helps patients and takes a choice from nurses.",
    "Nobody should be forced to take a vaccine, and a hospital that does so is wrong.",
    "What would happen to trust among nurses if vaccination were made a duty?",
)
BODY = (
    "Data from four countries show that outbreaks on wards fell by about a third where a duty was introduced.",
    "The effect depends on how many were vaccinated before, and on how exemptions are handled.",
    "People who have worked through two winters of illness deserve to be heard, and their fear is real.",
    "A hospital may ask for much, but it should first explain, offer time off and answer every question.",
    "If persuasion reaches nine in ten, a duty gains little and costs a great deal of goodwill.",
    "On balance the rule seems acceptable in intensive care, though perhaps not in the laundry.",
    "It should end when the risk does, and a council of staff and patients should review it every year.",
)


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    began = time.monotonic()
    analyser = load(SEATS)
    print(f"{time.monotonic() - began:6.2f} s   to load")
    asked = Measurable(
        "Should vaccination be compulsory for people who work in hospitals?",
        "Yes/No",
        [(seat, " ".join([opening, *BODY])) for seat, opening in zip(SEATS, OPENINGS, strict=True)],
        {},
        " ".join([OPENINGS[0], *BODY[:3]]),
    )
    taken: list[tuple[float, float]] = []
    # The first warms everything up.
    for _ in range(rounds + 1):
        began = time.monotonic()
        report = analyser.measure(asked).report or {}
        measured = time.monotonic()
        analyser.draw(SEATS, report)
        taken.append((measured - began, time.monotonic() - measured))
    for column, what in enumerate(("an analysis", "its charts")):
        print(f"{statistics.median(one[column] for one in taken[1:]):6.2f} s   {what}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MB  at most")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
