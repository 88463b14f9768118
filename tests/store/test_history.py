"""The history: complete, without doubles, private, and searched to the letter; and the conversation of a follow-up."""

import pytest

from folkmoot.db import Database
from folkmoot.prompts import Turn
from folkmoot.store import history, queries
from tests.store import rows
from tests.store.rows import accepted, done


def found(db: Database, user_id: int, search: str) -> list[str]:
    """The questions that a search finds."""
    return [one.query for one in history.page(db, user_id, limit=50, before=None, search=search).queries]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_paging_is_complete_and_without_doubles_while_queries_come_in(db: Database, ada: int, limit: int) -> None:
    """Turning pages shows each query that was there at the start once, newest first, whatever comes in meanwhile."""
    eve = rows.user(db, "eve")
    jobs = [accepted(db, ada) for _ in range(7)]
    seen: list[str] = []
    before: int | None = None

    while True:
        page = history.page(db, ada, limit=limit, before=before, search="")
        seen += [one.job_id for one in page.queries]
        accepted(db, ada)
        accepted(db, eve)
        if page.next_cursor is None:
            break
        before = int(page.next_cursor)

    assert seen == jobs[::-1]


def test_paging_goes_on_when_the_last_query_shown_is_deleted(db: Database, ada: int) -> None:
    """A cursor stays good when the query it stands at is deleted."""
    jobs = [accepted(db, ada) for _ in range(5)]
    first = history.page(db, ada, limit=2, before=None, search="")
    queries.erase(db, first.queries[-1].job_id, user_id=ada)

    assert first.next_cursor is not None
    rest = history.page(db, ada, limit=9, before=int(first.next_cursor), search="")

    assert [one.job_id for one in rest.queries] == jobs[2::-1]


def test_page_that_is_exactly_full_has_no_next(db: Database, ada: int) -> None:
    """A page that shows the last query does not point to an empty one."""
    for _ in range(4):
        accepted(db, ada)

    assert history.page(db, ada, limit=4, before=None, search="").next_cursor is None
    assert history.page(db, ada, limit=3, before=None, search="").next_cursor is not None


def test_history_shows_own_queries_only(db: Database, ada: int) -> None:
    """Somebody else's queries are neither listed nor found by search."""
    accepted(db, ada, query="mine")

    assert found(db, rows.user(db, "eve"), "") == [] == found(db, rows.user(db, "bob"), "mine")


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("%", ["100% sure?"]),
        ("_", ["snake_case"]),
        ("/", ["a/b"]),
        ("\\", ["back\\slash"]),
        ("'", ["it's"]),
        ("SNAKE", ["snake_case"]),
        ("% s", ["100% sure?"]),
        ("%%", []),
        ("1__", []),
        ("nothing like it", []),
    ],
)
def test_search_takes_every_character_as_itself(db: Database, ada: int, search: str, expected: list[str]) -> None:
    """Percent, underscore, slashes and quotes in a search mean themselves; case does not matter."""
    for text in ("100% sure?", "snake_case", "a/b", "back\\slash", "it's", "plain"):
        accepted(db, ada, ("qwen",), query=text)

    assert found(db, ada, search) == expected


def test_search_disregards_case_beyond_english(db: Database, ada: int) -> None:
    """A search finds a word whatever its case, in other alphabets too, on both databases."""
    accepted(db, ada, ("qwen",), query="Ist die Überwachung gerecht? Справедливо ли это?")
    accepted(db, ada, ("qwen",), query="Is İstanbul, or ΟΔΟΣ ΑΘΗΝΑΣ, too large?")

    assert found(db, ada, "überwachung") and found(db, ada, "СПРАВЕДЛИВО")
    for word in ("İstanbul", "ΟΔΟΣ", "ΑΘΗΝΑΣ"):
        assert len(found(db, ada, word)) == 1, word


@pytest.mark.parametrize("search", ["\x00", "a\x00b"])
def test_search_for_what_no_text_holds_finds_nothing(db: Database, ada: int, search: str) -> None:
    """A search for a character that no question can hold finds nothing, and is no error."""
    accepted(db, ada)

    assert found(db, ada, search) == []


def test_conversation_leads_up_to_the_query(db: Database, ada: int) -> None:
    """A follow-up carries the questions and consensuses before it, oldest first."""
    first = done(db, ada, query="First?")
    second = done(db, ada, query="Second?", parent_job_id=first)

    assert queries.conversation(db, second, user_id=ada) == (
        Turn("First?", "Yes, with safeguards."),
        Turn("Second?", "Yes, with safeguards."),
    )


def test_conversation_is_bounded_and_keeps_the_newest(db: Database, ada: int) -> None:
    """A long conversation carries its newest questions only."""
    job_id: str | None = None
    for number in range(queries.LONGEST_CONVERSATION + 2):
        job_id = done(db, ada, ("qwen",), quorum=1, query=str(number), parent_job_id=job_id)

    assert [turn.query for turn in queries.conversation(db, job_id, user_id=ada)] == ["2", "3", "4", "5"]


def test_conversation_stops_at_another_users_query(db: Database, ada: int) -> None:
    """Nothing of another user's query gets into a conversation, nor anything that lies behind it."""
    eve = rows.user(db, "eve")
    oldest = done(db, ada, query="Ada's oldest")
    theirs = done(db, eve, query="Eve's secret", parent_job_id=oldest)
    mine = done(db, ada, query="Ada's", parent_job_id=theirs)

    assert [turn.query for turn in queries.conversation(db, mine, user_id=ada)] == ["Ada's"]
    assert queries.conversation(db, theirs, user_id=ada) == ()


def test_conversation_goes_on_without_a_deleted_query(db: Database, ada: int) -> None:
    """A follow-up of a deleted query carries what is left, and is no error."""
    first = done(db, ada)
    second = done(db, ada, query="Second?", parent_job_id=first)
    queries.erase(db, first, user_id=ada)

    assert [turn.query for turn in queries.conversation(db, second, user_id=ada)] == ["Second?"]
    assert queries.find(db, second).parent_job_id == first
