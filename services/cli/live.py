"""A query as it is watched at a terminal: a column for each seat, the consensus, a line of progress."""

import io
import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..client.job import Job
from ..client.rest import Json
from ..client.stream import Event
from . import words
from .record import style_of
from .terminal import clean

#: A column is no narrower, in letters; seats that do not fit stand below.
COLUMN = 24
#: Lines of a seat that are shown at least, its frame not counted.
LINES = 3
#: Pictures a second: words are to be seen as they come, and the clock has to go.
PICTURES = 8
#: To wrap a text rich asks a console for its tab size, and for nothing else.
_RULER = Console(file=io.StringIO())


class Watched(AbstractContextManager["Watched"]):
    """The picture of a job that comes forward, drawn anew by a thread of its own until the end of the block.

    Args:
        console: of the stream where it is drawn; what is drawn is gone at the end.
    """

    def __init__(self, console: Console, job: Job) -> None:
        self.job = job
        self._console = console
        self._lock = threading.Lock()
        self._live = Live(
            console=console,
            get_renderable=self._picture,
            refresh_per_second=PICTURES,
            transient=True,
            # Frames of a terminal that became smaller are cut; the whole text comes at the end.
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the picture away."""
        self._live.stop()

    def take(self, item: Json | Event) -> None:
        """Bring the picture forward by what was read."""
        with self._lock:
            if isinstance(item, Event):
                self.job.apply(item)
            else:
                self.job.replace(item)

    def _picture(self) -> RenderableType:
        with self._lock:
            return picture(self.job, self._console.width, self._console.height, datetime.now(UTC))


def picture(job: Job, width: int, height: int, now: datetime) -> RenderableType:
    """The job in so many letters and lines."""
    seats = job.resource["responses"]
    columns = max(1, min(len(seats), width // COLUMN))
    rows = -(-len(seats) // columns)
    consensus = _consensus(job)
    # Below the columns stand the line of progress and its bar, and the cursor.
    free = height - 3
    room = max(LINES, free // (rows + bool(consensus)) - 2)
    # As high as the longest text needs: a picture that fills the screen from the start has nothing to say.
    texts = [_said(job, seat) for seat in seats]
    lines = max(LINES, *(min(room, _height(text, width // columns)) for text in texts))
    board = Table.grid(expand=True)
    for _ in range(columns):
        board.add_column(ratio=1)
    frames = [_seat(job, seat, place, width // columns, lines) for place, seat in enumerate(seats)]
    for start in range(0, len(frames), columns):
        board.add_row(*frames[start : start + columns])
    parts: list[RenderableType] = [board]
    if consensus:
        lines = max(LINES, min(room, _height(consensus, width)))
        parts.append(_frame("consensus", consensus, "bold", width, lines))
    return Group(*parts, _progress(job, width, now))


def _seat(job: Job, seat: Json, place: int, width: int, lines: int) -> Panel:
    role = "" if seat["role"] == "None" else f" · {seat['role']}"
    state = words.STATES[seat["status"]]
    if seat["latency_ms"] is not None and seat["status"] == "ok":
        state += f", {words.duration(seat['latency_ms'])}"
    text = _said(job, seat)
    if text and seat["status"] == "pending":
        state = "writing"
    failed = seat["status"] not in ("ok", "pending")
    style = "red" if failed else style_of(place)
    return _frame(seat["agent_id"] + role, text, style, width, lines, state=state, dim=failed)


def _said(job: Job, seat: Json) -> str:
    draft = job.responses.get(seat["agent_id"])
    return str(seat["text"] or seat["error"] or (draft.text if draft else ""))


def _consensus(job: Job) -> str:
    if stored := job.resource["consensus"]:
        return str(stored["text"])
    return job.consensus.text if job.consensus else ""


def _frame(title: str, text: str, style: str, width: int, lines: int, *, state: str = "", dim: bool = False) -> Panel:
    # A frame takes a letter and a space on each side, and its title two more.
    inner = max(1, width - 4)
    heading = Text(clean(title), style)
    heading.truncate(max(1, inner - 2), overflow="ellipsis")
    return Panel(
        Text(_end(clean(text), inner, lines), "dim" if dim else ""),
        title=heading,
        title_align="left",
        subtitle=Text(state, "dim") if state else None,
        subtitle_align="right",
        border_style="red" if dim else "dim",
        height=lines + 2,
    )


def _height(text: str, width: int) -> int:
    """Lines that the text takes in a frame of this width, at most; those of a screen and more count alike."""
    inner = max(1, width - 4)
    return sum(1 + len(line) * 5 // (inner * 4) for line in text[-inner * 400 :].splitlines())


def _end(text: str, width: int, lines: int) -> str:
    """The last lines of the text, which are those that are being written."""
    # More letters than fit are never needed; to wrap them all for each picture would take long.
    wrapped = Text(text[-width * lines * 2 :].strip()).wrap(_RULER, width)
    return "\n".join(line.plain.rstrip() for line in wrapped[-lines:])


def _progress(job: Job, width: int, now: datetime) -> RenderableType:
    left_s, all_s = job.seconds_left(now), max(job.seconds_in_all(), 1)
    stage = Text(clean(_stage(job)), "yellow" if not job.connected else "")
    stage.truncate(max(1, width - 12), overflow="ellipsis")
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    line.add_row(stage, Text(f"{left_s:.0f} s left" if not job.ended else "", "dim"))
    return Group(line, ProgressBar(total=all_s, completed=all_s - left_s, width=width))


def _stage(job: Job) -> str:
    seats = job.resource["responses"]
    if not job.connected:
        return "The connection is lost; trying to have it back."
    if job.ended:
        return "The responses are being compared." if not job.settled else job.status
    if job.status == "aggregating":
        writer = job.consensus.agent_id if job.consensus else job.resource["aggregator"]["requested"]
        return f"{writer} is writing the consensus."
    through = len(seats) - len(job.awaited)
    awaited = f"; waiting for {', '.join(job.awaited)}" if job.awaited else ""
    return f"{through} of {len(seats)} agents are through{awaited}. Ctrl-C cancels."
