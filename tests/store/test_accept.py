"""Accepting a query: one transaction, once per key."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError

from folkmoot.db import Database
from folkmoot.errors import IdempotencyMismatch, NotFound
from folkmoot.models import Interaction, Outbox, Response
from folkmoot.store import queries
from tests.store import rows
from tests.store.rows import NOW, accepted, after, at_once, caught, count, hints, new_query, seats


def test_accepted_query_has_its_panel_and_a_hint_for_each_seat(db: Database, ada: int) -> None:
    """A query that was accepted has one pending response and one hint for each seat asked, and none for a skipped."""
    job_id = accepted(db, ada, skipped=["mistral"])

    query = queries.find(db, job_id)
    assert query.status == "accepted" and query.panel == list(rows.PANEL)
    assert rows.statuses(db, job_id) == {"qwen": "pending", "mistral": "skipped", "deephermes": "pending"}
    assert hints(db, job_id) == [("ask", "deephermes"), ("ask", "qwen")]
    assert (query.created_at, query.ask_deadline_at, query.deadline_at) == (NOW, after(36), after(60))


@pytest.mark.parametrize("skipped", [[], ["mistral"]])
def test_what_is_told_of_an_accepted_query_is_what_is_stored(db: Database, ada: int, skipped: list[str]) -> None:
    """The resource that is made of what was written is, to the last value, the one that is read."""
    new, panel = new_query(ada, notes=["a note"]), seats(skipped=skipped)
    job_id, _ = queries.accept(db, new, panel, hint_due_at=after(4))

    assert queries.as_accepted(new, panel) == queries.find(db, job_id)
    assert queries.as_accepted(new, panel).as_text() == queries.find(db, job_id).as_text()


def test_accept_stores_all_or_nothing(db: Database, ada: int) -> None:
    """When its last statement fails, nothing of the query is stored."""

    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO outbox" in statement:
            raise RuntimeError("the process dies here")

    event.listen(db.engine, "before_cursor_execute", refuse)
    with pytest.raises(RuntimeError):
        accepted(db, ada)
    event.remove(db.engine, "before_cursor_execute", refuse)

    assert [count(db, table) for table in (Interaction, Response, Outbox)] == [0, 0, 0]


@pytest.mark.parametrize("doubled", ["qwen", "mistral"])
def test_panel_with_a_seat_twice_stores_nothing(db: Database, ada: int, doubled: str) -> None:
    """A broken panel is refused as a whole, and its key stays free."""
    new = new_query(ada)

    with pytest.raises(IntegrityError):
        queries.accept(db, new, seats([*rows.PANEL, doubled]), hint_due_at=after(4))

    assert count(db, Interaction) == 0
    assert queries.accept(db, new, seats(), hint_due_at=after(4)) == (new.job_id, True)


def test_twenty_threads_with_one_key_make_one_job(db: Database, ada: int) -> None:
    """The same request from twenty threads at once is one job, which all of them get."""
    made = at_once(
        *[
            lambda: queries.accept(db, new_query(ada, idempotency_key="k"), seats(), hint_due_at=after(4))
            for _ in range(20)
        ]
    )

    assert sorted(is_new for _, is_new in made) == [False] * 19 + [True]
    assert len({job_id for job_id, _ in made}) == 1
    assert [count(db, table) for table in (Interaction, Response, Outbox)] == [1, 3, 3]


def test_same_key_with_another_body_is_refused(db: Database, ada: int) -> None:
    """A key that comes again with another body is refused, also when both come at the same moment."""
    bodies = [new_query(ada, idempotency_key="k", request_hash=body * 64) for body in "ababab"]

    made = at_once(*[caught(partial(queries.accept, db, new, seats(), hint_due_at=after(4))) for new in bodies])

    refused = [one for one in made if isinstance(one, IdempotencyMismatch)]
    assert len(refused) == 3 and count(db, Interaction) == 1
    with pytest.raises(IdempotencyMismatch):
        queries.accepted_before(db, ada, "k", "c" * 64)


def test_a_key_belongs_to_its_user(db: Database, ada: int) -> None:
    """The same key of two users makes two jobs."""
    eve = rows.user(db, "eve")

    first, second = accepted(db, ada, idempotency_key="k"), accepted(db, eve, idempotency_key="k")

    assert first != second
    assert queries.accepted_before(db, eve, "k", "1" * 64) == second


def test_query_without_anybody_to_ask_fails_at_once_with_reasons(db: Database, ada: int) -> None:
    """When every seat is skipped the query is stored as failed, with each seat's reason and no hint."""
    job_id = accepted(db, ada, skipped=rows.PANEL)

    query = queries.find(db, job_id)
    assert query.status == "failed" and query.finished_at == NOW
    assert [note for note in query.notes if "it has failed" in note and "qwen" in note]
    assert hints(db, job_id) == []


def test_somebody_elses_query_is_not_found(db: Database, ada: int) -> None:
    """A query is found by its owner only; for others it is as if there were none."""
    job_id, eve = accepted(db, ada), rows.user(db, "eve")

    assert queries.find(db, job_id, user_id=ada).job_id == job_id
    for wrong in (lambda: queries.find(db, job_id, user_id=eve), lambda: queries.owned(db, job_id, user_id=eve)):
        with pytest.raises(NotFound):
            wrong()


@pytest.mark.parametrize("job_id", ["", "nothing", "\x00", "a\x00b", "x" * 5000, "%", "'; --"])
def test_id_that_cannot_be_is_not_found(db: Database, job_id: str) -> None:
    """Whatever stands in the place of a job_id, there is no such query, and no other error."""
    with pytest.raises(NotFound):
        queries.find(db, job_id, user_id=1)


@pytest.mark.parametrize("text", ["Ω 世界 👍🏽 e\u0301", "a" * 200_000, "%_\\'\"--;", "\r\n\t\u2028"])
def test_question_comes_back_as_it_was_sent(db: Database, ada: int, text: str) -> None:
    """The text of a question is stored to the letter."""
    assert queries.find(db, accepted(db, ada, query=text)).query == text


def interleaved(engine: Engine, after_statement: str, act: Any) -> None:
    """Perform `act` once, right after the first statement on this engine that begins so."""
    pending = [act]

    def hook(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if pending and " ".join(statement.split()).startswith(after_statement):
            pending.pop()()

    event.listen(engine, "after_cursor_execute", hook)


def test_read_shows_one_state_of_a_query_that_is_being_concluded(db: Database, other: Database, ada: int) -> None:
    """A query read while another process concludes it is either aggregating without a consensus or done with one."""
    job_id = rows.aggregating(other, ada)
    held = rows.conclusion(other, job_id)
    interleaved(db.engine, "SELECT interactions.id", lambda: rows.conclude(other, held))

    query = queries.find(db, job_id)

    assert queries.find(other, job_id).status == "done"
    assert (query.consensus is not None) == (query.status == "done"), f"{query.status}: {query.consensus}"


def test_read_shows_one_state_of_a_query_that_is_being_deleted(db: Database, other: Database, ada: int) -> None:
    """A query read while its owner deletes it is there with its panel, or not there."""
    job_id = accepted(other, ada)
    interleaved(db.engine, "SELECT interactions.id", lambda: queries.erase(other, job_id, user_id=ada))

    query = queries.find(db, job_id)

    assert query.panel == list(rows.PANEL)
