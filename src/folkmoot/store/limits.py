"""What a user may have under way and use in a day: held in the transaction that accepts a query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, bindparam, func, select

from folkmoot.db import Database
from folkmoot.errors import BudgetSpent, LimitReached
from folkmoot.models import IS_OPEN_QUERY, Interaction
from folkmoot.prices import NANO, usd
from folkmoot.settings import Settings
from folkmoot.statements import Statement
from folkmoot.store import usage
from folkmoot.store.usage import Amount, Standing

#: When a place may be free again, in seconds: a query seldom takes less.
PLACE_FREE_S = 5

_OPEN_JOBS = Statement(
    select(func.count().label("count_of"))
    .select_from(Interaction)
    .where(
        # No index has this: what is open of all users is less to look through than all that one of them ever asked.
        Interaction.user_id + 0 == bindparam("of_user"),
        IS_OPEN_QUERY,
        Interaction.job_id != bindparam("but"),
    )
)


@dataclass(frozen=True)
class Budget:
    """What may be used in a day; 0 is no limit."""

    tokens: int = 0
    nano_usd: int = 0

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self.tokens or self.nano_usd)


@dataclass(frozen=True)
class Limits:
    """What holds for each user, and for all of them together."""

    concurrent_jobs: int = 0
    user: Budget = Budget()
    everybody: Budget = Budget()

    @property
    def has_budget(self) -> bool:
        """Whether anything has to be reserved."""
        return bool(self.user or self.everybody)


NONE = Limits()


def of(settings: Settings) -> Limits:
    """The limits that the settings say."""
    return Limits(
        concurrent_jobs=settings.concurrent_jobs,
        user=Budget(settings.budget_user_tokens, int(settings.budget_user_usd * NANO)),
        everybody=Budget(settings.budget_all_tokens, int(settings.budget_all_usd * NANO)),
    )


def take_turn(db: Database, connection: Connection, limits: Limits, user_id: int) -> None:
    """Let nobody else be accepted meanwhile whom the same limits bind: what is counted next stays so until the end."""
    if limits.everybody:
        db.take_turn(connection, "budget")
    elif limits.concurrent_jobs or limits.user:
        db.take_turn(connection, f"budget of {user_id}")


def hold(connection: Connection, limits: Limits, *, job_id: str, user_id: int, asked: Amount, now: datetime) -> None:
    """See that a query, which is written already, fits into the limits beside all others.

    Raises:
        LimitReached: too many of the user's are under way.
        BudgetSpent: what is left of today's budget does not hold it.
    """
    if limits.concurrent_jobs and (open_ := open_jobs(connection, user_id, but=job_id)) >= limits.concurrent_jobs:
        raise LimitReached(
            f"{open_} of your queries are under way, and {limits.concurrent_jobs} may be at once. Wait for one to end.",
            retry_after_s=PLACE_FREE_S,
        )
    day = now.date()
    if limits.user:
        standing = usage.standing(connection, day, user_id=user_id, but=job_id)
        _hold(limits.user, standing, asked, now, whose="Your budget")
    if limits.everybody:
        standing = usage.standing(connection, day, but=job_id)
        _hold(limits.everybody, standing, asked, now, whose="The budget of all users together")


def open_jobs(connection: Connection, user_id: int, *, but: str = "") -> int:
    """How many queries of a user are under way, one aside."""
    return int(_OPEN_JOBS.scalar(connection, of_user=user_id, but=but) or 0)


def _hold(budget: Budget, standing: Standing, asked: Amount, now: datetime, *, whose: str) -> None:
    spent, reserved = standing.spent, standing.reserved
    if budget.tokens:
        _fit(budget.tokens, spent.tokens, reserved.tokens, asked.tokens, now, whose=whose, written=_tokens)
    if budget.nano_usd:
        _fit(budget.nano_usd, spent.nano_usd, reserved.nano_usd, asked.nano_usd, now, whose=whose, written=_dollars)


def _fit(
    limit: int, spent: int, reserved: int, asked: int, now: datetime, *, whose: str, written: Callable[[int], str]
) -> None:
    if spent + reserved + asked <= limit:
        return
    anew = resets_at(now)
    raise BudgetSpent(
        f"{whose} for today is {written(limit)}: {written(spent)} spent, {written(reserved)} reserved for queries "
        f"under way, and this one may need {written(asked)}. It begins anew at {anew:%Y-%m-%d %H:%M} UTC.",
        retry_after_s=(anew - now).total_seconds(),
    )


def resets_at(now: datetime) -> datetime:
    """When the day's budgets begin anew: the next midnight in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), tzinfo=UTC)


def _tokens(count: int) -> str:
    return f"{count:,} tokens"


def _dollars(nano_usd: int) -> str:
    return f"${usd(nano_usd)}"
