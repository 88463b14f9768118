"""Pure: what is known of a query → the HTML that shows it. All text from outside is escaped here."""

from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from services.client.job import Job
from services.client.rest import Json
from services.ui.domains import mark
from services.ui.entries import shortened
from services.ui.times import duration

BRAND = '<h1 class="fm-brand">Folkmoot</h1>'
CLAIM = '<p class="fm-claim">Ask several language models at once; get one answer that says where they agree.</p>'
OPENING = '<p class="fm-claim" role="status">Opening …</p>'
EMPTY = (
    '<div class="fm-empty"><h2>Nothing asked yet</h2><p>Write a question or take an example. Each agent of the panel '
    "answers in a column of its own, as its model writes; then the aggregator draws one consensus from them.</p></div>"
)

#: A response's status in words; the tone picks its colour.
STATES = {
    "ok": ("done", "good"),
    "failed": ("failed", "bad"),
    "timed_out": ("out of time", "bad"),
    "cancelled": ("cancelled", "idle"),
    "skipped": ("skipped", "idle"),
}


def notice(sentence: str, tone: str = "bad") -> str:
    """A sentence that a screen reader speaks at once; nothing for an empty one."""
    return f'<p class="fm-notice {tone}" role="alert">{escape(sentence)}</p>' if sentence else ""


def heading(job: Job) -> str:
    """The question, and above it whether the answer is degraded or missing, with the reasons."""
    query = job.resource
    about = mark(query["domain"])
    if query["question_type"] != "None":
        about += f" · {escape(query['question_type'])}"
    if query.get("parent_job_id"):
        about += f' · follows up <a href="/?job={escape(query["parent_job_id"])}">an earlier question</a>'
    return f'{_banner(job)}<p class="fm-about">{about}</p><h2 class="fm-question">{escape(query["query"])}</h2>'


def _banner(job: Job) -> str:
    notes = job.resource["notes"]
    if job.status == "failed":
        title, tone = "There is no consensus.", "bad"
    elif job.resource["degraded"]:
        title, tone = "This answer is degraded: part of the panel is missing.", "warn"
    elif notes:
        title, tone = "Good to know", "idle"
    else:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<div class="fm-notice {tone}" role="alert"><strong>{title}</strong><ul>{items}</ul></div>'


def progress(job: Job, now: datetime) -> str:
    """One line: the stage, who is awaited, the time left."""
    if job.ended:
        return f'<div class="fm-progress ended"><p role="status">{escape(_ending(job))}</p></div>'
    left_s = job.seconds_left(now)
    width = 100 * left_s / max(job.seconds_in_all(), 1)
    stage = _stage(job) if job.connected else "The connection to the gateway is lost; trying to have it back."
    return (
        f'<div class="fm-progress"><p role="status">{escape(stage)}</p>'
        f'<span class="fm-left" role="timer" aria-live="off">{left_s:.0f} s left</span>'
        f'<div class="fm-bar" aria-hidden="true"><i style="width:{width:.1f}%"></i></div></div>'
    )


def _stage(job: Job) -> str:
    if job.status == "accepted":
        return "Accepted; the panel is about to be asked."
    if job.status == "aggregating":
        writer = job.consensus.agent_id if job.consensus else job.resource["aggregator"]["requested"]
        return f"{writer} is writing the consensus."
    answered = len(job.resource["responses"]) - len(job.awaited)
    if not job.awaited:
        return "Every agent is through; the consensus comes next."
    return f"{answered} of {len(job.resource['responses'])} agents are through; waiting for {_listed(job.awaited)}."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ending(job: Job) -> str:
    word = {"done": "Done", "failed": "Failed", "cancelled": "Cancelled"}[job.status]
    taken_s = job.seconds_taken()
    return f"{word} after {taken_s:.1f} s." if taken_s is not None else f"{word}."


def board(job: Job) -> str:
    """A column a seat, side by side."""
    columns = "".join(_column(job, seat) for seat in job.resource["responses"])
    return f'<div class="fm-board">{columns}</div>'


def _column(job: Job, seat: Json) -> str:
    agent_id = escape(seat["agent_id"])
    draft = job.responses.get(seat["agent_id"])
    state, tone = _state(job, seat, draft.text if draft else "")
    role = "" if seat["role"] == "None" else f'<span class="fm-role">{escape(seat["role"])}</span> '
    return (
        f'<section class="fm-seat c{job.colour(seat["agent_id"])}" data-agent="{agent_id}"'
        f' data-status="{escape(seat["status"])}" aria-label="Response of {agent_id}">'
        f'<header><h3>{agent_id}</h3><span class="fm-state {tone}">{escape(state)}</span>'
        f'<p class="fm-model">{role}<span>{escape(seat["model"])}</span></p></header>'
        f"{_words(seat, draft.text if draft else '')}{_foot(seat)}</section>"
    )


def _state(job: Job, seat: Json, streamed: str) -> tuple[str, str]:
    if seat["status"] != "pending":
        word, tone = STATES[seat["status"]]
        in_s = f" in {duration(seat['latency_ms'])}" if tone == "good" and seat["latency_ms"] is not None else ""
        return word + in_s + (", from the cache" if seat["cached"] else ""), tone
    if job.ended:
        return "no answer", "idle"
    return ("answering", "live") if streamed else ("waiting", "idle")


def _words(seat: Json, streamed: str) -> str:
    if seat["error"]:
        tone = STATES.get(seat["status"], ("", "idle"))[1]
        return f'<div class="fm-words"><p class="fm-reason {tone}">{escape(seat["error"])}</p></div>'
    live = seat["status"] == "pending"
    return _scroll(seat["text"] or streamed, live, f"Text of {seat['agent_id']}")


def _tokens(text: Json) -> str:
    read, written = text["prompt_tokens"], text["completion_tokens"]
    if written is None:
        return ""
    cost = text.get("cost_usd")
    return f"{read or 0} tokens read, {written} written" + (f" · ${escape(cost)}" if cost is not None else "")


def _foot(seat: Json) -> str:
    """What a response took, and a button to copy it."""
    if seat["status"] != "ok":
        return ""
    tokens = _tokens(seat)
    again = f" · {seat['attempts']} attempts" if seat["attempts"] > 1 else ""
    what = f"what {seat['agent_id']} wrote"
    return f"<footer><span>{tokens}{again}</span>{_copy(what)}</footer>"


def _copy(what: str) -> str:
    return f'<button type="button" class="fm-copy" data-copy aria-label="Copy {escape(what)}">Copy</button>'


def answer(job: Job) -> str:
    """The consensus, whole or as it streams; nothing before it begins."""
    stored = job.resource["consensus"]
    if stored:
        text, agent_id, verb = stored["text"], stored["agent_id"], f"written by {stored['agent_id']}"
    elif job.consensus and not job.ended:
        text, agent_id, verb = job.consensus.text, job.consensus.agent_id, f"{job.consensus.agent_id} is writing"
    else:
        return ""
    requested = job.resource["aggregator"]["requested"]
    writer = verb if agent_id == requested else f"{verb} in place of {requested}"
    parts = [
        writer,
        *(
            [
                stored["model"],
                duration(stored["latency_ms"]),
                _tokens(stored),
                "from the cache" if stored.get("cached") else "",
            ]
            if stored
            else []
        ),
    ]
    return (
        f'<section class="fm-answer" aria-label="Consensus"><header><h2>Consensus</h2>'
        f'<p class="fm-model">{escape(" · ".join(part for part in parts if part))}</p>'
        f"{_copy('the conclusion') if stored else ''}</header>{markdown(text)}</section>"
    )


def _scroll(text: str, live: bool, label: str) -> str:
    """The text in a box that scrolls, by keyboard too; a live one stays at its end."""
    kind = "fm-words live" if live else "fm-words"
    return (
        f'<div class="{kind}" tabindex="0" role="group" aria-label="{escape(label)}"><div>{markdown(text)}</div></div>'
    )


def links(job: Job) -> str:
    """The record to download, and the query's own address, once it has ended."""
    if not job.ended:
        return ""
    address = f"/jobs/{escape(job.resource['job_id'])}/export"
    return (
        f'<p class="fm-links">Export as <a href="{address}.md" download>Markdown</a> or '
        f'<a href="{address}.json" download>JSON</a></p>'
    )


@lru_cache(maxsize=512)
def markdown(text: str) -> str:
    """Markdown of a model as HTML without any of the model's own HTML, images or script addresses."""
    return f'<div class="fm-md">{_parser().render(text)}</div>'


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Without images: an address in a response must not make the reader's browser call on it.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
    parser.add_render_rule("link_open", _outside_link)
    return parser


def _outside_link(renderer: RendererHTML, tokens: list[Token], index: int, options: Any, _env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, index, options, _env)


def following(question: str) -> str:
    """Which question the next one follows up."""
    return f'<p class="fm-about">Follows up: <q>{escape(shortened(question, 90))}</q></p>' if question else ""


def signed_in_as(username: str) -> str:
    """Who is signed in."""
    return f'<p class="fm-whoami">Signed in as <strong>{escape(username)}</strong></p>'
