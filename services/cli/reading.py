"""What can be read: the history, a query, its record, the agents."""

import sys
from pathlib import Path

from . import record, words
from .exits import Exit, Stopped
from .user import User

#: Of a question in the history in a pipe; the whole of it is in JSON.
QUESTION_CHARS = 300


def history(user: User) -> Exit:
    """List the user's queries."""
    said = user.arguments
    chosen = {"q": said.search, "status": said.status, "domain": said.domain}
    page = user.gateway.history(user.token, said.limit, **{name: value for name, value in chosen.items() if value})
    if said.json:
        user.terminal.json(page)
        return Exit.DONE
    if not page["queries"]:
        user.terminal.tell("There is no such query." if any(chosen.values()) else "You have asked nothing yet.")
        return Exit.DONE
    rows = [
        [query["job_id"], words.clock(query["created_at"]), query["status"], query["query"][:QUESTION_CHARS]]
        for query in page["queries"]
    ]
    user.terminal.table(["job", "asked", "status", "question"], rows, wide=3)
    if page["next_cursor"]:
        user.terminal.tell(f"There are more than these {len(rows)}: --limit shows more, --search and --status fewer.")
    return Exit.DONE


def show(user: User) -> Exit:
    """Show one query with all that has come of it."""
    query = user.gateway.query(user.token, user.job(user.arguments.job))
    if user.arguments.json:
        user.terminal.json(query)
    else:
        record.tell(user.terminal, query)
    return Exit.DONE


def agents(user: User) -> Exit:
    """Show how the seats are."""
    found = user.gateway.agents(user.token)
    if user.arguments.json:
        user.terminal.json({"agents": found})
        return Exit.DONE
    rows = [
        [
            agent["agent_id"] + (" (aggregator)" if agent["is_aggregator"] else ""),
            agent["state"],
            "-" if agent["p50_latency_ms"] is None else words.duration(agent["p50_latency_ms"]),
            str(agent["workers_alive"]),
            agent["model"],
            agent["reason"] or "",
        ]
        for agent in found
    ]
    user.terminal.table(["agent", "state", "median", "workers", "model", "why"], rows, wide=5)
    return Exit.DONE


def export(user: User) -> Exit:
    """Write a query's whole record to a file or to standard output."""
    said = user.arguments
    ends_in_json = said.output is not None and said.output.endswith(".json")
    kind = said.format or ("json" if ends_in_json else "md")
    content, _ = user.gateway.file(user.token, user.job(said.job), f"export.{kind}")
    if said.output is None or said.output == "-":
        if sys.stdout.isatty():
            user.terminal.say(content.decode(errors="replace"))
        else:
            sys.stdout.buffer.write(content)
        return Exit.DONE
    try:
        Path(said.output).write_bytes(content)
    except OSError as error:
        raise Stopped(f"{said.output} cannot be written: {error.strerror}.", Exit.FAILED) from error
    user.terminal.tell(f"Written to {said.output}.")
    return Exit.DONE
