"""The pictures of an analysis: kept once they are drawn, gone with their query."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import insert, select

from folkmoot.db import Database
from folkmoot.errors import NotFound, NotReady
from folkmoot.models import Analysis, Chart, Interaction
from folkmoot.resources import ChartFormat, ChartName
from folkmoot.store import queries, records

#: What is kept of a chart that could not be drawn, so that nobody waits for it again.
NOTHING = b""


@dataclass(frozen=True)
class Picture:
    """One chart in one format."""

    name: ChartName
    format: ChartFormat
    content: bytes


def find(db: Database, job_id: str, name: ChartName, format_: ChartFormat, *, user_id: int) -> bytes | None:
    """A chart of a query that is this user's; None while the charts are still to be drawn.

    Raises:
        NotFound: there is no such query of theirs, or no such chart; then the text says why.
        NotReady: the analysis is pending.
    """
    analysis = queries.find(db, job_id, user_id=user_id).analysis
    if analysis.status == "pending":
        raise NotReady("The responses are being analysed; the charts come with the analysis. Try again in a moment.")
    if analysis.status != "ready":
        raise NotFound(f"There are no charts, because the analysis was {analysis.status}: {analysis.reason}.")
    with db.read() as connection:
        content = connection.scalar(
            select(Chart.content).where(Chart.job_id == job_id, Chart.name == name, Chart.format == format_)
        )
    if content == NOTHING:
        raise NotFound("This chart could not be drawn; what it would show is in the query's analysis.")
    return gzip.decompress(content) if content and format_ == "svg" else content


def of_query(db: Database, job_id: str) -> list[Picture]:
    """The pictures of a query as PNG, those that could be drawn."""
    drawn = select(Chart).where(Chart.job_id == job_id, Chart.format == "png").order_by(Chart.name)
    with db.read() as connection:
        rows = connection.execute(drawn).all()
    return [Picture(row.name, row.format, row.content) for row in rows if row.content != NOTHING]


def to_draw(db: Database, job_id: str) -> tuple[list[str], dict[str, Any]] | None:
    """The agents and the report of an analysis whose charts are not drawn yet."""
    with db.read() as connection:
        ready = select(Analysis.data).where(Analysis.job_id == job_id, Analysis.status == "ready")
        data = connection.scalar(ready)
        drawn = connection.scalar(select(Chart.job_id).where(Chart.job_id == job_id).limit(1))
        if data is None or drawn is not None:
            return None
        return [row.agent_id for row in records.answered(connection, job_id)], data["report"]


def keep(db: Database, job_id: str, pictures: Sequence[Picture]) -> None:
    """Store the pictures of a job that has none, and of each that is missing, that it could not be drawn.

    An SVG takes a quarter of its bytes compressed.
    """
    drawn = {(one.name, one.format): one.content for one in pictures}
    rows = [
        {"job_id": job_id, "name": name, "format": format_, "content": _packed(drawn.get((name, format_)), format_)}
        for name in get_args(ChartName)
        for format_ in get_args(ChartFormat)
    ]
    with db.write(synced=False) as connection:
        # Two may have drawn at once, or the query may be gone meanwhile.
        job = connection.scalar(db.locked(select(Interaction.id).where(Interaction.job_id == job_id)))
        if job is not None and connection.scalar(select(Chart.job_id).where(Chart.job_id == job_id).limit(1)) is None:
            connection.execute(insert(Chart), rows)


def _packed(content: bytes | None, format_: ChartFormat) -> bytes:
    if content is None:
        return NOTHING
    return gzip.compress(content, 6, mtime=0) if format_ == "svg" else content
