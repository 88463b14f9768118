"""Users and their sessions: sign up, sign in, who a token belongs to, another password, sign out."""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from folkmoot import invitations, secret
from folkmoot.db import Database
from folkmoot.errors import FolkmootError, InvalidRequest, LastAdmin, NotAllowed, NotSignedIn, UsernameTaken
from folkmoot.models import Session, User
from folkmoot.statements import Statement
from folkmoot.store import erasure

#: OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}")
PASSWORD_CHARS = (8, 256)
WRONG = "The username or the password is wrong."
WRONG_CURRENT = "This is not your current password."
ONLY_ADMIN = (
    "You are the only admin here, and others have accounts. Have whoever runs this installation name another user in "
    "FOLKMOOT_ADMINS; then you can delete your account."
)
#: The ids of accounts are drawn from so many: none is drawn twice, and all are exact in any program's numbers.
MOST_ID = 2**53 - 1

_WHOSE = Statement(
    select(User.id, User.username, User.folded, User.is_admin)
    .join(Session, Session.user_id == User.id)
    .where(Session.token_hash == bindparam("of_token"), Session.expires_at > bindparam("now"))
)

SignUpMode = Literal["open", "invitation", "closed"]


@dataclass(frozen=True)
class Account:
    """Who is asking."""

    user_id: int
    username: str
    is_admin: bool


@dataclass(frozen=True)
class Policy:
    """Who may sign up, and who is an admin.

    Attributes:
        mode: everybody, whoever has an invitation, or nobody; the first account of all can always be made.
        admins: names of the admins, folded; without any the first account is one. With some, the first account of an
            installation that is not open has to be one of them.
    """

    mode: SignUpMode = "open"
    admins: Collection[str] = ()


OPEN = Policy()


def account_of(row: Any, admins: Collection[str]) -> Account:
    """The account of a row of users; the names that the settings give, if any, are the admins."""
    return Account(row.id, row.username, row.folded in admins if admins else row.is_admin)


def sign_up(
    db: Database,
    username: str,
    password: str,
    *,
    request_id: str,
    now: datetime,
    policy: Policy = OPEN,
    invitation: str = "",
) -> Account:
    """Make an account; the first one of all is an admin. The same request again finds the account it made.

    Raises:
        InvalidRequest: the name or the password breaks a rule, or the invitation is missing or not good.
        NotAllowed: nobody can sign up here.
        UsernameTaken: another account has the name.
    """
    _check(username, password)
    user = {
        "username": username,
        "folded": username.casefold(),
        "password_hash": HASHER.hash(password),
        "request_id": request_id,
        "created_at": now,
    }
    try:
        with db.write() as connection:
            # Of the first accounts made at one moment, one is the first.
            db.lock_out(connection, User.__tablename__)
            return _add(connection, user, policy, invitation)
    except (IntegrityError, NotAllowed, InvalidRequest) as error:
        if (before := _signed_up_before(db, username, request_id, policy)) is not None:
            return before
        if isinstance(error, FolkmootError):
            raise
        raise UsernameTaken(f"The username {username!r} is taken. Choose another.") from error


def _add(connection: Connection, user: dict[str, Any], policy: Policy, invitation: str) -> Account:
    is_first = not connection.scalar(select(exists().select_from(User)))
    _let_in(user["folded"], policy, invitation, is_first=is_first)
    if policy.mode == "invitation" and not is_first:
        # First: whether a name is taken is not told to who has none.
        invitations.use(connection, invitation, username=user["username"], now=user["created_at"])
    # SQLite would give the next who comes the id of the last who left, which something may still know.
    user_id = 1 + secrets.randbelow(MOST_ID)
    connection.execute(insert(User).values(id=user_id, is_admin=is_first, **user))
    is_admin = user["folded"] in policy.admins if policy.admins else is_first
    return Account(user_id, user["username"], is_admin)


def _let_in(folded: str, policy: Policy, invitation: str, *, is_first: bool) -> None:
    """See that an account may be made at all; whether an invitation is good is seen when it is used."""
    if policy.mode == "open":
        return
    if is_first:
        if policy.admins and folded not in policy.admins:
            raise NotAllowed("The first account here has to be one of the admins that FOLKMOOT_ADMINS names.")
        return
    if policy.mode == "closed":
        raise NotAllowed("Nobody can sign up here. Ask who runs this installation.")
    if not invitation:
        raise InvalidRequest({"invitation": "Signing up here takes an invitation. Ask an admin for one."})


def sign_up_mode(db: Database, policy: Policy) -> SignUpMode:
    """Who can sign up at this moment: before there is any account, its maker needs no invitation."""
    if policy.mode == "open":
        return "open"
    with db.read() as connection:
        return policy.mode if connection.scalar(select(exists().select_from(User))) else "open"


def _check(username: str, password: str) -> None:
    problems: dict[str, str] = {}
    if not USERNAME.fullmatch(username):
        problems["username"] = (
            "A username has 2 to 64 letters, digits, dots, hyphens or underscores, and begins with a letter or digit."
        )
    if refusal := _refusal(password):
        problems["password"] = refusal
    if problems:
        raise InvalidRequest(problems)


def _refusal(password: str) -> str:
    """Which rule a password breaks, if any."""
    least, most = PASSWORD_CHARS
    if not least <= len(password) <= most:
        return f"A password has {least} to {most} characters; this one has {len(password)}."
    if "\x00" in password or any("\ud800" <= character <= "\udfff" for character in password):
        return f"The password holds a character that is not text; {least} to {most} others are fine."
    return ""


def _signed_up_before(db: Database, username: str, request_id: str, policy: Policy) -> Account | None:
    """The account that this request made at an earlier try, if it did; the invitation that it took is used by now."""
    statement = select(User).where(User.folded == username.casefold(), User.request_id == request_id)
    with db.read() as connection:
        row = connection.execute(statement).first()
    return None if row is None else account_of(row, policy.admins)


def sign_in(db: Database, username: str, password: str, *, now: datetime, hours: float) -> tuple[str, datetime]:
    """Begin a session.

    Returns:
        Its token, which only the caller ever sees, and when it expires.
    Raises:
        NotSignedIn: name or password is wrong; which one is not told, neither by words nor by time.
    """
    # A name that nobody can have is looked up all the same, without the character that PostgreSQL does not take.
    with db.read() as connection:
        row = connection.execute(select(User).where(User.folded == username.casefold().replace("\x00", " "))).first()
    if not _matches(row.password_hash if row is not None else nobodys_hash(), password) or row is None:
        raise NotSignedIn(WRONG)
    anew = HASHER.hash(password) if HASHER.check_needs_rehash(row.password_hash) else row.password_hash
    token, expires_at = secret.new(), now + timedelta(hours=hours)
    with db.write() as connection:
        # A password that was changed meanwhile begins no session any more.
        if not _replace_hash(connection, row.id, row.password_hash, anew):
            raise NotSignedIn(WRONG)
        connection.execute(delete(Session).where(Session.user_id == row.id, Session.expires_at <= now))
        connection.execute(
            insert(Session).values(
                user_id=row.id, token_hash=secret.hashed(token), created_at=now, expires_at=expires_at
            )
        )
    return token, expires_at


@cache
def nobodys_hash() -> str:
    """A hash of nothing anybody knows, so that a sign-in takes as long for a name that does not exist."""
    return HASHER.hash(secrets.token_urlsafe(32))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _replace_hash(connection: Connection, user_id: int, old: str, new: str) -> bool:
    """Store a password's new hash where the old one still stands; the row is locked until the transaction ends."""
    statement = update(User).where(User.id == user_id, User.password_hash == old).values(password_hash=new)
    return connection.execute(statement).rowcount == 1


def change_password(db: Database, user_id: int, current: str, new: str, *, token: str) -> int:
    """Replace a password, and end every session but the one whose token this is; API tokens stay.

    Returns:
        How many sessions were ended.
    Raises:
        InvalidRequest: `current` is not the password, or `new` breaks a rule.
    """
    if refusal := _refusal(new):
        raise InvalidRequest({"new": refusal})
    with db.read() as connection:
        old = connection.scalar(select(User.password_hash).where(User.id == user_id)) or nobodys_hash()
    if not _matches(old, current):
        raise InvalidRequest({"current": WRONG_CURRENT})
    if new == current:
        raise InvalidRequest({"new": "This is the current password. Choose another."})
    new_hash = HASHER.hash(new)
    with db.write() as connection:
        if not _replace_hash(connection, user_id, old, new_hash):
            raise InvalidRequest({"current": WRONG_CURRENT})
        return connection.execute(
            delete(Session).where(Session.user_id == user_id, Session.token_hash != secret.hashed(token))
        ).rowcount


def close(db: Database, user_id: int, password: str, *, policy: Policy = OPEN) -> None:
    """Begin to delete an account: nobody can sign in to it any more, its name is free, and what is left is nameless.

    The row itself stays until all that is the user's is erased, so that whoever finds it can go on with that.

    Raises:
        InvalidRequest: `password` is not the account's.
        LastAdmin: it is the only admin's, and there are other accounts.
    """
    with db.read() as connection:
        old = connection.scalar(select(User.password_hash).where(User.id == user_id)) or nobodys_hash()
    if not _matches(old, password):
        raise InvalidRequest({"password": WRONG_CURRENT})
    with db.write() as connection:
        # Of two admins who leave at one moment, one is the last.
        db.lock_out(connection, User.__tablename__)
        row = connection.execute(select(User).where(User.id == user_id, User.password_hash == old)).first()
        if row is None:
            raise InvalidRequest({"password": WRONG_CURRENT})
        _let_go(connection, row, policy)
        gone = dict.fromkeys(("username", "password_hash"), "")
        nameless = {"folded": f"{erasure.LEAVING}{user_id}", "is_admin": False, "request_id": None}
        connection.execute(update(User).where(User.id == user_id).values(**gone, **nameless))
        erasure.erase_ways_in(connection, user_id)
        invitations.forget(connection, row.username)


def _let_go(connection: Connection, leaving: Any, policy: Policy) -> None:
    if not account_of(leaving, policy.admins).is_admin:
        return
    others = select(User).where(User.id != leaving.id, ~User.folded.startswith(erasure.LEAVING))
    admins = others.where(User.folded.in_(policy.admins) if policy.admins else User.is_admin)
    if connection.scalar(select(others.exists())) and not connection.scalar(select(admins.exists())):
        raise LastAdmin(ONLY_ADMIN)


def created_at(db: Database, user_id: int) -> datetime | None:
    """When an account was made; None when it is gone."""
    with db.read() as connection:
        return connection.scalar(select(User.created_at).where(User.id == user_id))


def sessions(db: Database, user_id: int) -> list[tuple[datetime, datetime]]:
    """When each of a user's sessions began, and when it ends by itself."""
    mine = select(Session.created_at, Session.expires_at).where(Session.user_id == user_id).order_by(Session.id)
    with db.read() as connection:
        return [(row.created_at, row.expires_at) for row in connection.execute(mine)]


def whose(db: Database, token: str, *, now: datetime, admins: Collection[str] = ()) -> Account:
    """The account that a session token belongs to.

    Raises:
        NotSignedIn: no such session, or it has expired.
    """
    with db.look() as connection:
        row = _WHOSE.first(connection, of_token=secret.hashed(token), now=now)
    if row is None:
        raise NotSignedIn("The session has ended or expired. Sign in again.")
    return account_of(row, admins)


def sign_out(db: Database, token: str) -> None:
    """End a session; its token is dead at once, on every replica."""
    with db.write() as connection:
        connection.execute(delete(Session).where(Session.token_hash == secret.hashed(token)))
