"""Accounts: argon2id, tokens kept as hashes, one name whatever its case, and one first user."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listen

from folkmoot import accounts, tokens
from folkmoot.accounts import Account
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotSignedIn, UsernameTaken
from folkmoot.models import Session, User
from tests.store.rows import NOW, after, at_once, caught

PASSWORD = "correct horse battery staple"


def sign_up(db: Database, name: str = "Ada", *, request_id: str = "r1", password: str = PASSWORD) -> Account:
    """Make an account."""
    return accounts.sign_up(db, name, password, request_id=request_id, now=NOW)


def sign_in(db: Database, name: str = "Ada", password: str = PASSWORD, at: float = 0) -> str:
    """Begin a session of an hour."""
    return accounts.sign_in(db, name, password, now=after(at), hours=1)[0]


def test_password_is_kept_as_argon2id_with_the_parameters_meant(db: Database) -> None:
    """What is stored of a password is argon2id's hash with 19 MiB, two passes and one lane, salted anew each time."""
    sign_up(db, "one")
    sign_up(db, "two", request_id="r2")

    with db.read() as connection:
        hashes = list(connection.scalars(select(User.password_hash)))

    assert [hash_.split("$")[1:4] for hash_ in hashes] == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * 2
    assert hashes[0] != hashes[1] and PASSWORD not in "".join(hashes)


def test_token_is_stored_only_as_its_hash(db: Database) -> None:
    """Nothing in the database is a session's token, and it has at least 256 bits."""
    account = sign_up(db)
    token = sign_in(db)

    with db.read() as connection:
        row = connection.execute(select(Session)).one()

    assert token not in str(tuple(row)) and len(row.token_hash) == 64
    assert len(token) >= 43
    assert accounts.whose(db, token, now=NOW) == account
    with pytest.raises(NotSignedIn):
        accounts.whose(db, row.token_hash, now=NOW)


def test_session_expires_at_its_time(db: Database) -> None:
    """A token is good until its time has come, not a microsecond longer."""
    sign_up(db)
    token, expires_at = accounts.sign_in(db, "Ada", PASSWORD, now=NOW, hours=1)

    assert expires_at == after(3600)
    assert accounts.whose(db, token, now=after(3599.999999)).username == "Ada"
    with pytest.raises(NotSignedIn):
        accounts.whose(db, token, now=after(3600))


def test_sign_out_kills_the_token_for_every_process_and_no_other(db: Database, other: Database) -> None:
    """A token that was signed out is dead at once wherever it comes, other sessions live; twice is harmless."""
    sign_up(db)
    one, two = sign_in(db), sign_in(other)

    accounts.sign_out(db, one)
    accounts.sign_out(other, one)

    with pytest.raises(NotSignedIn):
        accounts.whose(other, one, now=NOW)
    assert accounts.whose(other, two, now=NOW).username == "Ada"


def change(db: Database, token: str, current: str = PASSWORD, new: str = "another one, longer") -> int:
    """Change Ada's password in the session with this token."""
    return accounts.change_password(db, accounts.whose(db, token, now=NOW).user_id, current, new, token=token)


def test_new_password_ends_the_other_sessions(db: Database, other: Database) -> None:
    """A new password leaves this session, the API tokens and other users alone, and ends all other sessions."""
    account = sign_up(db)
    sign_up(db, "grace", request_id="r2")
    here, there, elsewhere = sign_in(db), sign_in(db), sign_in(other)
    graces = sign_in(db, "grace")
    api_token, _ = tokens.create(db, account.user_id, "laptop", ["ask"], now=NOW)

    assert change(db, here) == 2

    for token in (there, elsewhere):
        with pytest.raises(NotSignedIn):
            accounts.whose(other, token, now=NOW)
    assert accounts.whose(other, here, now=NOW) == tokens.whose(other, api_token, now=NOW)[0] == account
    assert accounts.whose(db, graces, now=NOW).username == "grace"
    with pytest.raises(NotSignedIn):
        sign_in(db)
    assert sign_in(db, password="another one, longer")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", "another one, longer", "current"),
        ("", "another one, longer", "current"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "nul\x00inside", "new"),
        (PASSWORD, PASSWORD, "new"),
    ],
)
def test_bad_change_of_password_changes_nothing(db: Database, current: str, new: str, field: str) -> None:
    """A wrong current password, or a new one that breaks a rule, is named, and all sessions stay."""
    sign_up(db)
    here, there = sign_in(db), sign_in(db)

    with pytest.raises(InvalidRequest) as refusal:
        change(db, here, current, new)

    assert list(refusal.value.fields) == [field]
    assert accounts.whose(db, there, now=NOW) and sign_in(db)


def test_sign_in_that_a_new_password_overtakes_is_refused(db: Database, other: Database) -> None:
    """A sign-in that has read the old password's hash begins no session once another is stored."""
    sign_up(db)
    has_read = Event()
    listen(other.engine, "after_cursor_execute", lambda *said: has_read.set() if "password_hash" in said[2] else None)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as connection:
            late = pool.submit(caught(lambda: sign_in(other)))
            assert has_read.wait(30)
            connection.execute(update(User).values(password_hash=accounts.nobodys_hash()))
        assert isinstance(late.result(), NotSignedIn)

    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Session)) == 0


def test_sign_in_drops_sessions_that_have_expired(db: Database) -> None:
    """Sessions that ran out do not stay for ever: the user's next sign-in removes them."""
    sign_up(db)
    sign_in(db)

    sign_in(db, at=3600)

    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Session)) == 1


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Ada", "wrong password"),
        ("nobody", PASSWORD),
        ("Ada", ""),
        ("", PASSWORD),
        ("Ada", "p" * 100_000),
        ("Ada\x00", PASSWORD),
        ("x" * 1024, PASSWORD),
        ("Ada", f"{PASSWORD}\x00"),
        ("Ada", "\ud800"),
    ],
)
def test_wrong_name_or_password_is_told_in_the_same_words(db: Database, name: str, password: str) -> None:
    """Whatever is wrong with a name or a password, the answer is the same refusal and no other error."""
    sign_up(db)

    with pytest.raises(NotSignedIn, match=f"^{accounts.WRONG}$"):
        sign_in(db, name, password)


def test_names_differ_by_more_than_case(db: Database) -> None:
    """A name that differs only in case is taken; signing in works in any case, and shows the name as it was made."""
    sign_up(db, "Ada")

    with pytest.raises(UsernameTaken):
        sign_up(db, "aDA", request_id="r2")
    assert accounts.whose(db, sign_in(db, "ADA"), now=NOW).username == "Ada"


def test_same_request_signed_up_again_finds_its_account(db: Database) -> None:
    """A sign-up that a proxy tries again is answered with the account that it made; another request is refused."""
    first = sign_up(db, request_id="same")

    assert sign_up(db, request_id="same") == first
    with pytest.raises(UsernameTaken):
        sign_up(db, request_id="another")


def test_one_name_by_eight_requests_at_once_is_one_account(db: Database, other: Database) -> None:
    """Of eight sign-ups with one name at the same moment one succeeds, the others are told that it is taken."""
    made = at_once(*[caught(partial(sign_up, other if n % 2 else db, request_id=f"r{n}")) for n in range(8)])

    assert sum(isinstance(one, Account) for one in made) == 1
    assert sum(isinstance(one, UsernameTaken) for one in made) == 7


def test_one_request_tried_by_several_gateways_at_once_is_one_account(db: Database, other: Database) -> None:
    """The same sign-up that arrives four times at one moment is answered four times with one account."""
    made = at_once(*[lambda base=base: sign_up(base) for base in (db, other) * 2])

    assert len(set(made)) == 1


def test_only_the_first_user_is_an_admin(db: Database) -> None:
    """The first account is an admin, every later one is not, also after signing in."""
    first, second = sign_up(db, "first"), sign_up(db, "second", request_id="r2")

    assert (first.is_admin, second.is_admin) == (True, False)
    assert accounts.whose(db, sign_in(db, "first"), now=NOW).is_admin
    assert not accounts.whose(db, sign_in(db, "second"), now=NOW).is_admin


def test_ten_sign_ups_at_once_on_an_empty_database_make_one_admin(db: Database, other: Database) -> None:
    """When ten people sign up at the same moment on an empty database, exactly one of them is an admin."""
    made = at_once(*[lambda n=n: sign_up(other if n % 2 else db, f"user{n}", request_id=f"r{n}") for n in range(10)])

    with db.read() as connection:
        admins = connection.scalar(select(func.count()).select_from(User).where(User.is_admin))
    assert (sum(one.is_admin for one in made), admins) == (1, 1)


@pytest.mark.parametrize("name", ["a", "", "-ada", "a b", "ада", "a" * 65, "ada\n", "a/b", "a\x00b", "ﬁx"])
def test_bad_name_is_refused_and_stores_nothing(db: Database, name: str) -> None:
    """A name that breaks the rule is refused with that rule."""
    with pytest.raises(InvalidRequest, match="letters, digits"):
        sign_up(db, name)
    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize("password", ["", "short12", "p" * 257, "nul\x00inside", "\ud800 surrogate"])
def test_bad_password_is_refused(db: Database, password: str) -> None:
    """A password that breaks the rule is refused with that rule."""
    with pytest.raises(InvalidRequest, match="8 to 256"):
        sign_up(db, password=password)


@pytest.mark.parametrize("token", ["", "x", "\x00", "ö", "' OR 1=1 --", "t" * 10_000])
def test_token_that_cannot_be_is_nobodys(db: Database, token: str) -> None:
    """Whatever stands in the place of a token, it belongs to nobody, and signing it out is harmless."""
    sign_up(db)

    with pytest.raises(NotSignedIn):
        accounts.whose(db, token, now=NOW)
    accounts.sign_out(db, token)
