"""Invitations to sign up: made by admins, shown once, good for one account, and only for a while."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from folkmoot import secret
from folkmoot.db import Database
from folkmoot.errors import InvalidRequest, NotFound
from folkmoot.models import Invitation

#: What every invitation begins with, so that one is known where it is found.
KIND = "fmi_"
#: How many a list shows, the newest first.
LISTED = 200
#: What stands for the name of a user who has left.
SOMEBODY = "(deleted account)"
NOT_GOOD = "This invitation is not known, has expired or was used already. Ask an admin for a new one."


@dataclass(frozen=True)
class Invited:
    """An invitation as admins see it: who made it, and who signed up with it."""

    id: int
    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None


def invite(db: Database, admin: str, *, now: datetime, days: float) -> tuple[str, Invited]:
    """Make an invitation; returns its text, which only the caller ever sees, and what is kept of it."""
    text = secret.new(KIND)
    kept = Invited(0, secret.shown(text), admin, now, now + timedelta(days=days), None, None)
    values = {name: value for name, value in asdict(kept).items() if name != "id"}
    with db.write() as connection:
        key = connection.execute(
            insert(Invitation).values(token_hash=secret.hashed(text), **values)
        ).inserted_primary_key
    assert key is not None
    return text, replace(kept, id=key[0])


def list_all(db: Database) -> list[Invited]:
    """The newest invitations of all admins, those that were used and have expired too."""
    columns = [Invitation.__table__.c[field.name] for field in fields(Invited)]
    with db.read() as connection:
        rows = connection.execute(select(*columns).order_by(Invitation.id.desc()).limit(LISTED))
        return [Invited(*row) for row in rows]


def withdraw(db: Database, invitation_id: int) -> None:
    """Remove an invitation; nobody can sign up with it any more.

    Raises:
        NotFound: there is none of that id.
    """
    with db.write() as connection:
        gone = connection.execute(delete(Invitation).where(Invitation.id == invitation_id)).rowcount
    if not gone:
        raise NotFound("There is no such invitation.")


def forget(connection: Connection, username: str) -> None:
    """Take a user who leaves out of the invitations: those nobody has used go, the others forget the name."""
    made, came = Invitation.created_by == username, Invitation.used_by == username
    connection.execute(delete(Invitation).where(made, Invitation.used_at.is_(None)))
    connection.execute(update(Invitation).where(made).values(created_by=SOMEBODY))
    connection.execute(update(Invitation).where(came).values(used_by=SOMEBODY))


def use(connection: Connection, text: str, *, username: str, now: datetime) -> None:
    """Spend an invitation on the account that is being made, in its transaction.

    Raises:
        InvalidRequest: it is not known, has expired or was used already.
    """
    spent = connection.execute(
        update(Invitation)
        .where(Invitation.token_hash == secret.hashed(text), Invitation.used_at.is_(None), Invitation.expires_at > now)
        .values(used_at=now, used_by=username)
    ).rowcount
    if not spent:
        raise InvalidRequest({"invitation": NOT_GOOD})
