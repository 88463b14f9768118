"""Who may sign up: everybody, whoever has an invitation, or nobody; and who is an admin by setting."""

from functools import partial

import pytest
from sqlalchemy import func, select

from folkmoot import accounts, invitations
from folkmoot.accounts import Account, Policy
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotAllowed, NotFound, UsernameTaken
from folkmoot.models import Invitation, User
from tests.store import rows
from tests.store.rows import NOW, after, at_once, caught

PASSWORD = "correct horse battery staple"
BY_INVITATION, CLOSED = Policy("invitation"), Policy("closed")


def sign_up(
    db: Database, name: str, policy: Policy = BY_INVITATION, invitation: str = "", request_id: str = "", at: float = 1
) -> Account:
    """Make an account."""
    return accounts.sign_up(
        db, name, PASSWORD, request_id=request_id or name, now=after(at), policy=policy, invitation=invitation
    )


def count(db: Database) -> int:
    """How many accounts there are."""
    with db.read() as connection:
        return connection.scalar(select(func.count()).select_from(User)) or 0


def test_invitation_is_stored_only_as_its_hash(db: Database) -> None:
    """Nothing in the database is the invitation itself."""
    text, invited = invitations.invite(db, "ada", now=NOW, days=7)

    with db.read() as connection:
        row = connection.execute(select(Invitation.__table__)).one()
    assert text.startswith("fmi_") and len(text) == 47 and text not in str(tuple(row))
    assert invitations.list_all(db) == [invited]
    assert (invited.created_by, invited.expires_at, invited.used_by) == ("ada", after(7 * 86_400), None)


def test_invitation_is_good_for_one_account(db: Database, ada: int) -> None:
    """Without an invitation nobody signs up; with one somebody does, once, and it is on record who."""
    text, _ = invitations.invite(db, "ada", now=NOW, days=7)
    for none_good in ("", "fmi_", f"{text}x", "\ud800\x00"):
        with pytest.raises(InvalidRequest, match="invitation"):
            sign_up(db, "grace", invitation=none_good)

    assert not sign_up(db, "grace", invitation=text).is_admin

    with pytest.raises(InvalidRequest, match="used already"):
        sign_up(db, "edsger", invitation=text)
    [used] = invitations.list_all(db)
    assert (used.used_by, used.used_at, count(db)) == ("grace", after(1), 2)


def test_invitation_used_by_eight_at_once_makes_one_account(db: Database, other: Database, ada: int) -> None:
    """Of eight people with one invitation at the same moment one gets an account."""
    text, _ = invitations.invite(db, "ada", now=NOW, days=7)

    made = at_once(*[caught(partial(sign_up, other if n % 2 else db, f"user{n}", invitation=text)) for n in range(8)])

    assert sum(isinstance(one, Account) for one in made) == 1
    assert sum(isinstance(one, InvalidRequest) for one in made) == 7
    assert count(db) == 2


def test_invitation_ends_at_its_time_or_when_withdrawn(db: Database, ada: int) -> None:
    """An invitation that has expired or was withdrawn makes no account."""
    late, _ = invitations.invite(db, "ada", now=NOW, days=1)
    gone, invited = invitations.invite(db, "ada", now=NOW, days=1)

    invitations.withdraw(db, invited.id)

    for text, at in ((late, 86_400), (gone, 1)):
        with pytest.raises(InvalidRequest, match="expired"):
            sign_up(db, "grace", invitation=text, at=at)
    with pytest.raises(NotFound):
        invitations.withdraw(db, invited.id)
    assert sign_up(db, "grace", invitation=late, at=86_399)


def test_name_that_is_taken_costs_no_invitation(db: Database, ada: int) -> None:
    """Who chose a name that is taken can use the invitation for another; who has none is not told about names."""
    text, _ = invitations.invite(db, "ada", now=NOW, days=1)
    with pytest.raises(InvalidRequest):
        sign_up(db, "ada", request_id="r1")
    with pytest.raises(UsernameTaken):
        sign_up(db, "ada", request_id="r2", invitation=text)

    assert sign_up(db, "grace", invitation=text)


def test_same_request_again_finds_its_account(db: Database, ada: int) -> None:
    """A sign-up that a proxy tries again finds the account it made, though the invitation is used by now."""
    text, _ = invitations.invite(db, "ada", now=NOW, days=1)
    first = sign_up(db, "grace", invitation=text, request_id="same")

    assert sign_up(db, "grace", invitation=text, request_id="same") == first


@pytest.mark.parametrize("policy", [BY_INVITATION, CLOSED])
def test_first_account_needs_no_invitation(db: Database, policy: Policy) -> None:
    """Somebody has to begin: of ten at once on an empty database one signs up, as the admin."""
    assert accounts.sign_up_mode(db, policy) == "open"

    made = at_once(*[caught(partial(sign_up, db, f"user{n}", policy)) for n in range(10)])

    [first] = [one for one in made if isinstance(one, Account)]
    assert first.is_admin and count(db) == 1
    assert accounts.sign_up_mode(db, policy) == policy.mode


def test_nobody_signs_up_where_it_is_closed(db: Database, ada: int) -> None:
    """Closed, an invitation is of no use either, and is not spent."""
    text, _ = invitations.invite(db, "ada", now=NOW, days=1)

    with pytest.raises(NotAllowed, match="Nobody can sign up here"):
        sign_up(db, "grace", CLOSED, invitation=text)

    assert sign_up(db, "grace", invitation=text)


def test_admins_are_those_that_the_settings_name(db: Database) -> None:
    """Named admins take the place of the first account, whatever their case, signed up already or not."""
    named = Policy("open", frozenset({"grace"}))

    first, second = sign_up(db, "ada", named), sign_up(db, "Grace", named)

    assert (first.is_admin, second.is_admin) == (False, True)
    for name, admins, is_admin in (("ada", (), True), ("ada", {"grace"}, False), ("grace", {"grace"}, True)):
        token, _ = accounts.sign_in(db, name, PASSWORD, now=NOW, hours=1)
        assert accounts.whose(db, token, now=NOW, admins=admins).is_admin == is_admin


@pytest.mark.parametrize("mode", ["invitation", "closed"])
def test_first_account_is_a_named_admin_where_not_everybody_signs_up(db: Database, mode: accounts.SignUpMode) -> None:
    """A stranger who comes first does not take the one account that needs no invitation."""
    policy = Policy(mode, frozenset({"ada"}))
    with pytest.raises(NotAllowed, match="FOLKMOOT_ADMINS"):
        sign_up(db, "mallory", policy)

    assert sign_up(db, "Ada", policy).is_admin


def test_open_sign_up_spends_no_invitation(db: Database) -> None:
    """Where everybody may sign up, an invitation that is sent along stays good."""
    rows.user(db)
    text, _ = invitations.invite(db, "ada", now=NOW, days=1)

    sign_up(db, "grace", Policy(), invitation=text)

    assert invitations.list_all(db)[0].used_at is None
