"""What is overdue: leases that ran out, attempts that are used up, deadlines that have passed, analyses nobody did."""

import pytest

from folkmoot.db import Database
from folkmoot.store import asking, overdue, queries
from folkmoot.store.asking import Moved
from tests.store import rows
from tests.store.rows import (
    ATTEMPTS,
    LEASE_S,
    accepted,
    after,
    aggregating,
    at_once,
    claim,
    claimed,
    conclude,
    conclusion,
    done,
    finish,
    hints,
    job,
    response,
    statuses,
    take_conclusion,
)


def free_responses(db: Database, at: float) -> list[tuple[str, list[str], Moved | None]]:
    """Take silent claims on responses back at this time."""
    return list(overdue.free_responses(db, now=after(at), attempts=ATTEMPTS, hint_due_at=after(at)))


def free_conclusions(db: Database, at: float) -> list[str]:
    """Take silent claims on aggregations back at this time."""
    return list(overdue.free_conclusions(db, now=after(at), attempts=ATTEMPTS))


def settle_late(db: Database, at: float) -> list[tuple[str, Moved]]:
    """Move on what is late at this time."""
    return list(overdue.settle_late(db, now=after(at), hint_due_at=after(at)))


def used_up(db: Database, job_id: str, agent_id: str) -> float:
    """Let a seat's worker die as often as it may; returns when its last lease runs out."""
    for number in range(ATTEMPTS):
        claimed(db, job_id, agent_id, at=number * LEASE_S)
        if number < ATTEMPTS - 1:
            assert free_responses(db, (number + 1) * LEASE_S) == []
    return ATTEMPTS * LEASE_S


def test_silent_claim_is_freed_and_asked_again(db: Database, ada: int) -> None:
    """A lease that ran out is taken back with a new hint, once, and others stay as they are."""
    job_id = accepted(db, ada)
    claimed(db, job_id, "qwen")
    claimed(db, job_id, "mistral", at=5)

    assert free_responses(db, LEASE_S - 0.000001) == [] and ("ask", "qwen") not in hints(db, job_id)
    assert free_responses(db, LEASE_S) == []
    assert free_responses(db, LEASE_S) == []
    assert hints(db, job_id) == [("ask", "deephermes"), ("ask", "qwen")]
    assert response(db, job_id, "mistral").lease_until == after(5 + LEASE_S)
    again = claimed(db, job_id, "qwen", at=LEASE_S)
    assert again.attempt == 2 and not again.is_first


def test_attempts_used_up_fail_with_the_reason_and_the_query_moves_on(db: Database, ada: int) -> None:
    """A seat whose worker died each time is failed with that reason, and the query no longer waits for it."""
    job_id = accepted(db, ada, deadline_at=after(200), ask_deadline_at=after(150))
    for seat in ("qwen", "mistral"):
        finish(db, claimed(db, job_id, seat))
    end = used_up(db, job_id, "deephermes")

    assert free_responses(db, end) == [(job_id, ["deephermes"], Moved("aggregating", ()))]

    row = response(db, job_id, "deephermes")
    assert (row.status, row.error, row.attempts) == ("failed", overdue.DEADLY, ATTEMPTS)
    assert job(db, job_id).status == "aggregating" and hints(db, job_id) == [("conclude", "")]
    assert free_responses(db, end + 1) == []


def test_attempts_used_up_by_the_whole_panel_fail_the_query(db: Database, ada: int) -> None:
    """When every worker died each time, the query fails with each seat's reason."""
    job_id = accepted(db, ada, ("qwen",), quorum=1, ask_deadline_at=after(150))

    end = used_up(db, job_id, "qwen")

    assert free_responses(db, end) == [(job_id, ["qwen"], Moved("failed", ()))]
    assert f"qwen: {overdue.DEADLY}" in queries.find(db, job_id).notes


def test_holder_that_was_given_up_cannot_write(db: Database, ada: int) -> None:
    """Who comes back after its last lease was taken cannot store what it has."""
    job_id = accepted(db, ada, ask_deadline_at=after(150))
    for at in (0, LEASE_S):
        claimed(db, job_id, "qwen", at=at)
    last = claimed(db, job_id, "qwen", at=2 * LEASE_S)
    free_responses(db, 3 * LEASE_S)

    assert finish(db, last, at=3 * LEASE_S) == (False, None)
    assert not asking.renew(db, last, lease_until=after(200))
    assert response(db, job_id, "qwen").status == "failed"


def test_two_sweepers_at_once_free_and_fail_once(db: Database, other: Database, ada: int) -> None:
    """Four sweepers at one moment write one hint for each freed claim, and report each failure once."""
    freed = [accepted(db, ada, ask_deadline_at=after(150)) for _ in range(4)]
    dead = [accepted(db, ada, ask_deadline_at=after(150)) for _ in range(4)]
    for job_id in freed:
        claimed(db, job_id, "qwen", at=30)
    for job_id in dead:
        for at in (0, 15, 30):
            claimed(db, job_id, "qwen", at=at)

    reports = at_once(*[lambda base=base: free_responses(base, 45) for base in (db, other) * 2])

    assert sorted(job_id for report in reports for job_id, _, _ in report) == sorted(dead)
    assert all(hints(db, job_id).count(("ask", "qwen")) == 1 for job_id in freed)


def test_free_against_renew_and_finish_loses_no_answer(db: Database, other: Database, ada: int) -> None:
    """Twenty times a sweeper meets a slow but living worker: its answer is stored, or the seat is asked again."""
    for _ in range(20):
        job_id = accepted(db, ada, ("qwen",), quorum=1)
        held = claimed(db, job_id, "qwen")

        (stored, _), _ = at_once(
            lambda: finish(db, held, at=LEASE_S),  # noqa: B023
            lambda: (False, free_responses(other, LEASE_S)),
        )

        assert stored and job(db, job_id).status == "aggregating"
        assert hints(db, job_id) == [("conclude", "")]


@pytest.mark.parametrize("agent_ids", [("qwen",), rows.PANEL])
def test_late_queries_are_settled_once(db: Database, other: Database, ada: int, agent_ids: tuple[str, ...]) -> None:
    """Every query past its time for asking is moved on by one of two sweepers, claimed by somebody or not."""
    jobs = [accepted(db, ada, agent_ids, quorum=1) for _ in range(5)]
    for job_id in jobs[:3]:
        finish(db, claimed(db, job_id, "qwen")) if len(agent_ids) > 1 else claimed(db, job_id, "qwen", at=30)

    assert settle_late(db, 35.9) == []
    moved = at_once(*[lambda base=base: settle_late(base, 36) for base in (db, other)])

    found = [job_id for sweeper in moved for job_id, _ in sweeper]
    assert sorted(found) == sorted(jobs)
    answered = "aggregating" if len(agent_ids) > 1 else "failed"
    assert [job(db, job_id).status for job_id in jobs] == [answered] * 3 + ["failed"] * 2
    assert "timed_out" in statuses(db, jobs[0]).values()


def test_silent_conclusion_is_freed_and_concluded_again(db: Database, ada: int) -> None:
    """A lease on an aggregation that ran out is taken back with one new hint, and the old holder is fenced off."""
    job_id = aggregating(db, ada)
    old = conclusion(db, job_id, at=2)

    assert free_conclusions(db, 2 + LEASE_S - 0.000001) == [] and hints(db, job_id) == []
    assert free_conclusions(db, 2 + LEASE_S) == [] == free_conclusions(db, 2 + LEASE_S)
    assert hints(db, job_id) == [("conclude", "")]
    new = conclusion(db, job_id, at=2 + LEASE_S)
    assert not conclude(db, old) and conclude(db, new)


def test_conclusion_whose_workers_all_died_fails_with_the_reason(db: Database, ada: int) -> None:
    """When every attempt to conclude died, the query fails with that reason, and keeps its responses."""
    job_id = aggregating(db, ada, deadline_at=after(500))
    last = [conclusion(db, job_id, at=number * LEASE_S) for number in range(ATTEMPTS)][-1]

    assert free_conclusions(db, ATTEMPTS * LEASE_S - 0.1) == []
    assert free_conclusions(db, ATTEMPTS * LEASE_S) == [job_id]

    query = queries.find(db, job_id)
    assert query.status == "failed" and overdue.GIVEN_UP in query.notes
    assert set(statuses(db, job_id).values()) == {"ok"} and hints(db, job_id) == []
    assert not conclude(db, last)
    assert free_conclusions(db, 999) == []


@pytest.mark.parametrize("is_held", [False, True])
def test_conclusion_past_the_deadline_fails_whoever_holds_it(db: Database, ada: int, is_held: bool) -> None:
    """A moment after the deadline an aggregation is failed, even one that is held, or that nobody took."""
    job_id = aggregating(db, ada)
    if is_held:
        take_conclusion(db, job_id, at=59)
    grace = rows.DEADLINE_S + overdue.GRACE_S

    assert free_conclusions(db, grace - 0.000001) == []
    assert free_conclusions(db, grace) == [job_id]
    assert (overdue.TOO_LATE if is_held else overdue.NOT_TAKEN) in queries.find(db, job_id).notes


def test_two_sweepers_at_once_fail_a_conclusion_once(db: Database, other: Database, ada: int) -> None:
    """Four sweepers at one moment report each failed aggregation once, with one note."""
    jobs = [aggregating(db, ada) for _ in range(4)]

    reports = at_once(*[lambda base=base: free_conclusions(base, 99) for base in (db, other) * 2])

    assert sorted(job_id for report in reports for job_id in report) == sorted(jobs)
    assert all(queries.find(db, job_id).notes == [overdue.NOT_TAKEN] for job_id in jobs)


def test_analysis_that_nobody_finished_is_given_up_once(db: Database, other: Database, ada: int) -> None:
    """An analysis that is pending too long fails with a reason, once, and its hint is gone."""
    job_id = done(db, ada)

    def give_up(base: Database, at: float) -> list[str]:
        return [one for one, _ in list(overdue.give_up_analyses(base, now=after(at), analysis_s=60))]

    assert give_up(db, 62.9) == []
    reports = at_once(*[lambda base=base: give_up(base, 63) for base in (db, other) * 2])

    assert [one for report in reports for one in report] == [job_id]
    analysis = queries.find(db, job_id).analysis
    assert analysis.status == "failed" and analysis.reason
    assert hints(db, job_id) == []


def test_ended_queries_are_never_overdue(db: Database, ada: int) -> None:
    """However much later, nothing is done to queries that are cancelled, failed or done and analysed."""
    cancelled, gone = accepted(db, ada), accepted(db, ada)
    claimed(db, cancelled, "qwen")
    claimed(db, gone, "qwen")
    queries.cancel(db, cancelled, user_id=ada, now=after(1))
    queries.erase(db, gone, user_id=ada)

    assert free_responses(db, 9999) == [] and settle_late(db, 9999) == [] and free_conclusions(db, 9999) == []
    assert claim(db, cancelled, "qwen", at=9999) is None
    assert queries.find(db, cancelled).finished_at == after(1)
