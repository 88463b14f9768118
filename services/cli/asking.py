"""Asking: the question out of the arguments, the watching, and Ctrl-C, which cancels it on the server."""

import sys
import time
import uuid
from typing import Any

from ..client.follow import follow
from ..client.job import Job
from ..client.rest import GatewayError, Json, Refused
from ..client.stream import Event
from . import record, words
from .exits import Exit, Stopped
from .interrupts import Interrupts
from .live import Watched
from .user import User

#: A wait that the server asks for is kept once, if it is no longer than this, in seconds.
WAIT_S = 90.0

_ENDINGS = {"failed": Exit.FAILED, "cancelled": Exit.CANCELLED}


def ask(user: User) -> Exit:
    """Ask the council, show how it answers, and print what it said."""
    body, key = _body(user), user.arguments.key or str(uuid.uuid4())
    user.token  # noqa: B018 # Whoever is not signed in hears of it before a question is read.
    try:
        query = _submit(user, body, key)
    except KeyboardInterrupt:
        # It may have been accepted all the same; by its key the server tells which it is.
        _cancel(user, _submit(user, body, key)["job_id"])
        return Exit.CANCELLED
    try:
        with Interrupts() as interrupts:
            query = _watch(user, query, interrupts)
    except KeyboardInterrupt:
        _cancel(user, query["job_id"])
        return Exit.CANCELLED
    except GatewayError as error:
        raise _still_running(user, error, query["job_id"]) from error
    if user.arguments.json:
        user.terminal.json(query)
    else:
        record.tell(user.terminal, query)
    return _ENDINGS.get(query["status"], Exit.DEGRADED if query["degraded"] else Exit.DONE)


def _body(user: User) -> dict[str, Any]:
    said = user.arguments
    body: dict[str, Any] = {
        "domain": said.domain,
        "question_type": said.question_type,
        "roles": _roles(said.role) or None,
        "agents": [agent.strip() for agent in said.agents.split(",") if agent.strip()] if said.agents else None,
        "aggregator": said.aggregator,
        "deadline_s": said.deadline,
        "use_cache": False if said.no_cache else None,
        "parent_job_id": user.job(said.follow_up) if said.follow_up else None,
    }
    return {"query": _question(user)} | {name: value for name, value in body.items() if value is not None}


def _question(user: User) -> str:
    words_ = user.arguments.question
    if words_ and words_ != ["-"]:
        return " ".join(words_)
    if sys.stdin.isatty():
        user.terminal.tell("Write your question; Ctrl-D ends it.")
    if not (text := sys.stdin.read().strip()):
        raise Stopped("There is no question: give one as an argument, or on standard input.")
    return text


def _roles(given: list[str]) -> dict[str, str] | list[str]:
    """Roles by agent, or to be dealt out."""
    pairs = [role.partition("=") for role in given]
    if not any(equals for _, equals, _ in pairs):
        return given
    if not all(agent and equals and role for agent, equals, role in pairs):
        raise Stopped("Give either every --role as AGENT=ROLE, or none, to have them dealt out.")
    return {agent.strip(): role.strip() for agent, _, role in pairs}


def _submit(user: User, body: Json, key: str) -> Json:
    try:
        return user.gateway.ask(user.token, body, key)
    except Refused as error:
        if error.status != 429 or error.retry_after_s is None or error.retry_after_s > WAIT_S:
            raise
        user.terminal.tell(f"{error} Trying once more in {error.retry_after_s:.0f} s.")
        time.sleep(error.retry_after_s)
        return user.gateway.ask(user.token, body, key)


def _watch(user: User, query: Json, interrupts: Interrupts) -> Json:
    """Follow the query to its end, and return it as it is stored then."""
    job = Job(query)
    items = follow(user.gateway, user.token, query["job_id"], lambda: interrupts.seen)
    if user.arguments.quiet:
        for item in items:
            _take(job, item)
    elif user.terminal.is_watched:
        with Watched(user.terminal.notices, job) as watched:
            for item in items:
                watched.take(item)
    else:
        user.terminal.tell(f"Asked as {query['job_id']}.")
        for item in items:
            _take(job, item)
            _report(user, item)
    return job.resource


def _take(job: Job, item: Json | Event) -> None:
    if isinstance(item, Event):
        job.apply(item)
    else:
        job.replace(item)


def _report(user: User, item: Json | Event) -> None:
    """A line for each step, where no picture can be drawn."""
    if isinstance(item, Event) and item.name == "response":
        user.terminal.tell(f"{item.data['agent_id']}: {words.STATES[item.data['status']]}")
    elif isinstance(item, Event) and item.name == "status":
        user.terminal.tell(f"The query is {item.data['status']}.")


def _cancel(user: User, job_id: str) -> None:
    try:
        user.gateway.cancel(user.token, job_id)
    except GatewayError as error:
        user.terminal.tell(f"{job_id} could not be cancelled: {error} It ends by its deadline.")
    else:
        user.terminal.tell(f"Cancelled {job_id}.")


def _still_running(user: User, error: GatewayError, job_id: str) -> GatewayError:
    user.terminal.tell(f"The query goes on without being watched; see it with: folkmoot show {job_id}")
    return error
