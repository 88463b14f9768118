"""What a user asks for, checked against catalogue, roster and limits before anything is stored."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot.agents import Roster
from folkmoot.catalogue import DOMAINS, QUESTION_TYPES, ROLES
from folkmoot.errors import InvalidRequest
from folkmoot.settings import Settings

#: Below this no model could answer, and the sweeper could not tell in time.
LEAST_DEADLINE_S = 2


@dataclass(frozen=True)
class Ask:
    """A query as its user sent it; None and empty mean the default."""

    query: str
    domain: str = "Custom"
    question_type: str = "None"
    roles: Mapping[str, str] | tuple[str, ...] = ()
    agents: tuple[str, ...] | None = None
    aggregator: str | None = None
    deadline_s: float | None = None
    use_cache: bool = True
    parent_job_id: str | None = None
    instructions: str = ""
    turns: tuple[tuple[str, str], ...] = ()

    def digest(self) -> str:
        """A hash by which the same request is known again."""
        content: dict[str, Any] = dict(vars(self))
        for name in ("instructions", "turns"):
            # What a request does not have leaves no trace, so that one from before there was such a thing is known too.
            content = {key: value for key, value in content.items() if key != name or value}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check(ask: Ask, roster: Roster, settings: Settings) -> None:
    """See that everything the request names exists and lies within the limits.

    Raises:
        InvalidRequest: with a sentence for each field that is wrong.
    """
    problems = {**_text_problems(ask, settings), **_seat_problems(ask, roster), **_role_problems(ask, roster)}
    if problems:
        raise InvalidRequest(problems)


def _text_problems(ask: Ask, settings: Settings) -> dict[str, str]:
    problems: dict[str, str] = {}
    said = [ask.instructions, *(text for turn in ask.turns for text in turn)]
    if _is_no_text("".join(said)):
        problems["messages"] = "A message holds a character that is not text. Send valid Unicode without NUL."
    elif (length := sum(map(len, said))) > settings.conversation_chars:
        problems["messages"] = (
            f"What was said before has {length} characters; at most {settings.conversation_chars} are possible."
        )
    if _is_no_text(ask.query):
        problems["query"] = "The question holds a character that is not text. Send it as valid Unicode without NUL."
    elif not any(unicodedata.category(character)[0] in "LNPSM" for character in ask.query):
        problems["query"] = f"The question is empty. Write one of 1 to {settings.query_chars} characters."
    elif len(ask.query) > settings.query_chars:
        problems["query"] = (
            f"The question has {len(ask.query)} characters; at most {settings.query_chars} are possible."
        )
    if ask.domain not in DOMAINS:
        problems["domain"] = _unknown("domain", ask.domain, DOMAINS)
    if ask.question_type not in QUESTION_TYPES:
        problems["question_type"] = _unknown("question type", ask.question_type, QUESTION_TYPES)
    if ask.deadline_s is not None and not LEAST_DEADLINE_S <= ask.deadline_s <= settings.deadline_max_s:
        problems["deadline_s"] = (
            f"The deadline must lie between {LEAST_DEADLINE_S} and {settings.deadline_max_s:g} seconds."
        )
    return problems


def _is_no_text(text: str) -> bool:
    return any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text)


def _seat_problems(ask: Ask, roster: Roster) -> dict[str, str]:
    problems: dict[str, str] = {}
    if ask.agents is not None:
        unknown = [seat for seat in ask.agents if seat not in roster.seats]
        if not ask.agents:
            problems["agents"] = f"The panel is empty. Name at least one of: {', '.join(roster.seats)}."
        elif unknown:
            problems["agents"] = _unknown("agent", unknown[0], roster.seats)
        elif len(set(ask.agents)) < len(ask.agents):
            problems["agents"] = "An agent is named twice. Name each once."
    if ask.aggregator is not None and ask.aggregator not in roster.seats:
        problems["aggregator"] = _unknown("agent", ask.aggregator, roster.seats)
    return problems


def _role_problems(ask: Ask, roster: Roster) -> dict[str, str]:
    panel = panel_of(ask, roster)
    named = ask.roles.values() if isinstance(ask.roles, Mapping) else ask.roles
    unknown = [role for role in named if role not in ROLES]
    if unknown:
        return {"roles": _unknown("role", unknown[0], ROLES)}
    if isinstance(ask.roles, Mapping):
        strangers = [seat for seat in ask.roles if seat not in panel]
        if strangers:
            return {"roles": _unknown("agent on the panel", strangers[0], panel)}
    elif len(ask.roles) > len(panel):
        return {"roles": f"There are {len(ask.roles)} roles for a panel of {len(panel)}. Give at most one an agent."}
    return {}


def panel_of(ask: Ask, roster: Roster) -> tuple[str, ...]:
    """The seats to ask: those named, else every seat but the aggregator."""
    if ask.agents is not None:
        return ask.agents
    aggregator = ask.aggregator or roster.aggregator
    return tuple(seat for seat in roster.seats if seat != aggregator) or (aggregator,)


def _unknown(what: str, value: str, known: Iterable[str]) -> str:
    return f"There is no {what} {value[:64]!r}. Choose from: {', '.join(known)}."
