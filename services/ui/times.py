"""Pure: times of the API in words, counted from now, for the server does not know the reader's zone."""

from datetime import datetime
from html import escape

from services.client.job import moment

#: Seconds of each unit that is told, the largest first.
UNITS = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))
#: After so many seconds the date tells more than a count of days.
DATED_S = 7 * 86_400


def ago(stamp: str, now: datetime) -> str:
    """How long ago this was, as a time element."""
    seconds = (now - moment(stamp)).total_seconds()
    words = "now" if seconds < 1 else f"{span(seconds)} ago"
    if seconds >= DATED_S:
        words = f"{moment(stamp):%-d %B %Y}"
    return f'<time datetime="{escape(stamp)}" title="{moment(stamp):%Y-%m-%d %H:%M:%S} UTC">{words}</time>'


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    size, unit = next((each for each in UNITS if seconds >= each[0]), UNITS[-1])
    count = int(seconds // size)
    return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"


def duration(latency_ms: int) -> str:
    """How long an answer took."""
    return f"{latency_ms} ms" if latency_ms < 1000 else f"{latency_ms / 1000:.1f} s"
