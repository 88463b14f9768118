"""Pure: what was measured of a query → the HTML that shows it. All text from outside is escaped here."""

from html import escape
from typing import Any

from services.client.job import Job

CAUTION = "Agreement is not correctness: models that learned alike can be wrong alike."
#: Points of one kind that are shown at once; the rest unfolds.
SHOWN = 4

#: What stands in the place of findings that are not there, by the analysis's status.
ABSENT = {
    "pending": "The responses are being compared. Where they agree and where not stands here in a moment.",
    "skipped": "The responses were not compared",
    "failed": "The comparison of the responses failed",
}


def findings(job: Job) -> str:
    """Score, votes, agreement and disagreement of a query that is done; nothing before."""
    if job.status != "done":
        return ""
    report = job.resource["analysis"].get("report")
    content = absence(job) if report is None else _found(job, report)
    return f'<section class="fm-findings" aria-label="Agreement and disagreement">{content}</section>'


def absence(job: Job) -> str:
    """Why there is nothing measured, in a sentence."""
    analysis = job.resource["analysis"]
    reason = f": {analysis['reason'].rstrip('.')}." if analysis["reason"] else "."
    sentence = ABSENT["pending"] if analysis["status"] == "pending" else ABSENT.get(analysis["status"], "") + reason
    return f'<p class="fm-absent">{escape(sentence)}</p>'


def _found(job: Job, report: dict[str, Any]) -> str:
    points = report["report"]
    # Different votes have a table of their own.
    conflicts = [one for one in points["conflicts"] if one["standing"] != "dismissed" and not one.get("is_vote")]
    none = "Apart from the votes, no contradiction was found." if _is_split(report) else "No contradiction was found."
    lists = [
        ("Everybody says", [_point(job, point) for point in points["agreements"]], "No point is made by everybody."),
        ("They contradict each other", [_conflict(job, one) for one in conflicts], none),
        ("Several say, but not all", [_point(job, point) for point in points["partial"]], ""),
        ("One alone says", [_quote(job, quote) for quote in points["unique"]], ""),
    ]
    return (
        f"<h2>Agreement and disagreement</h2>{_score(report)}{_votes(job, report['votes'])}"
        f'<div class="fm-points">{"".join(_list(*each) for each in lists)}</div>{_notes(report["notes"])}'
    )


def _is_split(report: dict[str, Any]) -> bool:
    return any(conflict.get("is_vote") for conflict in report["report"]["conflicts"])


def _score(report: dict[str, Any]) -> str:
    score = report["score"]
    if score is None:
        return f'<p class="fm-absent">There is no consensus score: {escape(str(report["reason"]).rstrip("."))}.</p>'
    bars = "".join(
        f'<i class="{kind}" style="flex-grow:{score[kind]}"></i>' for kind in ("agreed", "contested", "unique")
    )
    return (
        f'<div class="fm-score"><p><strong>{score["agreed"]} %</strong> consensus score: '
        f"<b>{escape(score['label'])}</b></p>"
        f'<div class="fm-shares" aria-hidden="true">{bars}</div>'
        f"<p>Of all claims, {score['agreed']} % are shared by several agents, {score['contested']} % are contested, "
        f"and {score['unique']} % are made by one alone. <strong>{CAUTION}</strong></p></div>"
    )


def _votes(job: Job, votes: dict[str, Any] | None) -> str:
    if votes is None:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(_option(votes, option))}</th><td>{count}</td>'
        f"<td>{_voters(job, votes, option)}</td></tr>"
        for option, count in votes["tally"].items()
        if count or option != "unclear"
    )
    return (
        f'<table class="fm-votes"><caption>Votes: {escape(_majority(votes))}</caption>'
        f'<thead><tr><th scope="col">Answer</th><th scope="col">Votes</th><th scope="col">Given by</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _option(votes: dict[str, Any], option: str) -> str:
    text = votes["texts"].get(option, option)
    return option if text == option else f"{option}) {text}"


def _voters(job: Job, votes: dict[str, Any], option: str) -> str:
    return " ".join(_name(job, agent) for agent, answer in votes["by_agent"].items() if answer == option)


def _majority(votes: dict[str, Any]) -> str:
    majority = votes["majority"]
    if majority is None:
        return "there is no majority."
    dissent = f"; {_listed(votes['dissenters'])} dissents" if votes["dissenters"] else "; nobody dissents"
    pivots = [agent for agent, answer in votes["without"].items() if answer != majority]
    pivotal = f". Without {' or without '.join(pivots)} there would be another outcome" if pivots else ""
    return f"the majority answers {majority}{dissent}{pivotal}."


def _list(title: str, items: list[str], none: str) -> str:
    if not items and not none:
        return ""
    shown = "".join(f"<li>{item}</li>" for item in items[:SHOWN])
    rest = "".join(f"<li>{item}</li>" for item in items[SHOWN:])
    more = f"<details><summary>{len(items) - SHOWN} more</summary><ul>{rest}</ul></details>" if rest else ""
    body = f"<ul>{shown}</ul>{more}" if items else f'<p class="fm-absent">{none}</p>'
    return f"<section><h3>{title}</h3>{body}</section>"


def _point(job: Job, point: dict[str, Any]) -> str:
    names = " ".join(_name(job, agent) for agent in point["agent_ids"])
    return f"<q>{escape(point['quotes'][0]['text'])}</q> {names}"


def _conflict(job: Job, conflict: dict[str, Any]) -> str:
    sure = "" if conflict["standing"] == "confirmed" else ' <span class="fm-maybe">possibly</span>'
    return f"{_quote(job, conflict['one'])} <b>against</b>{sure} {_quote(job, conflict['other'])}"


def _quote(job: Job, quote: dict[str, Any]) -> str:
    return f"<q>{escape(quote['text'])}</q> {_name(job, quote['agent_id'])}"


def _name(job: Job, agent_id: str) -> str:
    return f'<span class="fm-name c{job.colour(agent_id)}">{escape(agent_id)}</span>'


def _notes(notes: list[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="fm-about">{items}</ul>' if items else ""


def _listed(names: list[str]) -> str:
    return " and ".join(names)
