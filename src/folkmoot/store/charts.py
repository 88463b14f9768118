"""The pictures of an analysis: stored with it, gone with its query."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from folkmoot.db import Database
from folkmoot.errors import NotFound, NotReady
from folkmoot.models import Chart
from folkmoot.resources import AnalysisResource, ChartFormat, ChartName
from folkmoot.store import queries


@dataclass(frozen=True)
class Picture:
    """One chart in one format."""

    name: ChartName
    format: ChartFormat
    content: bytes


def add(connection: Connection, job_id: str, pictures: Sequence[Picture]) -> None:
    """Store the pictures of a job; an SVG takes a quarter of its bytes that way."""
    if pictures:
        rows = [
            {
                "job_id": job_id,
                "name": picture.name,
                "format": picture.format,
                "content": gzip.compress(picture.content, 6, mtime=0) if picture.format == "svg" else picture.content,
            }
            for picture in pictures
        ]
        connection.execute(insert(Chart), rows)


def find(db: Database, job_id: str, name: ChartName, format_: ChartFormat, *, user_id: int) -> bytes:
    """A chart of a query that is this user's.

    Raises:
        NotFound: there is no such query of theirs, or no such chart; then the text says why.
        NotReady: the analysis is pending.
    """
    query = queries.find(db, job_id, user_id=user_id)
    if query.analysis.status == "pending":
        raise NotReady("The responses are being analysed; the charts come with the analysis. Try again in a moment.")
    with db.read() as connection:
        content = connection.scalar(
            select(Chart.content).where(Chart.job_id == query.job_id, Chart.name == name, Chart.format == format_)
        )
    if content is None:
        raise NotFound(_why_none(query.analysis))
    return gzip.decompress(content) if format_ == "svg" else content


def _why_none(analysis: AnalysisResource) -> str:
    if analysis.status == "ready":
        return "This chart could not be drawn; what it would show is in the query's analysis."
    return f"There are no charts, because the analysis was {analysis.status}: {analysis.reason}."
