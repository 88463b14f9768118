"""Deletions that can be undone: hidden at once, back only by their owner's word, and erased when their time is over."""

import pytest

from folkmoot.db import Database
from folkmoot.errors import NotFound
from folkmoot.models import Deletion, Interaction, Response
from folkmoot.store import deletions, history, queries
from tests.store import rows
from tests.store.rows import NOW, after, at_once, caught, done


def listed(db: Database, user_id: int) -> list[str]:
    """The job_ids of the history."""
    return [one.job_id for one in history.page(db, user_id, limit=50, before=None, search="").queries]


def test_deleted_query_is_hidden_from_its_owner_at_once(db: Database, ada: int) -> None:
    """It is in no list, at no address and in no conversation, and cannot be deleted so twice; the others stay."""
    gone, kept = done(db, ada), done(db, ada)

    deletions.hide(db, gone, user_id=ada, due_at=after(10))

    assert listed(db, ada) == [kept]
    assert queries.conversation(db, gone, user_id=ada) == ()
    for look in (
        lambda: queries.find(db, gone, user_id=ada),
        lambda: queries.owned(db, gone, user_id=ada),
        lambda: queries.cancel(db, gone, user_id=ada, now=NOW),
        lambda: deletions.hide(db, gone, user_id=ada, due_at=after(10)),
    ):
        with pytest.raises(NotFound):
            look()


def test_restored_query_is_whole(db: Database, ada: int) -> None:
    """Undone in time, the query is back as it was, and is not erased later."""
    job_id = done(db, ada)
    before = queries.find(db, job_id, user_id=ada)
    deletions.hide(db, job_id, user_id=ada, due_at=after(10))

    deletions.restore(db, job_id, user_id=ada, now=after(9))

    assert queries.find(db, job_id, user_id=ada) == before
    assert list(deletions.erase_due(db, now=after(11))) == []


def test_query_is_erased_when_its_time_is_over_and_not_before(db: Database, ada: int) -> None:
    """Nothing of it is left then; until then everything is."""
    job_id, other = done(db, ada), done(db, ada)
    deletions.hide(db, job_id, user_id=ada, due_at=after(10))

    assert list(deletions.erase_due(db, now=after(9.9))) == []
    assert rows.count(db, Interaction) == 2
    assert list(deletions.erase_due(db, now=after(10))) == [job_id]

    assert (rows.count(db, Interaction), rows.count(db, Deletion)) == (1, 0)
    assert listed(db, ada) == [other]


def test_deletion_is_final_when_its_time_is_over(db: Database, ada: int) -> None:
    """Too late is too late, whether the sweeper has come by already or not."""
    job_id = done(db, ada)
    deletions.hide(db, job_id, user_id=ada, due_at=after(10))

    with pytest.raises(NotFound):
        deletions.restore(db, job_id, user_id=ada, now=after(10))
    assert list(deletions.erase_due(db, now=after(10))) == [job_id]
    with pytest.raises(NotFound):
        deletions.restore(db, job_id, user_id=ada, now=after(9))


def test_nobody_deletes_or_restores_what_is_anothers(db: Database, ada: int) -> None:
    """To another user the query does not exist, hidden or not."""
    eve, job_id = rows.user(db, "eve"), done(db, ada)

    with pytest.raises(NotFound):
        deletions.hide(db, job_id, user_id=eve, due_at=after(10))
    deletions.hide(db, job_id, user_id=ada, due_at=after(10))
    with pytest.raises(NotFound):
        deletions.restore(db, job_id, user_id=eve, now=NOW)

    assert listed(db, ada) == []
    deletions.restore(db, job_id, user_id=ada, now=NOW)


@pytest.mark.parametrize("job_id", ["", "no such", "\x00"])
def test_unknown_query_is_neither_hidden_nor_restored(db: Database, ada: int, job_id: str) -> None:
    """An id that is none is answered like one that is another's."""
    with pytest.raises(NotFound):
        deletions.hide(db, job_id, user_id=ada, due_at=NOW)
    with pytest.raises(NotFound):
        deletions.restore(db, job_id, user_id=ada, now=NOW)


def test_restored_and_swept_at_once_it_is_one_or_the_other(db: Database, other: Database, ada: int) -> None:
    """Whoever is told that the query is back has it back, though the sweeper came at the same moment."""
    for _ in range(8):
        job_id = done(db, ada)
        deletions.hide(db, job_id, user_id=ada, due_at=after(10))

        def undo(job_id: str = job_id) -> bool:
            refusal = caught(lambda: deletions.restore(db, job_id, user_id=ada, now=after(9)))()
            return refusal is None

        is_back, is_erased = at_once(undo, lambda: bool(list(deletions.erase_due(other, now=after(10)))))

        assert is_back != is_erased
        assert listed(db, ada) == ([job_id] if is_back else [])
        if is_back:
            queries.erase(db, job_id, user_id=ada)
    assert rows.count(db, Response) == 0


def test_worker_goes_on_with_a_hidden_query(db: Database, ada: int) -> None:
    """A query that still runs when it is deleted ends as always, for its owner may have it back."""
    job_id = rows.accepted(db, ada)
    deletions.hide(db, job_id, user_id=ada, due_at=after(10))

    assert queries.find(db, job_id).status == "accepted"


def test_history_of_one_domain(db: Database, ada: int) -> None:
    """The filter by domain finds that domain's queries, and nothing for one that is none."""
    rows.accepted(db, ada, domain="Policy", query="p")
    rows.accepted(db, ada, domain="Healthcare", query="h")

    def of(domain: str) -> list[str]:
        page = history.page(db, ada, limit=9, before=None, search="", domain=domain)
        return [one.query for one in page.queries]

    assert (of("Policy"), of("nowhere"), of("\x00")) == (["p"], [], [])
