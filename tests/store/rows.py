"""Rows as a story left them: users, queries at each step, and looks at what is stored. Times are given, never taken."""

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, Update, func, insert, select, update

from folkmoot.db import Database
from folkmoot.errors import FolkmootError
from folkmoot.models import Interaction, Outbox, Response, User
from folkmoot.resources import ConsensusResource
from folkmoot.store import asking, concluding, queries
from folkmoot.store.asking import Claim, Moved, Outcome
from folkmoot.store.concluding import Conclusion

T = TypeVar("T")

#: When every story here begins.
NOW = datetime(2031, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
ASK_S, DEADLINE_S, LEASE_S = 36, 60, 15
ATTEMPTS = 3
PANEL = ("qwen", "mistral", "deephermes")


def after(seconds: float) -> datetime:
    """The time this much after the story's beginning."""
    return NOW + timedelta(seconds=seconds)


def user(db: Database, name: str = "ada") -> int:
    """Make a user without the work of a password."""
    with db.write() as connection:
        key = connection.execute(
            insert(User).values(username=name, folded=name, password_hash="-", is_admin=False, created_at=NOW)
        ).inserted_primary_key
    assert key is not None
    return int(key[0])


def new_query(user_id: int, **more: Any) -> queries.NewQuery:
    """A query to accept, with whatever is said of it."""
    values: dict[str, Any] = {
        "job_id": str(uuid.uuid4()),
        "user_id": user_id,
        "query": "Should voting be compulsory?",
        "domain": "Policy",
        "question_type": "Yes/No",
        "parent_job_id": None,
        "quorum": 2,
        "aggregator": "llama3",
        "idempotency_key": uuid.uuid4().hex,
        "request_hash": "1" * 64,
        "notes": [],
        "created_at": NOW,
        "ask_deadline_at": after(ASK_S),
        "deadline_at": after(DEADLINE_S),
    }
    return queries.NewQuery(**{**values, **more})


def seats(agent_ids: Sequence[str] = PANEL, skipped: Sequence[str] = ()) -> list[queries.NewResponse]:
    """A panel of these agents."""
    return [
        queries.NewResponse(agent_id, "None", f"scripted/{agent_id}", "it has failed" if agent_id in skipped else None)
        for agent_id in agent_ids
    ]


def accepted(
    db: Database, user_id: int, panel: Sequence[str] = PANEL, *, skipped: Sequence[str] = (), **more: Any
) -> str:
    """A query that was accepted; its hints are due after 4 s."""
    job_id, is_new = queries.accept(db, new_query(user_id, **more), seats(panel, skipped), hint_due_at=after(4))
    assert is_new
    return job_id


def claim(db: Database, job_id: str, agent_id: str, *, at: float = 0, attempts: int = ATTEMPTS) -> Claim | None:
    """Try to take the right to ask an agent at this time."""
    return asking.claim(db, job_id, agent_id, now=after(at), lease_until=after(at + LEASE_S), attempts=attempts)


def claimed(db: Database, job_id: str, agent_id: str, *, at: float = 0) -> Claim:
    """The right to ask an agent."""
    found = claim(db, job_id, agent_id, at=at)
    assert found is not None
    return found


def said(text: str = "Yes, for it strengthens the mandate.") -> Outcome:
    """A good answer."""
    return Outcome("ok", model="scripted/1", text=text, latency_ms=12, prompt_tokens=3, completion_tokens=4)


def failed(error: str = "its endpoint answered HTTP 500") -> Outcome:
    """No answer."""
    return Outcome("failed", model="scripted/1", error=error)


def finish(db: Database, held: Claim, outcome: Outcome | None = None, *, at: float = 1) -> tuple[bool, Moved | None]:
    """Store how asking ended."""
    finished = asking.finish(db, held, outcome or said(), now=after(at), hint_due_at=after(at + 4))
    return finished is not None, finished.moved if finished is not None else None


def aggregating(db: Database, user_id: int, panel: Sequence[str] = PANEL, **more: Any) -> str:
    """A query whose panel has answered, and that waits for its aggregator."""
    job_id = accepted(db, user_id, panel, **more)
    moves = [finish(db, claimed(db, job_id, agent_id), said(f"{agent_id} says yes.")) for agent_id in panel]
    assert moves[-1] == (True, Moved("aggregating", ()))
    return job_id


def take_conclusion(db: Database, job_id: str, *, at: float = 2) -> Conclusion | None:
    """Try to take the right to conclude at this time."""
    found = concluding.to_conclude(db, job_id)
    if found is None:
        return None
    return concluding.claim(db, found, now=after(at), lease_until=after(at + LEASE_S), attempts=ATTEMPTS)


def conclusion(db: Database, job_id: str, *, at: float = 2) -> Conclusion:
    """The right to conclude."""
    found = take_conclusion(db, job_id, at=at)
    assert found is not None
    return found


def consensus(text: str = "Yes, with safeguards, most of them say.") -> ConsensusResource:
    """What an aggregator wrote."""
    return ConsensusResource(
        text=text, agent_id="llama3", model="scripted/l", latency_ms=9, prompt_tokens=1, completion_tokens=2
    )


def conclude(db: Database, held: Conclusion, text: str = "Yes, with safeguards.", *, at: float = 3) -> bool:
    """Store a consensus."""
    waiting = concluding.conclude(
        db, held, consensus(text), used="llama3", notes=["a note"], now=after(at), hint_due_at=after(at + 4)
    )
    return waiting is not None


def done(db: Database, user_id: int, panel: Sequence[str] = PANEL, **more: Any) -> str:
    """A query with its consensus, and its analysis pending."""
    job_id = aggregating(db, user_id, panel, **more)
    assert conclude(db, conclusion(db, job_id))
    return job_id


def job(db: Database, job_id: str) -> Row[Any]:
    """The query's own row."""
    with db.read() as connection:
        return connection.execute(select(Interaction).where(Interaction.job_id == job_id)).one()


def response(db: Database, job_id: str, agent_id: str) -> Row[Any]:
    """A panel's row."""
    with db.read() as connection:
        return connection.execute(
            select(Response).where(
                Response.job_id == job_id, Response.agent_id == agent_id, Response.is_aggregator.is_(False)
            )
        ).one()


def statuses(db: Database, job_id: str) -> dict[str, str]:
    """The status of each response of the panel."""
    return {one.agent_id: one.status for one in queries.find(db, job_id).responses}


def hints(db: Database, job_id: str) -> list[tuple[str, str]]:
    """(task, agent_id) of the job's outbox rows, sorted."""
    with db.read() as connection:
        rows = connection.execute(select(Outbox.task, Outbox.agent_id).where(Outbox.job_id == job_id)).all()
    return sorted((row.task, row.agent_id) for row in rows)


def count(db: Database, table: type[Any]) -> int:
    """How many rows a table has."""
    with db.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What these calls return when all are released by one barrier, a thread each; the first error is raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait(20)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
        return [future.result(60) for future in futures]


def caught(call: Callable[[], T]) -> Callable[[], T | FolkmootError]:
    """The same call, with an error of ours returned instead of raised."""

    def run() -> T | FolkmootError:
        try:
            return call()
        except FolkmootError as error:
            return error

    return run


def update_due(job_id: str, due_at: datetime) -> Update:
    """The statement that puts a job's hints off to this time."""
    return update(Outbox).where(Outbox.job_id == job_id).values(due_at=due_at)
