"""The outbox: rows that are due, given to one relay at a time, sent until somebody takes the work."""

import pytest

from folkmoot.db import Database
from folkmoot.models import Outbox
from folkmoot.store import outbox, queries
from tests.store import rows
from tests.store.rows import accepted, after, aggregating, at_once, claimed, conclusion, done, finish, hints


def due(db: Database, at: float, resend_s: float = 4) -> list[tuple[str, str, str]]:
    """What a relay takes at this time, without the ids."""
    return [(job_id, task, agent) for _, job_id, task, agent in outbox.claim_due(db, now=after(at), resend_s=resend_s)]


def test_rows_follow_the_story(db: Database, ada: int) -> None:
    """At each step the outbox holds exactly the work that nobody has taken."""
    job_id = accepted(db, ada, ("qwen", "mistral"))
    assert hints(db, job_id) == [("ask", "mistral"), ("ask", "qwen")]
    first = claimed(db, job_id, "qwen")
    assert hints(db, job_id) == [("ask", "mistral")]
    second = claimed(db, job_id, "mistral")
    assert hints(db, job_id) == []
    finish(db, first)
    assert hints(db, job_id) == []
    finish(db, second)
    assert hints(db, job_id) == [("conclude", "")]
    held = conclusion(db, job_id)
    assert hints(db, job_id) == []
    rows.conclude(db, held)
    assert hints(db, job_id) == [("analyse", "")]


def test_row_is_due_at_its_time(db: Database, ada: int) -> None:
    """A hint is sent again when its time has come, not a microsecond before."""
    job_id = accepted(db, ada, ("qwen",), quorum=1)

    assert due(db, 3.999999) == []
    assert due(db, 4) == [(job_id, "ask", "qwen")]


def test_waits_double_up_to_half_a_minute(db: Database, ada: int) -> None:
    """A hint that nobody takes is sent after twice the wait each time, and at least every 30 s."""
    accepted(db, ada, ("qwen",), quorum=1)
    moments = [at / 2 for at in range(400) if due(db, at / 2)]

    assert moments == [4, 12, 28, 58, 88, 118, 148, 178]


def test_two_relays_never_get_one_row_twice(db: Database, other: Database, ada: int) -> None:
    """Eight relays at once, on two processes, share what is due; no row is given twice, none is left out."""
    for number in range(5):
        jobs = [accepted(db, ada) for _ in range(7)]

        taken = at_once(*[lambda base=base: due(base, 4) for base in (db, other) * 4])

        rows_taken = [row for relay in taken for row in relay]
        assert len(rows_taken) == len(set(rows_taken))
        missed = due(db, 4)
        assert sorted([*rows_taken, *missed]) == sorted((one, "ask", seat) for one in jobs for seat in rows.PANEL)
        assert due(other, 4) == [], f"round {number}: given again within its wait"


def test_one_relay_takes_all_that_is_due(db: Database, ada: int) -> None:
    """A relay by itself takes every row that is due, oldest first."""
    late, soon = accepted(db, ada, ("qwen",), quorum=1), accepted(db, ada, ("qwen",), quorum=1)
    with db.write() as connection:
        connection.execute(rows.update_due(late, after(3)))
        connection.execute(rows.update_due(soon, after(2)))

    assert [job_id for job_id, _, _ in due(db, 3)] == [soon, late]


def test_released_rows_are_due_again_at_once(db: Database, ada: int) -> None:
    """Rows whose hints could not be sent are due again at once, and their waits start anew."""
    accepted(db, ada)
    taken = outbox.claim_due(db, now=after(4), resend_s=4)
    assert due(db, 5) == []

    outbox.release(db, [row[0] for row in taken[:2]], now=after(5))

    assert [(job_id, task, agent) for _, job_id, task, agent in taken[:2]] == due(db, 5)
    assert due(db, 12) == [taken[2][1:]]
    assert len(due(db, 13)) == 2


def test_release_of_what_was_taken_meanwhile_brings_nothing_back(db: Database, ada: int) -> None:
    """A release after a worker has taken the work does not send it again."""
    job_id = accepted(db, ada, ("qwen",), quorum=1)
    taken = outbox.claim_due(db, now=after(4), resend_s=4)
    claimed(db, job_id, "qwen")

    outbox.release(db, [row[0] for row in taken], now=after(5))

    assert due(db, 99) == []


@pytest.mark.parametrize("make", [accepted, aggregating, done])
def test_rows_go_with_their_query(db: Database, ada: int, make: object) -> None:
    """No row outlives a query that was deleted, at whichever step it stood."""
    assert callable(make)
    job_id = make(db, ada)
    assert hints(db, job_id)

    queries.erase(db, job_id, user_id=ada)

    assert rows.count(db, Outbox) == 0


@pytest.mark.parametrize("make", [accepted, aggregating])
def test_rows_go_when_a_query_is_cancelled(db: Database, ada: int, make: object) -> None:
    """No row is left of a query that was cancelled."""
    assert callable(make)
    job_id = make(db, ada)

    queries.cancel(db, job_id, user_id=ada, now=after(5))

    assert hints(db, job_id) == []
