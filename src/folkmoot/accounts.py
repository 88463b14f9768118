"""Users and their sessions: sign up, sign in, who a token belongs to, sign out."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotSignedIn, UsernameTaken
from folkmoot.models import Session, User

#: OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}")
PASSWORD_CHARS = (8, 256)
WRONG = "The username or the password is wrong."


@dataclass(frozen=True)
class Account:
    """Who is asking."""

    user_id: int
    username: str
    is_admin: bool


def sign_up(db: Database, username: str, password: str, *, request_id: str, now: datetime) -> Account:
    """Make an account; the first one of all is an admin. The same request again finds the account it made.

    Raises:
        InvalidRequest: the name or the password breaks a rule.
        UsernameTaken: another account has the name.
    """
    _check(username, password)
    password_hash = HASHER.hash(password)
    try:
        with db.write() as connection:
            # Of the first accounts made at one moment, one is the first.
            db.lock_out(connection, User.__tablename__)
            is_admin = not connection.scalar(select(exists().select_from(User)))
            user_id = connection.execute(
                insert(User).values(
                    username=username,
                    folded=username.casefold(),
                    password_hash=password_hash,
                    is_admin=is_admin,
                    request_id=request_id,
                    created_at=now,
                )
            ).inserted_primary_key
            assert user_id is not None
            return Account(user_id[0], username, is_admin)
    except IntegrityError:
        return _signed_up_before(db, username, request_id)


def _check(username: str, password: str) -> None:
    problems: dict[str, str] = {}
    if not USERNAME.fullmatch(username):
        problems["username"] = (
            "A username has 2 to 64 letters, digits, dots, hyphens or underscores, and begins with a letter or digit."
        )
    least, most = PASSWORD_CHARS
    if not least <= len(password) <= most:
        problems["password"] = f"A password has {least} to {most} characters; this one has {len(password)}."
    elif "\x00" in password or any("\ud800" <= character <= "\udfff" for character in password):
        problems["password"] = f"The password holds a character that is not text; {least} to {most} others are fine."
    if problems:
        raise InvalidRequest(problems)


def _signed_up_before(db: Database, username: str, request_id: str) -> Account:
    with db.read() as connection:
        row = connection.execute(select(User).where(User.folded == username.casefold())).first()
    if row is None or row.request_id != request_id:
        raise UsernameTaken(f"The username {username!r} is taken. Choose another.")
    return Account(row.id, row.username, row.is_admin)


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
    if HASHER.check_needs_rehash(row.password_hash):
        _rehash(db, row.id, password)
    token, expires_at = secrets.token_urlsafe(32), now + timedelta(hours=hours)
    with db.write() as connection:
        connection.execute(delete(Session).where(Session.user_id == row.id, Session.expires_at <= now))
        connection.execute(
            insert(Session).values(user_id=row.id, token_hash=_hashed(token), created_at=now, expires_at=expires_at)
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


def _rehash(db: Database, user_id: int, password: str) -> None:
    with db.write() as connection:
        connection.execute(update(User).where(User.id == user_id).values(password_hash=HASHER.hash(password)))


def whose(db: Database, token: str, *, now: datetime) -> Account:
    """The account that a session token belongs to.

    Raises:
        NotSignedIn: no such session, or it has expired.
    """
    with db.read() as connection:
        row = connection.execute(
            select(User.id, User.username, User.is_admin)
            .join(Session, Session.user_id == User.id)
            .where(Session.token_hash == _hashed(token), Session.expires_at > now)
        ).first()
    if row is None:
        raise NotSignedIn("The session has ended or expired. Sign in again.")
    return Account(row.id, row.username, row.is_admin)


def sign_out(db: Database, token: str) -> None:
    """End a session; its token is dead at once, on every replica."""
    with db.write() as connection:
        connection.execute(delete(Session).where(Session.token_hash == _hashed(token)))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
