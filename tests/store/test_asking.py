"""Asking: one claim a response, fenced writes, and exactly one step from asking to aggregating."""

import pytest

from folkmoot.db import Database
from folkmoot.models import Outbox, Response
from folkmoot.store import asking, outbox, queries
from folkmoot.store.asking import Moved
from tests.store import rows
from tests.store.rows import (
    LEASE_S,
    PANEL,
    accepted,
    after,
    at_once,
    claim,
    claimed,
    failed,
    finish,
    hints,
    job,
    response,
    said,
    statuses,
)


def settle(db: Database, job_id: str, at: float) -> Moved | None:
    """Settle a query in a transaction of its own."""
    with db.write() as connection:
        return asking.settle(connection, job_id, now=after(at), hint_due_at=after(at + 4))


def test_sixteen_threads_claim_and_one_wins(db: Database, ada: int) -> None:
    """Of sixteen claims at once on one response, one succeeds, and one attempt is counted."""
    job_id = accepted(db, ada)

    won = [one for one in at_once(*[lambda: claim(db, job_id, "qwen")] * 16) if one is not None]

    assert len(won) == 1 and won[0].attempt == 1 and won[0].is_first
    assert response(db, job_id, "qwen").attempts == 1


def test_claims_of_different_seats_at_once_all_succeed_and_one_is_first(db: Database, ada: int) -> None:
    """All seats of a panel can be claimed at the same moment; one of them sees that it is the first."""
    panel = [f"seat{number}" for number in range(8)]
    job_id = accepted(db, ada, panel)

    won = at_once(*[lambda seat=seat: claim(db, job_id, seat) for seat in panel])

    assert sorted(one.is_first for one in won if one is not None) == [False] * 7 + [True]
    assert job(db, job_id).status == "asking" and hints(db, job_id) == []


def test_claim_takes_its_own_hint_only(db: Database, ada: int) -> None:
    """A claim removes the hint of its seat and leaves the others."""
    job_id = accepted(db, ada)

    claimed(db, job_id, "qwen")

    assert hints(db, job_id) == [("ask", "deephermes"), ("ask", "mistral")]


@pytest.mark.parametrize(
    ("at", "is_free"), [(0, False), (LEASE_S - 0.000001, False), (LEASE_S, True), (LEASE_S + 1, True)]
)
def test_lease_holds_until_it_runs_out(db: Database, ada: int, at: float, is_free: bool) -> None:
    """A response that somebody holds cannot be claimed before the lease has run out, to the microsecond."""
    job_id = accepted(db, ada)
    claimed(db, job_id, "qwen")

    assert (claim(db, job_id, "qwen", at=at) is not None) is is_free


def test_claim_is_refused_for_what_is_not_there(db: Database, ada: int) -> None:
    """Nothing can be claimed of an unknown job, an unknown seat, or a seat that was skipped."""
    job_id = accepted(db, ada, skipped=["mistral"])

    assert claim(db, "no such job", "qwen") is None
    assert claim(db, job_id, "llama3") is None
    assert claim(db, job_id, "mistral") is None


def test_claims_are_counted_and_end(db: Database, ada: int) -> None:
    """After as many claims as there are attempts, none succeeds any more."""
    job_id = accepted(db, ada)

    attempts = [claimed(db, job_id, "qwen", at=LEASE_S * number).attempt for number in range(3)]

    assert attempts == [1, 2, 3]
    assert claim(db, job_id, "qwen", at=LEASE_S * 9) is None


def test_holder_of_a_lost_lease_can_neither_renew_nor_write(db: Database, ada: int) -> None:
    """Once somebody else has claimed a response, the earlier holder cannot renew nor store anything."""
    job_id = accepted(db, ada)
    old = claimed(db, job_id, "qwen")
    new = claimed(db, job_id, "qwen", at=LEASE_S)

    assert not asking.renew(db, old, lease_until=after(99))
    assert finish(db, old, said("too old"), at=LEASE_S + 1) == (False, None)
    assert response(db, job_id, "qwen").lease_until == after(2 * LEASE_S)
    assert finish(db, new, said("newer"), at=LEASE_S + 2) == (True, None)
    assert response(db, job_id, "qwen").text == "newer"


def test_renewed_lease_holds_longer(db: Database, ada: int) -> None:
    """A claim that was renewed keeps others away until its new end."""
    job_id = accepted(db, ada)
    held = claimed(db, job_id, "qwen")

    assert asking.renew(db, held, lease_until=after(30))
    assert claim(db, job_id, "qwen", at=29) is None
    assert claim(db, job_id, "qwen", at=30) is not None


def test_second_finish_is_refused(db: Database, ada: int) -> None:
    """A response is stored once; what comes a second time changes nothing."""
    job_id = accepted(db, ada)
    held = claimed(db, job_id, "qwen")

    assert finish(db, held, said("first")) == (True, None)
    assert finish(db, held, said("second")) == (False, None)
    assert finish(db, held, failed()) == (False, None)
    assert not asking.renew(db, held, lease_until=after(99))
    assert response(db, job_id, "qwen").text == "first"


def test_finish_by_many_threads_stores_one(db: Database, ada: int) -> None:
    """The same claim used by eight threads at once stores one of their texts."""
    job_id = accepted(db, ada)
    held = claimed(db, job_id, "qwen")

    results = at_once(*[lambda text=str(n): finish(db, held, said(text)) for n in range(8)])

    assert sum(stored for stored, _ in results) == 1
    assert response(db, job_id, "qwen").status == "ok"


@pytest.mark.parametrize(
    ("answered", "quorum", "status"),
    [(3, 3, "aggregating"), (2, 3, "failed"), (2, 2, "aggregating"), (1, 2, "failed"), (1, 1, "aggregating"),
     (0, 1, "failed")],
)  # fmt: skip
def test_quorum_decides_where_a_query_goes(db: Database, ada: int, answered: int, quorum: int, status: str) -> None:
    """With nobody left to wait for, a quorum exactly reached concludes, and one answer fewer fails with the reason."""
    job_id = accepted(db, ada, quorum=quorum)
    moves = [
        finish(db, claimed(db, job_id, seat), said() if number < answered else failed(f"{seat} broke"))[1]
        for number, seat in enumerate(PANEL)
    ]

    assert [move.status for move in moves if move] == [status] and moves[-1] is not None
    query = queries.find(db, job_id)
    assert query.status == status
    if status == "failed":
        assert f"No consensus: {answered} of the panel answered, and {quorum} are needed." in query.notes
        assert f"{PANEL[-1]}: {PANEL[-1]} broke" in query.notes
        assert query.finished_at == after(1) and hints(db, job_id) == []
    else:
        assert query.finished_at is None and hints(db, job_id) == [("conclude", "")]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_deadline_settles_a_query_and_names_who_was_late(db: Database, ada: int, answered: int) -> None:
    """At the deadline for asking, not a microsecond before, who has not answered is late and the quorum decides."""
    job_id = accepted(db, ada)
    for seat in PANEL[:answered]:
        finish(db, claimed(db, job_id, seat))
    holding = claimed(db, job_id, PANEL[answered], at=30)

    assert settle(db, job_id, rows.ASK_S - 0.000001) is None
    moved = settle(db, job_id, rows.ASK_S)

    assert moved == Moved("aggregating" if answered == 2 else "failed", PANEL[answered:])
    assert set(list(statuses(db, job_id).values())[answered:]) == {"timed_out"}
    late = response(db, job_id, holding.agent_id)
    assert (late.error, late.finished_at, late.lease_until) == ("no answer before the deadline", after(36), None)
    assert settle(db, job_id, rows.ASK_S + 1) is None
    assert finish(db, holding, at=rows.ASK_S + 1) == (False, None)
    assert not asking.renew(db, holding, lease_until=after(99))
    assert claim(db, job_id, PANEL[answered], at=99) is None
    assert hints(db, job_id) == ([("conclude", "")] if answered == 2 else [])


def test_answer_after_the_deadline_that_nobody_settled_yet_still_counts(db: Database, ada: int) -> None:
    """The first response stored after the deadline settles the query by itself, with those left as late."""
    job_id = accepted(db, ada)
    first, second = claimed(db, job_id, "qwen"), claimed(db, job_id, "mistral", at=30)
    finish(db, first)

    assert finish(db, second, at=rows.ASK_S + 1) == (True, Moved("aggregating", ("deephermes",)))


def test_two_last_responses_at_the_same_moment_move_the_query_once(db: Database, other: Database, ada: int) -> None:
    """Fifty times, the two last responses are stored at one moment, and exactly one of them moves the query on."""
    for _ in range(50):
        job_id = accepted(db, ada, ("qwen", "mistral"))
        first, second = claimed(db, job_id, "qwen"), claimed(db, job_id, "mistral")

        results = at_once(lambda: finish(db, first), lambda: finish(other, second))  # noqa: B023

        assert [stored for stored, _ in results] == [True, True]
        assert [moved for _, moved in results if moved] == [Moved("aggregating", ())], job(db, job_id).status
        assert job(db, job_id).status == "aggregating" and hints(db, job_id) == [("conclude", "")]


def test_last_response_and_deadline_at_the_same_moment_move_the_query_once(
    db: Database, other: Database, ada: int
) -> None:
    """Twenty times, a last response meets the sweeper at the deadline: one moves the query, and no answer is half."""
    for _ in range(20):
        job_id = accepted(db, ada, quorum=1)
        finish(db, claimed(db, job_id, "qwen"))
        held = claimed(db, job_id, "mistral", at=30)

        (stored, moved), swept = at_once(
            lambda: finish(db, held, at=36),  # noqa: B023
            lambda: (False, settle(other, job_id, 36)),  # noqa: B023
        )

        assert (moved is None) != (swept[1] is None)
        assert response(db, job_id, "mistral").status == ("ok" if stored else "timed_out")
        assert hints(db, job_id) == [("conclude", "")]


def test_cancelled_query_takes_no_answer(db: Database, ada: int) -> None:
    """After a cancel nothing can be claimed, renewed or stored, and what was pending is cancelled."""
    job_id = accepted(db, ada)
    held = claimed(db, job_id, "qwen")

    query, is_ended_now = queries.cancel(db, job_id, user_id=ada, now=after(2))

    assert is_ended_now and query.status == "cancelled" and query.finished_at == after(2)
    assert set(statuses(db, job_id).values()) == {"cancelled"} and hints(db, job_id) == []
    assert claim(db, job_id, "mistral", at=3) is None
    assert finish(db, held, at=3) == (False, None)
    assert not asking.renew(db, held, lease_until=after(99))
    again, is_ended_now = queries.cancel(db, job_id, user_id=ada, now=after(9))
    assert (again.finished_at, is_ended_now) == (after(2), False)


def test_deleted_while_asked_leaves_nothing_to_write_to(db: Database, ada: int) -> None:
    """A query deleted while its agents are asked is gone whole; its workers can neither renew nor store."""
    job_id = accepted(db, ada)
    held = claimed(db, job_id, "qwen")

    queries.erase(db, job_id, user_id=ada)

    assert not asking.renew(db, held, lease_until=after(99))
    assert finish(db, held) == (False, None)
    assert claim(db, job_id, "mistral") is None
    assert settle(db, job_id, 99) is None
    assert rows.count(db, Response) == 0 and rows.count(db, Outbox) == 0
    assert outbox.claim_due(db, now=after(99), resend_s=4) == []
