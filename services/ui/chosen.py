"""Pure: what is chosen in the form, explained in a line each, in the words that the gateway's catalogue has for it."""

from collections.abc import Sequence
from html import escape

from services.client.rest import Json
from services.ui.domains import accent, mark


def framing(catalogue: Json, domain: str, question_type: str) -> str:
    """What a domain and a question type have every agent told."""
    words = catalogue["explanations"]
    told = words["domains"].get(domain) or "the question as it stands, without the frame of a field."
    lines = [f"{mark(domain)}: {escape(told)}"]
    if kind := words["question_types"].get(question_type):
        lines.append(f"<b>{escape(question_type)}</b>: {escape(kind)}")
    return f'<div class="fm-chosen {accent(domain)}">{_paragraphs(lines)}</div>'


def reasoning(catalogue: Json, roles: Sequence[str]) -> str:
    """What each role among these has its agent told."""
    words = catalogue["explanations"]["roles"]
    named = [role for role in dict.fromkeys(roles) if words.get(role)]
    lines = [f"<b>{escape(role)}</b>: {escape(words[role])}" for role in named]
    return f'<div class="fm-chosen">{_paragraphs(lines or ["Without a role, an agent reasons freely."])}</div>'


def dealt() -> str:
    """What dealing means."""
    line = "Each agent gets another role, drawn at random once, when you ask; its column names it."
    return f'<div class="fm-chosen">{_paragraphs([line])}</div>'


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)
