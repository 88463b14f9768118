"""Concluding: a fenced claim, one consensus, one end; then one analysis."""

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from folkmoot.db import Database
from folkmoot.errors import NotFound
from folkmoot.models import Analysis, Outbox, Response
from folkmoot.resources import AnalysisResource
from folkmoot.store import concluding, queries
from tests.store import rows
from tests.store.rows import (
    LEASE_S,
    NOW,
    accepted,
    after,
    aggregating,
    at_once,
    claimed,
    conclude,
    conclusion,
    done,
    failed,
    finish,
    hints,
    job,
    said,
    take_conclusion,
)

READY = AnalysisResource(status="ready", consensus_score=62.0, reason=None)


def test_sixteen_threads_claim_a_conclusion_and_one_wins(db: Database, ada: int) -> None:
    """Of sixteen claims at once on one aggregation one succeeds, and its hint is gone."""
    job_id = aggregating(db, ada)

    won = [one for one in at_once(*[lambda: take_conclusion(db, job_id)] * 16) if one is not None]

    assert [one.fence for one in won] == [1]
    assert hints(db, job_id) == []


def test_conclusion_holds_the_answers_that_count_and_the_whole_panel(db: Database, ada: int) -> None:
    """Who concludes gets the good answers in the panel's order; failed ones are not among them, the panel is whole."""
    job_id = accepted(db, ada)
    finish(db, claimed(db, job_id, "deephermes"), said("D"))
    finish(db, claimed(db, job_id, "mistral"), failed("HTTP 500"))
    finish(db, claimed(db, job_id, "qwen"), said("Q"))

    held = conclusion(db, job_id)

    assert [row.text for row in held.responses] == ["Q", "D"]
    assert set(held.panel) == set(rows.PANEL)


def test_only_an_aggregating_query_can_be_concluded(db: Database, ada: int) -> None:
    """No conclusion can be claimed of a query that is asking, done, failed, cancelled, deleted or unknown."""
    asking_, finished, cancelled, deleted = accepted(db, ada), done(db, ada), aggregating(db, ada), aggregating(db, ada)
    queries.cancel(db, cancelled, user_id=ada, now=NOW)
    queries.erase(db, deleted, user_id=ada)

    assert [take_conclusion(db, one) for one in (asking_, finished, cancelled, deleted, "none")] == [None] * 5


def test_old_fence_can_do_nothing(db: Database, ada: int) -> None:
    """Once a newer claim exists, the older one cannot renew, conclude or fail; the newer one can."""
    job_id = aggregating(db, ada)
    old = conclusion(db, job_id)
    new = conclusion(db, job_id, at=2 + LEASE_S)

    assert not concluding.renew(db, old, lease_until=after(99))
    assert not conclude(db, old, "the old one")
    assert not concluding.fail(db, old, notes=["the old one"], now=after(5))
    assert job(db, job_id).lease_until == after(2 + 2 * LEASE_S)
    assert concluding.renew(db, new, lease_until=after(50))
    assert conclude(db, new, "The new one stands here.", at=20)
    query = queries.find(db, job_id)
    assert query.consensus is not None and query.consensus.text == "The new one stands here."
    assert "the old one" not in query.notes


@pytest.mark.parametrize(("at", "is_free"), [(LEASE_S + 1.999999, False), (LEASE_S + 2, True)])
def test_lease_on_a_conclusion_holds_until_it_runs_out(db: Database, ada: int, at: float, is_free: bool) -> None:
    """An aggregation that somebody holds cannot be claimed before its lease has run out."""
    job_id = aggregating(db, ada)
    conclusion(db, job_id, at=2)

    assert (take_conclusion(db, job_id, at=at) is not None) is is_free


def test_conclusions_are_counted_and_end(db: Database, ada: int) -> None:
    """After as many claims as there are attempts, none succeeds any more."""
    job_id = aggregating(db, ada)

    assert [conclusion(db, job_id, at=100 * number).fence for number in range(3)] == [1, 2, 3]
    assert take_conclusion(db, job_id, at=999) is None


def test_consensus_ends_the_query_in_one_transaction(db: Database, ada: int) -> None:
    """With the consensus come the end, the note, the aggregator, a pending analysis and its hint."""
    job_id = aggregating(db, ada, notes=["llama3 took a place."])

    assert conclude(db, conclusion(db, job_id), at=3)

    query = queries.find(db, job_id)
    assert (query.status, query.finished_at, query.aggregator.used) == ("done", after(3), "llama3")
    assert query.notes == ["llama3 took a place.", "a note"]
    assert query.consensus == rows.consensus("Yes, with safeguards.")
    assert query.analysis.status == "pending"
    assert query.panel == list(rows.PANEL) and len(query.responses) == 3
    assert hints(db, job_id) == [("analyse", "")]


def test_one_claim_used_by_many_threads_concludes_once(db: Database, other: Database, ada: int) -> None:
    """The same claim used by eight threads at once, half to conclude and half to fail, ends the query once."""
    for _ in range(5):
        job_id = aggregating(db, ada)
        held = conclusion(db, job_id)

        ended = at_once(
            *[lambda: conclude(db, held)] * 4,  # noqa: B023
            *[lambda: concluding.fail(other, held, notes=["broken"], now=after(4))] * 4,  # noqa: B023
        )

        query = queries.find(db, job_id)
        assert sum(ended) == 1
        assert (query.consensus is not None) == (query.status == "done")
        assert query.status in ("done", "failed")


def test_database_itself_refuses_a_second_consensus(db: Database, ada: int) -> None:
    """Even a write past every check cannot store a second consensus of a job, of whichever agent."""
    job_id = done(db, ada)
    row = {"job_id": job_id, "agent_id": "mistral", "is_aggregator": True, "role": "None", "model": "m"}

    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(insert(Response).values(**row, status="ok", cached=False, attempts=1, created_at=NOW))


def test_failed_conclusion_ends_the_query_with_its_reasons(db: Database, ada: int) -> None:
    """A query that cannot be concluded is failed once, keeps the responses and every note, and has no hint left."""
    job_id = aggregating(db, ada, notes=["before"])
    held = conclusion(db, job_id)

    assert concluding.fail(db, held, notes=["why"], now=after(5))
    assert not concluding.fail(db, held, notes=["again"], now=after(6))
    assert not conclude(db, held)
    query = queries.find(db, job_id)
    assert (query.status, query.notes, query.finished_at) == ("failed", ["before", "why"], after(5))
    assert query.analysis.status == "skipped" and query.consensus is None and query.degraded
    assert hints(db, job_id) == []


def test_cancel_and_conclude_at_the_same_moment_leave_one_end(db: Database, other: Database, ada: int) -> None:
    """Ten times a cancel meets a consensus: the query ends as one of the two, never as a mixture."""
    for _ in range(10):
        job_id = aggregating(db, ada)
        held = conclusion(db, job_id)

        concluded, (_, cancelled) = at_once(
            lambda: (conclude(db, held), False),  # noqa: B023
            lambda: queries.cancel(other, job_id, user_id=ada, now=after(3)),  # noqa: B023
        )

        query = queries.find(db, job_id)
        assert (concluded[0], cancelled) in ((True, False), (False, True))
        assert query.status == ("done" if concluded[0] else "cancelled")
        assert (query.consensus is not None) == bool(concluded[0])
        assert hints(db, job_id) == ([("analyse", "")] if concluded[0] else [])


def test_deleted_while_concluded_leaves_nothing_to_write_to(db: Database, ada: int) -> None:
    """A query deleted while it is concluded takes no consensus and no failure."""
    job_id = aggregating(db, ada)
    held = conclusion(db, job_id)

    queries.erase(db, job_id, user_id=ada)

    assert not concluding.renew(db, held, lease_until=after(99))
    assert not conclude(db, held)
    assert not concluding.fail(db, held, notes=[], now=after(4))
    assert [rows.count(db, table) for table in (Response, Analysis, Outbox)] == [0, 0, 0]


def test_analysis_is_stored_once(db: Database, other: Database, ada: int) -> None:
    """Of eight results of one analysis at the same moment one is stored, and its hint is gone."""
    job_id = done(db, ada)

    stored = at_once(
        *[lambda base=base: concluding.finish_analysis(base, job_id, READY, now=after(9)) for base in (db, other) * 4]
    )

    assert sum(stored) == 1
    assert queries.find(db, job_id).analysis == READY and hints(db, job_id) == []
    assert concluding.to_analyse(db, job_id) is None


def test_analysis_measures_the_panel_and_not_the_consensus(db: Database, ada: int) -> None:
    """What is measured are the panel's good answers; the aggregator's own text is not among them."""
    job_id = accepted(db, ada, ("qwen", "llama3", "mistral"))
    finish(db, claimed(db, job_id, "qwen"), said("Q"))
    finish(db, claimed(db, job_id, "mistral"), failed())
    finish(db, claimed(db, job_id, "llama3"), said("L"))
    conclude(db, conclusion(db, job_id), "The consensus.")

    found = concluding.to_analyse(db, job_id)

    assert found is not None
    assert [row.text for row in found.responses] == ["Q", "L"]
    assert found.consensus == "The consensus."


@pytest.mark.parametrize("make", [accepted, aggregating])
def test_analysis_before_the_end_stores_nothing(db: Database, ada: int, make: object) -> None:
    """A hint to analyse that comes before the consensus changes nothing."""
    assert callable(make)
    job_id: str = make(db, ada)
    before = hints(db, job_id)

    assert not concluding.finish_analysis(db, job_id, READY, now=after(1))
    assert queries.find(db, job_id).analysis.status == "pending" and hints(db, job_id) == before
    assert concluding.to_analyse(db, job_id) is None, "there is nothing to analyse yet"


def test_analysis_of_a_deleted_query_stores_nothing(db: Database, ada: int) -> None:
    """What was measured of a query that is gone meanwhile is dropped."""
    job_id = done(db, ada)
    queries.erase(db, job_id, user_id=ada)

    assert not concluding.finish_analysis(db, job_id, READY, now=after(9))
    with pytest.raises(NotFound):
        queries.find(db, job_id)
