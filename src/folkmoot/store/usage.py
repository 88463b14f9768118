"""What queries use: tokens and money by query and stage, kept beside the query, so that what is spent stays spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, insert, select, update

from folkmoot.db import Database
from folkmoot.models import Interaction, Usage, User
from folkmoot.prices import usd
from folkmoot.resources import ENDED, CostResource, Stage, StageCost
from folkmoot.statements import Statement

STAGES: tuple[Stage, ...] = ("response", "consensus", "analysis")

_NOTHING = dict.fromkeys(
    ("calls", "estimated_calls", "unpriced_calls", "prompt_tokens", "completion_tokens", "nano_usd"), 0
)
_RESERVE = Statement(insert(Usage))
#: Adds to a row what the parameters of these names say, and one call.
_COUNT = Statement(
    update(Usage)
    .where(Usage.job_id == bindparam("of_job"), Usage.stage == bindparam("of_stage"))
    .values({name: Usage.__table__.c[name] + bindparam(f"more_{name}") for name in _NOTHING})
)
_OF_JOB = Statement(select(Usage).where(Usage.job_id == bindparam("of_job")))


@dataclass(frozen=True)
class Amount:
    """So many tokens, and what they cost."""

    tokens: int = 0
    nano_usd: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.tokens + other.tokens, self.nano_usd + other.nano_usd)


@dataclass(frozen=True)
class Spent:
    """What one call has used.

    Attributes:
        nano_usd: what it cost; None when the model's price is unknown.
        is_estimate: the endpoint did not say how many tokens there were.
    """

    stage: Stage
    prompt_tokens: int
    completion_tokens: int
    nano_usd: int | None
    is_estimate: bool = False

    @property
    def cost_usd(self) -> str | None:
        """Its cost in dollars; None unless that is known."""
        return None if self.is_estimate else usd(self.nano_usd)


@dataclass(frozen=True)
class Standing:
    """What a day's queries have used, and what those under way may still use of what is reserved for them."""

    spent: Amount
    reserved: Amount
    estimated_calls: int
    unpriced_calls: int


def reserve(connection: Connection, job_id: str, user_id: int, *, day: date, needed: Mapping[Stage, Amount]) -> None:
    """Begin to count a query. What it may need is reserved while it is open, and by nothing else than that."""
    _RESERVE.insert(
        connection,
        [
            {
                **_NOTHING,
                "job_id": job_id,
                "stage": stage,
                "user_id": user_id,
                "day": day,
                "reserved_tokens": needed.get(stage, Amount()).tokens,
                "reserved_nano_usd": needed.get(stage, Amount()).nano_usd,
            }
            for stage in STAGES
        ],
    )


def add(connection: Connection, job_id: str, spent: Iterable[Spent]) -> None:
    """Count calls, also those of a query that has ended or is deleted."""
    for one in spent:
        more = {
            "calls": 1,
            "estimated_calls": int(one.is_estimate),
            "unpriced_calls": int(one.nano_usd is None),
            "prompt_tokens": one.prompt_tokens,
            "completion_tokens": one.completion_tokens,
            "nano_usd": one.nano_usd or 0,
        }
        _COUNT.change(
            connection, of_job=job_id, of_stage=one.stage, **{f"more_{name}": value for name, value in more.items()}
        )


def count(db: Database, job_id: str, spent: Iterable[Spent]) -> None:
    """Count calls of which nothing else is stored."""
    if found := list(spent):
        with db.write() as connection:
            add(connection, job_id, found)


def standing(connection: Connection, day: date, *, user_id: int | None = None, but: str = "") -> Standing:
    """How a day stands, for one user or all.

    Args:
        but: a job_id that is not counted.
    """
    is_open = and_(Interaction.job_id == Usage.job_id, Interaction.status.not_in(ENDED))
    tokens = Usage.prompt_tokens + Usage.completion_tokens
    statement = (
        select(
            func.coalesce(func.sum(tokens), 0).label("tokens"),
            func.coalesce(func.sum(Usage.nano_usd), 0).label("nano_usd"),
            _left(Usage.reserved_tokens, tokens).label("reserved_tokens"),
            _left(Usage.reserved_nano_usd, Usage.nano_usd).label("reserved_nano_usd"),
            func.coalesce(func.sum(Usage.estimated_calls), 0).label("estimated_calls"),
            func.coalesce(func.sum(Usage.unpriced_calls), 0).label("unpriced_calls"),
        )
        .select_from(Usage)
        .outerjoin(Interaction, is_open)
        .where(Usage.day == day, Usage.job_id != but)
    )
    if user_id is not None:
        statement = statement.where(Usage.user_id == user_id)
    row = connection.execute(statement).one()
    return Standing(
        Amount(int(row.tokens), int(row.nano_usd)),
        Amount(int(row.reserved_tokens), int(row.reserved_nano_usd)),
        int(row.estimated_calls),
        int(row.unpriced_calls),
    )


def by_day(db: Database, user_id: int) -> list[tuple[date, Amount]]:
    """What a user's queries have used on each day that is in the ledger, the oldest first."""
    sums = (func.sum(Usage.prompt_tokens + Usage.completion_tokens), func.sum(Usage.nano_usd))
    mine = select(Usage.day, *sums).where(Usage.user_id == user_id).group_by(Usage.day).order_by(Usage.day)
    with db.read() as connection:
        return [(day, Amount(int(tokens), int(nano_usd))) for day, tokens, nano_usd in connection.execute(mine)]


@dataclass(frozen=True)
class UserUse:
    """What the queries of one user have used over some days; without a name, those of users who have left."""

    username: str | None
    queries: int
    calls: int
    spent: Amount
    unpriced_calls: int


def by_user(db: Database, *, since: date, until: date, limit: int) -> list[UserUse]:
    """Who has used what in these days, both included: whoever used most tokens first."""
    tokens = func.sum(Usage.prompt_tokens + Usage.completion_tokens)
    name = case((User.username != "", User.username))
    statement = (
        select(
            name.label("username"),
            func.count(func.distinct(Usage.job_id)).label("queries"),
            func.sum(Usage.calls).label("calls"),
            tokens.label("tokens"),
            func.sum(Usage.nano_usd).label("nano_usd"),
            func.sum(Usage.unpriced_calls).label("unpriced_calls"),
        )
        .select_from(Usage)
        .outerjoin(User, User.id == Usage.user_id)
        .where(Usage.day >= since, Usage.day <= until)
        .group_by(name)
        .order_by(tokens.desc(), name)
        .limit(limit)
    )
    with db.read() as connection:
        return [
            UserUse(
                row.username,
                # Of those who have left nobody knows how many queries they were.
                int(row.queries) if row.username else 0,
                int(row.calls),
                Amount(int(row.tokens), int(row.nano_usd)),
                int(row.unpriced_calls),
            )
            for row in connection.execute(statement)
        ]


def _left(reserved: Any, used: Any) -> ColumnElement[int]:
    """What of the reservations of open queries is not used yet."""
    still = case((and_(Interaction.job_id.is_not(None), reserved > used), reserved - used), else_=0)
    return func.coalesce(func.sum(still), 0)


def cost(connection: Connection, job_id: str) -> CostResource | None:
    """What a query has cost so far, by stage; None for one from before there was an account of it."""
    rows = _OF_JOB.all(connection, of_job=job_id)
    return cost_of(rows) if rows else None


def cost_of(rows: Iterable[Any]) -> CostResource:
    """What these rows of one query come to."""
    called = sorted((row for row in rows if row.calls), key=lambda row: STAGES.index(row.stage))
    is_known = not any(row.unpriced_calls for row in called)
    return CostResource(
        total_tokens=sum(row.prompt_tokens + row.completion_tokens for row in called),
        cost_usd=usd(sum(row.nano_usd for row in called)) if is_known else None,
        estimated_calls=sum(row.estimated_calls for row in called),
        stages=[
            StageCost(
                stage=row.stage,
                calls=row.calls,
                prompt_tokens=row.prompt_tokens,
                completion_tokens=row.completion_tokens,
                cost_usd=usd(row.nano_usd) if not row.unpriced_calls else None,
                estimated_calls=row.estimated_calls,
            )
            for row in called
        ],
    )
