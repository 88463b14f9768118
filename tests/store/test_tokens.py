"""API tokens: kept as hashes, dead at once when revoked or expired, and their use noted once a minute."""

from functools import partial

import pytest
from sqlalchemy import select

from folkmoot import accounts, tokens
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotFound, NotSignedIn
from folkmoot.models import ApiToken
from tests.store import rows
from tests.store.rows import NOW, after, at_once, caught


def used_at(db: Database, user_id: int) -> object:
    """When the newest token of a user was last used, as the user sees it."""
    return tokens.list_own(db, user_id)[0].last_used_at


def test_token_is_stored_only_as_its_hash(db: Database, ada: int) -> None:
    """Nothing in the database is the token; what is shown of it for good is its kind and seven characters."""
    text, token = tokens.create(db, ada, " laptop ", ["ask", "read"], now=NOW, days=30)

    with db.read() as connection:
        row = connection.execute(select(ApiToken.__table__)).one()
    assert tokens.SHAPE.fullmatch(text) and text not in str(tuple(row)) and len(row.token_hash) == 64
    assert token == tokens.list_own(db, ada)[0]
    assert (token.name, token.prefix, token.scopes) == ("laptop", text[:10], ["read", "ask"])
    assert (token.created_at, token.last_used_at, token.expires_at) == (NOW, None, after(30 * 86_400))
    with pytest.raises(NotSignedIn):
        tokens.whose(db, row.token_hash, now=NOW)


def test_token_is_its_owners_with_its_scopes(db: Database, ada: int) -> None:
    """A token tells whose it is and what it may do; no session's token, nor any other text, is taken for one."""
    text, _ = tokens.create(db, ada, "laptop", ["read"], now=NOW)

    account, scopes = tokens.whose(db, text, now=NOW)
    assert (account.user_id, account.username, account.is_admin, *scopes) == (ada, "ada", False, "read")
    assert tokens.whose(db, text, now=NOW, admins={"ada"})[0].is_admin
    assert tokens.is_one(text)
    assert not any(tokens.is_one(other) for other in ("", "fm_", text[3:], f"{text}x", f"fm_{'a' * 40}", f"{text}\n"))
    with pytest.raises(NotSignedIn):
        accounts.whose(db, text, now=NOW)


def test_revoked_token_is_dead_for_every_process_and_no_other(db: Database, other: Database, ada: int) -> None:
    """A revoked token is dead at once wherever it comes; the owner's other tokens live."""
    one, token = tokens.create(db, ada, "one", ["ask"], now=NOW)
    two, _ = tokens.create(db, ada, "two", ["ask"], now=NOW)
    assert tokens.whose(other, one, now=NOW)

    tokens.revoke(db, ada, token.id)

    with pytest.raises(NotSignedIn):
        tokens.whose(other, one, now=NOW)
    assert tokens.whose(other, two, now=NOW)
    with pytest.raises(NotFound):
        tokens.revoke(db, ada, token.id)


def test_strangers_token_cannot_be_revoked(db: Database, ada: int) -> None:
    """Somebody else's token is told apart from one that never was by nothing, and lives."""
    text, token = tokens.create(db, ada, "laptop", ["ask"], now=NOW)
    grace = rows.user(db, "grace")

    with pytest.raises(NotFound) as theirs:
        tokens.revoke(db, grace, token.id)
    with pytest.raises(NotFound) as nobodys:
        tokens.revoke(db, grace, token.id + 1)
    assert str(theirs.value) == str(nobodys.value)
    assert tokens.whose(db, text, now=NOW) and tokens.list_own(db, grace) == []


def test_token_expires_at_its_time(db: Database, ada: int) -> None:
    """A token is good until its time has come, and stays in the list."""
    text, _ = tokens.create(db, ada, "for a day", ["ask"], now=NOW, days=1)

    assert tokens.whose(db, text, now=after(86_399.999999))
    with pytest.raises(NotSignedIn):
        tokens.whose(db, text, now=after(86_400))
    assert [token.name for token in tokens.list_own(db, ada)] == ["for a day"]


def test_use_is_noted_at_most_once_a_minute(db: Database, ada: int) -> None:
    """The first use is noted, then none within a minute of the last that was."""
    text, _ = tokens.create(db, ada, "busy", ["ask"], now=NOW)
    seen = []
    for second in (0, 1, 59, 60, 61, 3600):
        tokens.whose(db, text, now=after(second))
        seen.append(used_at(db, ada))

    assert seen == [NOW, NOW, NOW, after(60), after(60), after(3600)]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x00", "\ud800"])
def test_bad_name_is_refused_and_stores_nothing(db: Database, ada: int, name: str) -> None:
    """A token without a name that can be shown is refused."""
    with pytest.raises(InvalidRequest, match="printable"):
        tokens.create(db, ada, name, ["ask"], now=NOW)
    assert tokens.list_own(db, ada) == []


def test_nobody_has_more_tokens_than_the_most(db: Database, other: Database, ada: int) -> None:
    """However many are asked for at one moment, the last that there is room for is made once."""
    for number in range(tokens.MOST - 1):
        tokens.create(db, ada, f"number {number}", ["ask"], now=NOW)

    def create(base: Database) -> object:
        return tokens.create(base, ada, "one more", ["ask"], now=NOW)

    made = at_once(*[caught(partial(create, base)) for base in (db, other) * 3])

    assert sum(isinstance(one, InvalidRequest) for one in made) == 5
    assert len(tokens.list_own(db, ada)) == tokens.MOST
