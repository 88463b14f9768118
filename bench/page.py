"""How soon the page is there, and a seat's first words on it, in a real browser on the whole stack.

Run as `python -m bench.page [repetitions]`; prints a table, and writes it to bench/results/page.json.
"""

import json
import statistics
import sys
import threading
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.record import Record
from tests.browser.steps import OPEN_MS, ask, await_end, session_cookie, sign_up
from tests.client import Client
from tests.conftest import scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

RESULTS = Path(__file__).with_name("results")
#: Bounds of the medians, in milliseconds; what has none is told beside them.
GOALS = {"first paint": 2000, "first paint, again": 2000, "first token, event to screen": 500}
#: A model that begins after this and then says a word each so many seconds.
SPEECH = {"delay_s": 0.5, "token_delay_s": 0.05}  # nosec B105


def main() -> None:
    """Open the page and ask so often, and show the medians."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with (
        ScriptedModel(SEATS) as model,
        Stack(scripted_roster(model)) as stack,
        sync_playwright() as playwright,
    ):
        expect.set_options(timeout=OPEN_MS)
        for seat in SEATS:
            model.script(f"scripted/{seat}", dict(SPEECH), stage="response")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        measured = _openings(browser, stack, repetitions) | {
            "first token, event to screen": _first_tokens(browser, stack, repetitions)
        }
        browser.close()
    rows = {name: _row(samples, GOALS.get(name)) for name, samples in measured.items()}
    for name, row in rows.items():
        goal = "" if row["goal_ms"] is None else f"   goal {row['goal_ms']} ms"
        print(f"{name:30} median {row['median_ms']:7.0f} ms   worst {row['worst_ms']:7.0f} ms   n={row['n']}{goal}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "page.json").write_text(json.dumps(rows, indent=2) + "\n")


def _row(samples: list[float], goal_ms: int | None) -> dict[str, float | int | None]:
    return {
        "median_ms": statistics.median(samples),
        "worst_ms": max(samples),
        "n": len(samples),
        "goal_ms": goal_ms,
    }


def _openings(browser: Browser, stack: Stack, repetitions: int) -> dict[str, list[float]]:
    """From the request of the page to its paint and to the card, with nothing kept and again, in milliseconds."""
    names = ("first paint", "card is shown", "first paint, again", "card is shown, again")
    measured: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repetitions):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        for suffix in ("", ", again"):
            paint_ms, card_ms = _opening(context.new_page(), stack)
            measured[f"first paint{suffix}"].append(paint_ms)
            measured[f"card is shown{suffix}"].append(card_ms)
        context.close()
    return measured


def _opening(page: Page, stack: Stack) -> tuple[float, float]:
    began = time.monotonic()
    page.goto(stack.url, wait_until="commit")
    page.locator("#fm-account").wait_for(timeout=OPEN_MS)
    card_ms = 1000 * (time.monotonic() - began)
    paint_ms = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    return float(paint_ms), card_ms


def _first_tokens(browser: Browser, stack: Stack, repetitions: int) -> list[float]:
    """From a seat's first delta, as another reader gets it of the gateway, to its first words on the screen, in ms."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    sign_up(page, stack)
    client = Client(stack.url, session_cookie(page)["value"])
    questions = [f"Question {number}: should voting be compulsory?" for number in range(repetitions)]
    return [delay_ms for question in questions for delay_ms in _delays(page, client, question)]


def _delays(page: Page, client: Client, question: str) -> list[float]:
    record = Record(page)
    came_ms: dict[str, float] = {}
    reader = threading.Thread(target=_read, args=(client, ask(page, question), came_ms))
    reader.start()
    await_end(page)
    reader.join()
    drawn_ms = eventually(lambda: _drawn(record, set(came_ms)), 30, "every seat was drawn")
    return [drawn_ms[seat] - came_ms[seat] for seat in came_ms]


def _drawn(record: Record, seats: set[str]) -> dict[str, float]:
    first_ms = record.first_ms()
    return first_ms if seats <= {seat for seat, drawn in first_ms.items() if drawn} else {}


def _read(client: Client, job_id: str, came_ms: dict[str, float]) -> None:
    for event in client.events(job_id):
        if event.event == "response.delta":
            came_ms.setdefault(event.data["agent_id"], 1000 * time.time())


if __name__ == "__main__":
    main()
