"""A user's own key of a provider: one for each user, encrypted at rest, read just before it is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from folkmoot.agents import Endpoint, Roster, provider_of
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotAllowed, Undecipherable
from folkmoot.models import ProviderKey, User
from folkmoot.settings import Settings
from folkmoot.vault import Vault
from folkmoot.wire import OwnKey

#: A key is no shorter and no longer than this, in characters.
KEY_CHARS = (16, 512)
#: What of a key is shown to its owner.
SHOWN_CHARS = 4
OFF = (
    "This Folkmoot keeps no keys of its users: whoever runs it has set no FOLKMOOT_SECRET_KEY to encrypt them with. "
    "Queries use the server's own keys."
)


@dataclass(frozen=True)
class Kept:
    """What a user may see of the key that they have set; without `last_four` the server cannot read it any more."""

    provider: str
    last_four: str | None


def of_roster(roster: Roster) -> list[str]:
    """The providers whose keys the roster's endpoints take."""
    return providers(endpoint for seat in roster.seats.values() for endpoint in seat.endpoints)


def providers(endpoints: Iterable[Endpoint]) -> list[str]:
    """The providers whose keys these endpoints take."""
    return sorted({provider_of(one.api_key_env) for one in endpoints if one.api_key_env})


def put(
    db: Database, settings: Settings, roster: Roster, *, user_id: int, provider: str, key: str, now: datetime
) -> Kept:
    """Keep a user's key, in place of the one before.

    Raises:
        NotAllowed: the server has nothing to encrypt it with.
        InvalidRequest: there is no such provider, or this is no key.
    """
    if not settings.secret_keys:
        raise NotAllowed(OFF)
    _check(roster, provider, key)
    closed = Vault(settings).close(key)
    with db.write() as connection:
        # The user's row is locked: of two calls at once, the second replaces what the first has written.
        connection.execute(db.locked(select(User.id).where(User.id == user_id)))
        connection.execute(delete(ProviderKey).where(ProviderKey.user_id == user_id))
        connection.execute(
            insert(ProviderKey).values(user_id=user_id, provider=provider, encrypted=closed, created_at=now)
        )
    return Kept(provider, key[-SHOWN_CHARS:])


def _check(roster: Roster, provider: str, key: str) -> None:
    problems: dict[str, str] = {}
    known = of_roster(roster)
    if provider not in known:
        choice = f"Choose from: {', '.join(known)}." if known else "No seat of this Folkmoot takes a key."
        # Not repeated: it may be the key, in the wrong field.
        problems["provider"] = f"There is no such provider. {choice}"
    least, most = KEY_CHARS
    if not least <= len(key) <= most or not all("!" <= character <= "~" for character in key):
        problems["key"] = f"A key has {least} to {most} letters, digits and signs, without blanks."
    if problems:
        raise InvalidRequest(problems)


def kept(db: Database, settings: Settings, user_id: int) -> Kept | None:
    """What a user has set, if anything."""
    with db.read() as connection:
        row = connection.execute(select(ProviderKey).where(ProviderKey.user_id == user_id)).first()
    if row is None:
        return None
    try:
        last_four = Vault(settings).open(row.encrypted)[-SHOWN_CHARS:] if settings.secret_keys else None
    except Undecipherable:
        last_four = None
    return Kept(row.provider, last_four)


def remove(db: Database, user_id: int) -> None:
    """Forget a user's key, if there is one."""
    with db.write() as connection:
        connection.execute(delete(ProviderKey).where(ProviderKey.user_id == user_id))


def own(db: Database, settings: Settings, user_id: int, endpoints: Iterable[Endpoint]) -> OwnKey | None:
    """The key that this user's calls to these endpoints are made with; None when they have set none for any of them.

    Raises:
        Undecipherable: it was encrypted with a secret that the server has no more.
    """
    wanted = providers(endpoints)
    if not wanted or not settings.secret_keys:
        return None
    mine = select(ProviderKey).where(ProviderKey.user_id == user_id, ProviderKey.provider.in_(wanted))
    with db.read() as connection:
        row = connection.execute(mine).first()
    return None if row is None else OwnKey(row.provider, Vault(settings).open(row.encrypted))


def renew_all(db: Database, settings: Settings) -> tuple[int, list[int]]:
    """Encrypt every key with the first of the server's secrets.

    Returns:
        How many were, and the users whose keys none of the secrets opens; those stay as they are.
    """
    vault, renewed, lost = Vault(settings), 0, list[int]()
    with db.write() as connection:
        rows = connection.execute(db.locked(select(ProviderKey).order_by(ProviderKey.user_id))).all()
        for row in rows:
            try:
                closed = vault.renew(row.encrypted)
            except Undecipherable:
                lost.append(row.user_id)
                continue
            mine = ProviderKey.user_id == row.user_id
            connection.execute(update(ProviderKey).where(mine).values(encrypted=closed))
            renewed += 1
    return renewed, lost
