"""Pure: what the gateway says of the agents → the HTML of the health board and of what happened to them."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from services.client.job import COLOURS, moment
from services.client.rest import Json
from services.ui.times import ago, duration, span

TONES = {"healthy": "good", "unhealthy": "warn", "failed": "bad"}
#: What a state means for a question.
MEANING = {
    "healthy": "It is asked.",
    "unhealthy": "It is asked, though it has trouble.",
    "failed": "It is not asked; a healthy seat takes its place where there is one.",
}
#: Errors of one seat that its card shows.
ERRORS = 3
WHY_NOT = "Resetting is for admins; you are not one."


def board(agents: Sequence[Json], incidents: Sequence[Json], now: datetime, *, is_admin: bool) -> str:
    """A card a seat: how it is, why, and the figures behind it."""
    cards = "".join(_card(agent, place, incidents, now, is_admin) for place, agent in enumerate(agents))
    why_not = "" if is_admin else f'<p class="fm-absent" id="fm-why-not">{WHY_NOT}</p>'
    return f'{why_not}<div class="fm-board">{cards}</div>'


def _card(agent: Json, place: int, incidents: Sequence[Json], now: datetime, is_admin: bool) -> str:
    name = escape(agent["agent_id"])
    post = '<span class="fm-role">aggregator</span> ' if agent["is_aggregator"] else ""
    reason = f'<p class="fm-reason {TONES[agent["state"]]}">{escape(_sentence(agent["reason"]))}</p>'
    return (
        f'<section class="fm-seat fm-health c{place % COLOURS}" data-agent="{name}" data-state="{agent["state"]}"'
        f' aria-label="Health of {name}"><header><h3>{name}</h3>'
        f'<span class="fm-state {TONES[agent["state"]]}">{agent["state"]}</span>'
        f'<p class="fm-model">{post}<span>{escape(agent["model"])}</span></p></header>'
        f'<div class="fm-facts"><p>{MEANING[agent["state"]]}</p>{reason if agent["reason"] else ""}'
        f"<dl>{_figures(agent, now)}</dl>{_errors(agent, incidents, now)}</div>"
        f"<footer>{_reset(name, is_admin)}</footer></section>"
    )


def _figures(agent: Json, now: datetime) -> str:
    p50, p95 = agent["p50_latency_ms"], agent["p95_latency_ms"]
    # A line may break between the two figures only.
    latency = "none measured yet"
    if p50 is not None:
        latency = ", ".join(one.replace(" ", "&nbsp;") for one in (f"p50 {duration(p50)}", f"p95 {duration(p95)}"))
    figures = {
        "So since": ago(agent["since"], now) if agent["since"] else "not known",
        "Last heartbeat": ago(agent["last_heartbeat"], now) if agent["last_heartbeat"] else "never heard",
        "Workers alive": str(agent["workers_alive"]),
        "Latency": latency,
        "Errors in a row": str(agent["consecutive_errors"]),
        "Next try": _next_try(agent["next_probe"], now),
    }
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures.items())


def _next_try(next_probe: str | None, now: datetime) -> str:
    if next_probe is None:
        return "no pause is on"
    left_s = (moment(next_probe) - now).total_seconds()
    return f"in {span(left_s)}" if left_s >= 1 else "at any moment"


def _errors(agent: Json, incidents: Sequence[Json], now: datetime) -> str:
    """The last errors that the record has of the seat."""
    mine = [one for one in incidents if one["agent_id"] == agent["agent_id"] and one["kind"] == "state"]
    bad = [one for one in mine if one["state"] != "healthy" and one["reason"]][:ERRORS]
    if not bad:
        return '<h4>Recent errors</h4><p class="fm-absent">None on record.</p>'
    items = "".join(f"<li>{ago(one['at'], now)}: {escape(one['reason'])}</li>" for one in bad)
    return f"<h4>Recent errors</h4><ul>{items}</ul>"


def _reset(name: str, is_admin: bool) -> str:
    barred = "" if is_admin else ' aria-disabled="true" aria-describedby="fm-why-not"'
    return (
        f'<button type="button" class="fm-small" data-action="reset" data-subject="{name}"{barred}>Reset'
        f'<span class="fm-spoken"> {name}</span></button>'
    )


def timeline(incidents: Sequence[Json], seats: Sequence[str], now: datetime) -> str:
    """What happened to the seats, newest first."""
    if not incidents:
        return '<p class="fm-absent">Nothing has happened to any seat on record.</p>'
    items = "".join(
        f'<li class="c{_colour(one["agent_id"], seats)} {_kind(one)}">{ago(one["at"], now)}<p>{_told(one)}</p></li>'
        for one in incidents
    )
    return f'<ol class="fm-timeline" aria-label="What happened to the agents, newest first">{items}</ol>'


def _kind(incident: Json) -> str:
    return escape(f"{incident['kind']} {TONES.get(incident['state'] or '', '')}".strip())


def _colour(agent_id: str, seats: Sequence[str]) -> int:
    return (seats.index(agent_id) if agent_id in seats else len(seats)) % COLOURS


def _told(incident: Json) -> str:
    name, stand_in = (f"<strong>{escape(who or '')}</strong>" for who in (incident["agent_id"], incident["stand_in"]))
    happened = {
        "state": f"{name} became {escape(incident['state'] or '')}",
        "replaced": f"{stand_in} was asked in place of {name}",
        "skipped": f"{name} was not asked, and nobody took its place",
        "failed_over": f"{stand_in} wrote the consensus in place of {name}",
        "reset": f"{name} was reset",
    }.get(incident["kind"], name)
    return f"{happened}: {escape(incident['reason'])}" if incident["reason"] else f"{happened}."


def _sentence(text: str | None) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""
