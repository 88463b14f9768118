"""The charts of an analysis as PNG and SVG: figures of their own each, without any state of matplotlib's."""

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from folkmoot.analysis import chart_style as style
from folkmoot.analysis.chart_paper import BEHIND, KEY, PAD, SMALL_LINE, Frame, Paper, Point
from folkmoot.analysis.chart_words import ALT_TEXTS, Name

Format = Literal["png", "svg"]
Report = Mapping[str, Any]

#: Height of a bar with its gap, and of a row of the heatmap, in inches.
BAR, ROW = 0.62, 0.55
#: Between two names one above the other, in inches.
GAP = 0.08
#: With more agents than this the areas of the radar would hide each other, and only lines are drawn.
MOST_FILLED = 4
#: A part of a bar narrower than this has no room for its figure.
LEAST_LABELLED = 0.08
#: The scale of the polarity goes this far, so that a bar's figure fits beside it.
FARTHEST = 1.18
#: Strips of the heatmap's scale of colours.
SHADES = 64


@dataclass(frozen=True)
class Subject:
    """What is drawn.

    Attributes:
        report: the analysis as contract.md fixes it, lists in the order of `agents`.
        styles: how each agent is drawn.
    """

    agents: Sequence[str]
    report: Report
    styles: Sequence[style.SeatStyle]

    @property
    def names(self) -> list[str]:
        """The agents' names in lines that fit."""
        return [style.wrapped(agent) for agent in self.agents]

    def row(self, least: float) -> float:
        """The height of a row that its name fits into, in inches."""
        return max(least, style.height_of(self.names) + GAP)


@dataclass(frozen=True)
class Chart:
    """One chart: what it is called, what it shows in words, and its pictures by format."""

    name: Name
    alt: str
    pictures: Mapping[Format, bytes]


def draw(agents: Sequence[str], report: Report, *, seats: Sequence[str] = ()) -> list[Chart]:
    """Every chart of an analysis of at least one response.

    Args:
        agents: the agent_ids of the responses, in the order of the report's lists.
        seats: all seats of the roster; a seat's colour is that of its place here.
    """
    subject = Subject(agents, report, style.seat_styles(agents, seats))
    with ThreadPoolExecutor(1) as beside:
        return [
            Chart(name, ALT_TEXTS[name](agents, report), _pictures(drawing(subject), beside))
            for name, drawing in DRAWINGS.items()
        ]


def _pictures(figure: Figure, beside: Executor) -> dict[Format, bytes]:
    dots, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(dots, format="rgba", dpi=style.DPI)
    png = beside.submit(_png, dots.getvalue())
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "Folkmoot"})
    return {"png": png.result(), "svg": svg.getvalue()}


def _png(dots: bytes) -> bytes:
    width, png = round(style.WIDTH * style.DPI), io.BytesIO()
    image = Image.frombuffer("RGBA", (width, len(dots) // 4 // width), dots)
    # A palette would halve the bytes, and to choose it takes as long as to draw; the best compression takes half as
    # long again as this, for 6% of them.
    image.convert("RGB").save(png, "png", compress_level=3)
    return png.getvalue()


def heatmap(subject: Subject) -> Figure:
    """How much each two responses are about the same things."""
    matrix, names = np.clip(np.array(subject.report["similarity"], float), 0, 1), subject.names
    note = "Cosine of the responses' embeddings: what they speak of, not whether they agree."
    left, right, count = 0.3 + style.width_of(names), 1.5, len(names)
    # Upright, three lines of a name are as high as a column of eight is broad.
    is_upright = style.width_of(names) > (style.WIDTH - left - right) / count
    upright = style.width_of(names) * style.SMALL / style.LABEL
    bottom = 0.6 + (upright if is_upright else style.height_of(names))
    paper = Paper(
        "Topical similarity", note, Frame(0.6 + bottom + subject.row(ROW) * max(3, count), left, right, bottom=bottom)
    )
    colors, at = colormaps["cividis"](matrix), paper.frame.at
    places = [(row, column) for row in range(count) for column in range(count)]
    # Cells and not an image, so that the SVG holds lines alone.
    paper.cells(
        [_box(at(c / count, r / count), at((c + 1) / count, (r + 1) / count)) for r, c in places],
        [colors[place] for place in places],
        edgecolors=style.PAPER,
        linewidths=2,
    )
    for row, column in places:
        ink = style.ink_on(to_hex(colors[row, column]))
        paper.write(at((column + 0.5) / count, (row + 0.5) / count), f"{matrix[row, column]:.2f}", color=ink)
    paper.rows(names)
    for column, name in enumerate(names):
        x, y = at((column + 0.5) / count, 1)
        looks: Any = {"rotation": 90, "size": style.SMALL} if is_upright else {}
        paper.write((x, y - PAD), name, va="top", **looks)
    _colors(paper)
    return paper.figure


def _colors(paper: Paper) -> None:
    """The scale of the heatmap's colours, right of it."""
    (left, top), bottom = paper.frame.at(1, 0), paper.frame.at(1, 1)[1]
    edges = np.linspace(bottom, top, SHADES + 1)
    strips = [_box((left + 0.25, low), (left + 0.45, high)) for low, high in pairwise(edges)]
    shades = list(colormaps["cividis"](np.linspace(0, 1, SHADES)))
    paper.cells(strips, shades, edgecolors="face", linewidths=0.5)
    for value, words in ((0, "0 nothing\nin common"), (0.5, "0.5"), (1, "1 the\nsame")):
        paper.write((left + 0.45 + PAD, bottom + value * (top - bottom)), words, ha="left", size=style.SMALL)


def _box(one: Point, other: Point) -> list[Point]:
    """The four corners between two."""
    return [one, (one[0], other[1]), other, (other[0], one[1])]


def sentiment(subject: Subject) -> Figure:
    """Each response's wording polarity, left of the middle for negative."""
    note = "How positive or negative the words are, from −1 to 1; not whether the response is for or against."
    paper = _bars("Wording polarity", note, subject)
    unit = 0.5 / FARTHEST
    marks = {-1: "−1\nnegative", -0.5: "−0.5", 0: "0\nneutral", 0.5: "0.5", 1: "1\npositive"}
    paper.scale({0.5 + value * unit: words for value, words in marks.items()})
    height = 0.6 * paper.frame.size[1] / len(subject.agents)
    for row, (one, look) in enumerate(zip(subject.report["sentiment"], subject.styles, strict=True)):
        middle, end = (paper.frame.at(0.5 + v * unit, (row + 0.5) / len(subject.agents)) for v in (0, one["polarity"]))
        paper.bar((min(middle[0], end[0]), end[1] - height / 2), abs(end[0] - middle[0]), height, look.color)
        is_left = one["polarity"] < 0
        words = f"{one['polarity']:+.2f}".replace("-", "−")
        paper.write((end[0] + (-PAD if is_left else PAD), end[1]), words, ha="right" if is_left else "left")
    paper.line([paper.frame.at(0.5, 0), paper.frame.at(0.5, 1)], color=style.INK, linewidth=1)
    return paper.figure


def emotion(subject: Subject) -> Figure:
    """Each response's tones, in parts of a whole."""
    note = "Share of each tone, averaged over a response's sentences."
    paper = _bars("Emotional tone", note, subject, keys=2)
    parts = {tone: [shares[tone] for shares in subject.report["tones"]] for tone in style.TONES}
    _stack(paper, parts, {tone: (color, "") for tone, color in style.TONES.items()}, keys=2)
    return paper.figure


def claims(subject: Subject) -> Figure:
    """Of each response's claims, how many are supported by others, contested by one, or made by nobody else."""
    note = "Claims that another response supports, that one contests, and that nobody else makes."
    paper = _bars("Claims", note, subject, keys=1)
    kinds = {kind: [_part(subject.report["claims"], agent, kind) for agent in subject.agents] for kind in style.CLAIMS}
    _stack(paper, kinds, style.CLAIMS, keys=1)
    for row, sums in enumerate(zip(*kinds.values(), strict=True)):
        if not sum(sums):
            paper.write(paper.frame.at(0.01, (row + 0.5) / len(subject.agents)), "no claims", ha="left")
    return paper.figure


def _part(made: Sequence[Mapping[str, Any]], agent: str, kind: str) -> float:
    kinds = [claim["kind"] for claim in made if claim["agent_id"] == agent]
    return kinds.count(kind) / len(kinds) if kinds else 0.0


def _bars(title: str, note: str, subject: Subject, *, keys: int = 0) -> Paper:
    """A chart of lying bars, the first agent on top; `keys` are rows of a legend."""
    top = 0.6 + KEY * keys
    height = top + 0.95 + subject.row(BAR) * max(2, len(subject.agents))
    paper = Paper(title, note, Frame(height, 0.3 + style.width_of(subject.names), top=top))
    paper.rows(subject.names)
    return paper


def _stack(
    paper: Paper, parts: Mapping[str, Sequence[float]], looks: Mapping[str, tuple[str, str]], *, keys: int
) -> None:
    """Lying bars of parts that add up to one, each part with its figure where there is room, and a legend on top."""
    paper.scale({quarter / 4: f"{quarter / 4:.0%}" for quarter in range(5)})
    paper.legend(looks, keys)
    count = len(next(iter(parts.values())))
    (width, height), left = paper.frame.size, np.zeros(count)
    for part, values in parts.items():
        color, hatch = looks[part]
        plate = {"facecolor": color, "edgecolor": "none", "pad": 1.5} if hatch else None
        for row, value in enumerate(values):
            x, y = paper.frame.at(left[row], (row + 0.5) / count)
            if value:
                paper.bar((x, y - 0.31 * height / count), value * width, 0.62 * height / count, color, hatch=hatch)
            if value >= LEAST_LABELLED:
                paper.write((x + value * width / 2, y), f"{value:.0%}", color=style.ink_on(color), bbox=plate)
        left += values


def radar(subject: Subject) -> Figure:
    """Each response's features, every axis from 0 in the middle to 1."""
    features = subject.report["features"]
    note = "Every axis from 0 in the middle to 1; 0.5 of polarity is neutral."
    paper = Paper("Features of the responses", note, Frame(5.8, left=1.05, right=3.3, top=1.0, bottom=0.9))
    names, (x, y), radius = list(features[0]), paper.frame.at(0.5, 0.5), paper.frame.size[0] / 2
    turns = np.linspace(0, 2 * np.pi, len(names), endpoint=False)

    def at(turn: float, value: float) -> Point:
        return x + radius * value * float(np.sin(turn)), y + radius * value * float(np.cos(turn))

    for value in (0.25, 0.5, 0.75, 1):
        paper.ring((x, y), radius * value)
    for value in (0.5, 1):
        paper.write(at(np.pi / 8, value), f"{value:g}", ha="left", va="bottom", size=style.SMALL)
    for turn, name in zip(turns, names, strict=True):
        paper.line([(x, y), at(turn, 1)], color=style.FAINT, linewidth=0.8, zorder=BEHIND)
        side, up = np.sin(turn), np.cos(turn)
        ha = "center" if abs(side) < 0.5 else "left" if side > 0 else "right"
        va = "center" if abs(up) < 0.9 else "bottom" if up > 0 else "top"
        paper.write(at(turn, 1 + 0.12 / radius), name.replace(" ", "\n"), ha=ha, va=va)
    for values, look in zip(features, subject.styles, strict=True):
        corners = [at(turn, values[name]) for turn, name in zip(turns, names, strict=True)]
        paper.line([*corners, corners[0]], linewidth=2, **_looks(look))
        if len(features) <= MOST_FILLED:
            paper.area(corners, color=look.color, alpha=0.06, zorder=BEHIND)
    _seats(paper, subject)
    return paper.figure


def _looks(look: style.SeatStyle) -> dict[str, Any]:
    return {"color": look.color, "marker": look.marker, "linestyle": look.line}


def _seats(paper: Paper, subject: Subject) -> None:
    """Who is drawn how, right of the radar."""
    heights = [SMALL_LINE * (name.count("\n") + 1) + 0.13 for name in subject.names]
    left, y = 5.85, (paper.frame.height + sum(heights)) / 2
    for name, look, height in zip(subject.names, subject.styles, heights, strict=True):
        middle = y - height / 2
        paper.line(
            [(left, middle), (left + 0.16, middle), (left + 0.32, middle)], linewidth=2, markevery=[1], **_looks(look)
        )
        paper.write((left + 0.42, middle), name, ha="left", size=style.SMALL)
        y -= height


#: Every chart by the name that it has in the API.
DRAWINGS: Mapping[Name, Callable[[Subject], Figure]] = {
    "heatmap": heatmap,
    "sentiment": sentiment,
    "emotion": emotion,
    "radar": radar,
    "claims": claims,
}
