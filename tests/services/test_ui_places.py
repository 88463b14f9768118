"""What History and Agents show, without a browser: every state in words, and nothing from outside as markup."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ui import chosen, entries, health
from services.ui.times import ago, span

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


def stamp(seconds_ago: float) -> str:
    """A time of the API, so long before now."""
    return (NOW - timedelta(seconds=seconds_ago)).isoformat()


def agent(**changes: Any) -> dict[str, Any]:
    """A healthy seat as the gateway tells it."""
    known = {"agent_id": "qwen", "model": "m", "is_aggregator": False, "state": "healthy", "reason": None}
    times = {"since": stamp(60), "last_heartbeat": stamp(2), "next_probe": None}
    counts = {"consecutive_errors": 0, "workers_alive": 1, "p50_latency_ms": 800, "p95_latency_ms": 1900}
    return known | times | counts | changes


def incident(**changes: Any) -> dict[str, Any]:
    """A seat's failure as the gateway tells it."""
    return {
        "at": stamp(5),
        "agent_id": "qwen",
        "kind": "state",
        "state": "failed",
        "stand_in": None,
        "reason": "away",
    } | changes


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86_400, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_age_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    """A time is told from now, and exactly for those who point at it."""
    assert f">{words}</time>" in ago(stamp(seconds), NOW)
    assert "UTC" in ago(stamp(seconds), NOW)


def test_old_times_are_dates() -> None:
    """After a week the date tells more."""
    assert ">24 January 2030</time>" in ago(stamp(7 * 86_400), NOW)
    assert span(3 * 86_400) == "3 days"


def test_nothing_from_outside_is_markup() -> None:
    """A question, a domain, a seat, its model and its reason cannot bring markup into these pages."""
    query = {
        "job_id": "<b>j</b>",
        "status": "done",
        "query": "<b>q</b>",
        "domain": "<b>d</b>",
        "question_type": "<b>t</b>",
    }
    told = {
        "domains": {"<b>d</b>": "<b>f</b>"},
        "question_types": {"<b>t</b>": "<b>k</b>"},
        "roles": {"<b>r</b>": "<b>p</b>"},
    }
    seat = agent(agent_id="<b>a</b>", model="<b>m</b>", reason="<b>w</b>", state="failed")
    happened = incident(agent_id="<b>a</b>", reason="<b>e</b>", stand_in="<b>s</b>", kind="replaced")

    shown = "".join(
        [
            entries.entries([query | {"created_at": stamp(1)}], NOW, opened="", is_filtered=False),
            entries.undoable([query]),
            health.board([seat], [incident(agent_id="<b>a</b>", reason="<b>e</b>")], NOW, is_admin=True),
            health.timeline([happened], ["qwen"], NOW),
        ]
    )
    explained = chosen.framing({"explanations": told}, "<b>d</b>", "<b>t</b>")
    explained += chosen.reasoning({"explanations": told}, ["<b>r</b>"])

    assert not [letter for letter in "jqdtamwes" if f"<b>{letter}" in shown]
    assert not [letter for letter in "dftkrp" if f"<b>{letter}" in explained]
    assert all(f"&lt;b&gt;{letter}&lt;" in shown for letter in "jqdtames")


def test_seat_that_nobody_reports_on_is_told_so() -> None:
    """A board without figures says what is not known instead of leaving it out."""
    silent = agent(since=None, last_heartbeat=None, p50_latency_ms=None, p95_latency_ms=None, workers_alive=0)

    shown = health.board([silent], [], NOW, is_admin=False)

    for words in ("not known", "never heard", "none measured yet", "no pause is on", "None on record."):
        assert words in shown
    assert 'aria-disabled="true"' in shown and health.WHY_NOT in shown


@pytest.mark.parametrize(("seconds_ago", "words"), [(-12.5, "in 12 s"), (-0.5, "at any moment"), (30, "at any moment")])
def test_next_try_is_counted_down(seconds_ago: float, words: str) -> None:
    """The pause of a seat that failed ends in so many seconds, and never in less than none."""
    failed = agent(state="failed", reason="3 errors in a row", next_probe=stamp(seconds_ago))

    assert f"<dd>{words}</dd>" in health.board([failed], [], NOW, is_admin=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "<strong>qwen</strong> became failed: away"),
        (
            {"kind": "replaced", "stand_in": "mistral"},
            "<strong>mistral</strong> was asked in place of <strong>qwen</strong>",
        ),
        ({"kind": "skipped"}, "<strong>qwen</strong> was not asked, and nobody took its place"),
        ({"kind": "failed_over", "stand_in": "mistral"}, "<strong>mistral</strong> wrote the consensus in place of"),
        ({"kind": "reset", "reason": None}, "<strong>qwen</strong> was reset."),
    ],
)
def test_every_kind_of_incident_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    """The timeline says who did what for whom, and why where that is known."""
    assert words in health.timeline([incident(**changes)], ["qwen"], NOW)
