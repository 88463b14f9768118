"""The backlog: how much work is under way or waiting, for whoever watches the product."""

from dataclasses import dataclass

from sqlalchemy import func, select

from folkmoot.db import Database
from folkmoot.models import IS_OPEN_QUERY, IS_PENDING_ANALYSIS, Analysis, Interaction, Outbox

#: A query in one of these still has work before it.
OPEN = ("accepted", "asking", "aggregating")


@dataclass(frozen=True)
class Backlog:
    """Counts at one moment.

    Attributes:
        queries: open queries by status; a status without one is there with 0.
        analyses: concluded queries that are still to be measured.
        untaken: pieces of work whose hint no worker has taken yet.
    """

    queries: dict[str, int]
    analyses: int
    untaken: int


def count(db: Database) -> Backlog:
    """Count by the partial indexes over what is open: the length of the history costs nothing."""
    by_status = select(Interaction.status, func.count()).where(IS_OPEN_QUERY).group_by(Interaction.status)
    with db.read() as connection:
        open_now = {str(status): int(number) for status, number in connection.execute(by_status)}
        pending = select(func.count()).select_from(Analysis).where(IS_PENDING_ANALYSIS)
        return Backlog(
            queries=dict.fromkeys(OPEN, 0) | open_now,
            analyses=connection.scalar(pending) or 0,
            untaken=connection.scalar(select(func.count()).select_from(Outbox)) or 0,
        )
