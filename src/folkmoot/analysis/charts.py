"""The charts of an analysis as PNG and SVG: figures of their own each, without any state of matplotlib's."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from folkmoot.analysis import chart_style as style
from folkmoot.analysis.chart_words import ALT_TEXTS, Name

Format = Literal["png", "svg"]
Report = Mapping[str, Any]

#: Height of a bar with its gap, of a row of the heatmap, and of a row of a legend, in inches.
BAR, ROW, KEY = 0.62, 0.55, 0.3
#: Between two names one above the other, in inches.
GAP = 0.08
#: With more agents than this the areas of the radar would hide each other, and only lines are drawn.
MOST_FILLED = 4
#: A part of a bar narrower than this has no room for its figure.
LEAST_LABELLED = 0.08


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
    return [
        Chart(name, ALT_TEXTS[name](agents, report), _pictures(drawing(subject))) for name, drawing in DRAWINGS.items()
    ]


def _pictures(figure: Figure) -> dict[Format, bytes]:
    dots, png, svg = io.BytesIO(), io.BytesIO(), io.BytesIO()
    figure.savefig(dots, format="rgba", dpi=style.DPI)
    size = round(style.WIDTH * style.DPI)
    image = Image.frombuffer("RGBA", (size, dots.tell() // 4 // size), dots.getvalue())
    # A palette would halve the bytes, and to choose it takes as long as to draw.
    image.convert("RGB").save(png, "png")
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "Folkmoot"})
    return {"png": png.getvalue(), "svg": svg.getvalue()}


def heatmap(subject: Subject) -> Figure:
    """How much each two responses are about the same things."""
    matrix, names = np.clip(np.array(subject.report["similarity"], float), 0, 1), subject.names
    note = "Cosine of the responses' embeddings: what they speak of, not whether they agree."
    left, right = 0.3 + style.width_of(names), 1.5
    is_upright = style.width_of(names) > (style.WIDTH - left - right) / len(names)
    upright = style.width_of(names) * style.SMALL / style.LABEL
    bottom = 0.6 + (upright if is_upright else style.height_of(names))
    frame = style.Frame(0.6 + bottom + subject.row(ROW) * max(3, len(names)), left, right, bottom=bottom)
    figure, axes = style.figure("Topical similarity", note, frame)
    # Cells and not an image, so that the SVG holds lines alone.
    cells = axes.pcolormesh(matrix, vmin=0, vmax=1, cmap="cividis", edgecolors=style.PAPER, linewidth=2)
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            rgba: Any = cells.to_rgba(value)
            ink = style.ink_on(to_hex(rgba))
            at = (column + 0.5, row + 0.5)
            axes.text(*at, f"{value:.2f}", ha="center", va="center", fontsize=style.LABEL, color=ink)
    places = np.arange(len(names)) + 0.5
    # Upright, three lines of a name are as high as a column of eight is broad.
    axes.set_xticks(
        places, names, rotation=90 if is_upright else 0, fontsize=style.SMALL if is_upright else style.LABEL
    )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    x, y, width, height = frame.rectangle()
    bar = figure.add_axes((x + width + 0.25 / style.WIDTH, y, 0.2 / style.WIDTH, height))
    colorbar: Any = figure.colorbar(cells, cax=bar)
    colorbar.outline.set_visible(False)
    bar.set_yticks([0, 0.5, 1], ["0 nothing\nin common", "0.5", "1 the\nsame"], fontsize=style.SMALL, color=style.INK)
    bar.tick_params(length=0)
    return figure


def sentiment(subject: Subject) -> Figure:
    """Each response's wording polarity, left of the middle for negative."""
    polarities = [one["polarity"] for one in subject.report["sentiment"]]
    note = "How positive or negative the words are, from −1 to 1; not whether the response is for or against."
    figure, axes = _bars("Wording polarity", note, subject)
    bars = axes.barh(subject.names, polarities, color=[one.color for one in subject.styles], height=0.6)
    axes.bar_label(
        bars,
        [f"{value:+.2f}".replace("-", "−") for value in polarities],
        padding=5,
        fontsize=style.LABEL,
        color=style.INK,
    )
    axes.set_ylim(len(subject.agents) - 0.5, -0.5)
    axes.axvline(0, color=style.INK, linewidth=1)
    axes.set_xlim(-1.18, 1.18)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1\nnegative", "−0.5", "0\nneutral", "0.5", "1\npositive"])
    return figure


def emotion(subject: Subject) -> Figure:
    """Each response's tones, in parts of a whole."""
    note = "Share of each tone, averaged over a response's sentences."
    figure, axes = _bars("Emotional tone", note, subject, keys=2)
    parts = {tone: [shares[tone] for shares in subject.report["tones"]] for tone in style.TONES}
    _stack(axes, subject.names, parts, {tone: (color, "") for tone, color in style.TONES.items()})
    return figure


def claims(subject: Subject) -> Figure:
    """Of each response's claims, how many are supported by others, contested by one, or made by nobody else."""
    note = "Claims that another response supports, that one contests, and that nobody else makes."
    figure, axes = _bars("Claims", note, subject, keys=1)
    kinds = {kind: [_part(subject.report["claims"], agent, kind) for agent in subject.agents] for kind in style.CLAIMS}
    _stack(axes, subject.names, kinds, style.CLAIMS)
    for row, sums in enumerate(zip(*kinds.values(), strict=True)):
        if not sum(sums):
            axes.text(0.01, row, "no claims", va="center", fontsize=style.LABEL, color=style.INK)
    return figure


def _part(made: Sequence[Mapping[str, Any]], agent: str, kind: str) -> float:
    kinds = [claim["kind"] for claim in made if claim["agent_id"] == agent]
    return kinds.count(kind) / len(kinds) if kinds else 0.0


def _bars(title: str, note: str, subject: Subject, *, keys: int = 0) -> tuple[Figure, Axes]:
    """A chart of lying bars, the first agent on top; `keys` are rows of a legend."""
    top = 0.6 + KEY * keys
    height = top + 0.95 + subject.row(BAR) * max(2, len(subject.agents))
    frame = style.Frame(height, 0.3 + style.width_of(subject.names), top=top)
    figure, axes = style.figure(title, note, frame)
    axes.grid(axis="x", color=style.FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _stack(
    axes: Axes, names: list[str], parts: Mapping[str, list[float]], looks: Mapping[str, tuple[str, str]]
) -> None:
    """Lying bars of parts that add up to one, each part with its figure where there is room, and a legend on top."""
    left = np.zeros(len(names))
    for part, values in parts.items():
        color, hatch = looks[part]
        bars = axes.barh(
            names, values, left=left, color=color, hatch=hatch, edgecolor=style.PAPER, linewidth=1, height=0.62
        )
        figures = [f"{value:.0%}" if value >= LEAST_LABELLED else "" for value in values]
        plate = {"facecolor": color, "edgecolor": "none", "pad": 1.5} if hatch else None
        for label in axes.bar_label(
            bars, figures, label_type="center", fontsize=style.LABEL, color=style.ink_on(color)
        ):
            label.set_bbox(plate)
        left += values
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    keys = [Patch(facecolor=looks[part][0], hatch=looks[part][1], edgecolor=style.PAPER, label=part) for part in parts]
    axes.legend(
        handles=keys, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=style.LABEL,
        labelcolor=style.INK, handlelength=1.2, handleheight=1.0, columnspacing=1.4, borderaxespad=0.3,
    )  # fmt: skip


def radar(subject: Subject) -> Figure:
    """Each response's features, every axis from 0 in the middle to 1."""
    features = subject.report["features"]
    note = "Every axis from 0 in the middle to 1; 0.5 of polarity is neutral."
    frame = style.Frame(5.8, left=1.05, right=3.3, top=1.0, bottom=0.9)
    figure, axes = style.figure("Features of the responses", note, frame, polar=True)
    names = list(features[0])
    angles = np.linspace(0, 2 * np.pi, len(names), endpoint=False)
    for agent, values, look in zip(subject.names, features, subject.styles, strict=True):
        line = [values[name] for name in names]
        around = [*angles, angles[0]], [*line, line[0]]
        axes.plot(*around, color=look.color, marker=look.marker, linestyle=look.line, linewidth=2, label=agent)
        if len(features) <= MOST_FILLED:
            axes.fill(*around, color=look.color, alpha=0.06)
    axes.set_theta_offset(np.pi / 2)  # type: ignore[attr-defined] # polar axes
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    axes.set_ylim(0, 1)
    axes.set_yticks([0.25, 0.5, 0.75, 1], ["", "0.5", "", "1"], fontsize=style.SMALL)
    axes.set_xticks(angles, [name.replace(" ", "\n") for name in names])
    for label, angle in zip(axes.get_xticklabels(), angles, strict=True):
        side = np.sin(angle)
        label.set_horizontalalignment("center" if abs(side) < 0.5 else "left" if side > 0 else "right")
    axes.grid(color=style.FAINT)
    axes.tick_params(axis="x", pad=4)
    axes.legend(
        loc="center left",
        bbox_to_anchor=(0.725, 0.5),
        bbox_transform=figure.transFigure,
        frameon=False,
        fontsize=style.SMALL,
        labelcolor=style.INK,
        handlelength=2.2,
        labelspacing=0.9,
    )
    return figure


#: Every chart by the name that it has in the API.
DRAWINGS: Mapping[Name, Callable[[Subject], Figure]] = {
    "heatmap": heatmap,
    "sentiment": sentiment,
    "emotion": emotion,
    "radar": radar,
    "claims": claims,
}
