"""Personal API tokens: named, scoped, kept as hashes, and dead the moment they are revoked."""

import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from folkmoot import secret
from folkmoot.accounts import Account, account_of
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotFound, NotSignedIn, Unavailable
from folkmoot.models import ApiToken, User
from folkmoot.statements import Statement

#: What a token may do: look at what its owner may see, or also ask, cancel and delete.
Scope = Literal["read", "ask"]

#: What every token begins with, so that scanners of code and logs recognise one that leaked.
KIND = "fm_"
#: A session's token may begin like this by chance, but it is shorter.
SHAPE = re.compile(KIND + r"[A-Za-z0-9_-]{43}")
#: Tokens that one account may have: more are rather forgotten than in use.
MOST = 100
#: `last_used_at` is written at most this often, so that a busy token costs no write on each request.
NOTED_EVERY = timedelta(minutes=1)

_WHOSE = Statement(
    select(
        User.id,
        User.username,
        User.folded,
        User.is_admin,
        ApiToken.id.label("token_id"),
        ApiToken.scopes,
        ApiToken.last_used_at,
    )
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(
        ApiToken.token_hash == bindparam("of_token"),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > bindparam("now")),
    )
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it; the secret itself is nowhere."""

    id: int
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


def create(
    db: Database, user_id: int, name: str, scopes: Sequence[Scope], *, now: datetime, days: float | None = None
) -> tuple[str, Token]:
    """Make a token.

    Args:
        days: after which it expires; None for never.
    Returns:
        Its text, which only the caller ever sees, and what is kept of it.
    Raises:
        InvalidRequest: the name is empty, or the account has as many tokens as it may.
    """
    name = name.strip()
    if not name.isprintable() or not name:
        raise InvalidRequest({"name": "A name has 1 to 64 printable characters, such as `laptop`."})
    text = secret.new(KIND)
    kept = Token(
        id=0,
        name=name,
        prefix=secret.shown(text),
        scopes=[scope for scope in get_args(Scope) if scope in scopes],
        created_at=now,
        last_used_at=None,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    values = {name: value for name, value in asdict(kept).items() if name != "id"}
    with db.write() as connection:
        _check_room(db, connection, user_id)
        key = connection.execute(
            insert(ApiToken).values(user_id=user_id, token_hash=secret.hashed(text), **values)
        ).inserted_primary_key
    assert key is not None
    return text, replace(kept, id=key[0])


def _check_room(db: Database, connection: Connection, user_id: int) -> None:
    connection.execute(db.locked(select(User.id).where(User.id == user_id)))
    if count(connection, user_id) >= MOST:
        raise InvalidRequest({"name": f"You have {MOST} tokens, which is the most; revoke one first."})


def count(connection: Connection, user_id: int) -> int:
    """How many tokens an account has."""
    return connection.scalar(select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id)) or 0


def list_own(db: Database, user_id: int) -> list[Token]:
    """The tokens of an account, the newest first, those that have expired too."""
    columns = [ApiToken.__table__.c[field.name] for field in fields(Token)]
    with db.read() as connection:
        rows = connection.execute(select(*columns).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc()))
        return [Token(*row) for row in rows]


def revoke(db: Database, user_id: int, token_id: int) -> None:
    """Remove a token; it is dead at once, on every replica.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    with db.write() as connection:
        gone = connection.execute(delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id)).rowcount
    if not gone:
        raise NotFound("There is no such token.")


def is_one(text: str) -> bool:
    """Whether this is made like an API token; a session's token is not."""
    return SHAPE.fullmatch(text) is not None


def whose(db: Database, text: str, *, now: datetime, admins: Collection[str] = ()) -> tuple[Account, frozenset[Scope]]:
    """The account that a token belongs to, and what the token may do.

    Raises:
        NotSignedIn: there is no such token: it was revoked, has expired or never was.
    """
    with db.look() as connection:
        row = _WHOSE.first(connection, of_token=secret.hashed(text), now=now)
    if row is None:
        raise NotSignedIn("This API token is not known, was revoked or has expired. Make a new one.")
    if row.last_used_at is None or row.last_used_at <= now - NOTED_EVERY:
        _note_use(db, row.token_id, now)
    return account_of(row, admins), frozenset(row.scopes)


def _note_use(db: Database, token_id: int, now: datetime) -> None:
    try:
        with db.write() as connection:
            connection.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
    except Unavailable as error:
        # Who may ask is known; that this could not be noted must not keep them from it.
        log.warning("the use of an API token could not be noted: %s", error)
