"""An empty chart to draw on, measured in inches from its lower left corner.

Matplotlib's axes would place ticks, labels and legends by themselves: it takes longer than all else, twice a chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle

from folkmoot.analysis import chart_style as style

Point = tuple[float, float]

#: Between the picture's edge and its words, and between what is drawn and the word that belongs to it, in inches.
EDGE, PAD = 0.15, 0.06
#: The plate of a colour in a legend, its word's distance from it, and the next column's from that, in inches.
PLATE, TO_WORD, TO_COLUMN = 0.19, 0.11, 0.2
#: A row of a legend, and a line of small letters, in inches.
KEY, SMALL_LINE = 0.3, 0.17
#: What lies behind the bars, the bars and lines, and the words.
BEHIND, DRAWN, WORDS = 0.5, 2, 3


@dataclass(frozen=True)
class Frame:
    """What lies around the drawing, in inches; a chart's height follows from what it shows."""

    height: float
    left: float
    right: float = 0.45
    top: float = 0.6
    bottom: float = 0.95

    @property
    def size(self) -> Point:
        """The drawing's width and height."""
        return style.WIDTH - self.left - self.right, self.height - self.top - self.bottom

    def at(self, across: float, down: float) -> Point:
        """Where a part of the width from the left and a part of the height from the top end."""
        width, height = self.size
        return self.left + across * width, self.bottom + (1 - down) * height


class Paper:
    """A chart with its title, and what it means in a small line below."""

    def __init__(self, title: str, note: str, frame: Frame) -> None:
        self.figure = Figure(figsize=(style.WIDTH, frame.height), dpi=style.DPI, facecolor=style.PAPER)
        self.frame = frame
        self.write((EDGE, frame.height - 0.14), title, ha="left", va="top", size=style.TITLE, fontweight="bold")
        self.write((EDGE, 0.14), note, ha="left", va="bottom", size=style.SMALL)

    def write(
        self, at: Point, words: str, *, ha: str = "center", va: str = "center", size: float = style.LABEL, **looks: Any
    ) -> None:
        """Words at this point."""
        looks = {"color": style.INK, "fontsize": size, "ha": ha, "va": va, "zorder": WORDS, **looks}
        self.figure.text(*at, words, transform=self.figure.dpi_scale_trans, **looks)

    def line(self, points: Sequence[Point], **looks: Any) -> None:
        """A line through these points."""
        x, y = zip(*points, strict=True)
        self._add(Line2D(x, y, **{"zorder": DRAWN, **looks}))

    def area(self, corners: Sequence[Point], **looks: Any) -> None:
        """A filled area."""
        self._add(Polygon(corners, **{"zorder": DRAWN, "linewidth": 0, **looks}))

    def ring(self, middle: Point, radius: float) -> None:
        """A faint circle behind all else."""
        self._add(Circle(middle, radius, fill=False, edgecolor=style.FAINT, linewidth=0.8, zorder=BEHIND))

    def bar(self, corner: Point, width: float, height: float, color: str, *, hatch: str = "") -> None:
        """A bar from its lower left corner, with a thin edge that sets it apart from the next."""
        looks: dict[str, Any] = {"facecolor": color, "hatch": hatch, "edgecolor": style.PAPER, "linewidth": 1}
        self._add(Rectangle(corner, width, height, zorder=DRAWN - 1, **looks))

    def cells(self, corners: Sequence[Sequence[Point]], colors: Sequence[Any], **looks: Any) -> None:
        """Many areas at once, each of one colour."""
        self._add(PolyCollection(corners, facecolors=colors, zorder=BEHIND, **looks))

    def rows(self, names: Sequence[str]) -> None:
        """Names left of the drawing, one a row of equal height."""
        for row, name in enumerate(names):
            x, y = self.frame.at(0, (row + 0.5) / len(names))
            self.write((x - PAD, y), name, ha="right")

    def scale(self, marks: Mapping[float, str]) -> None:
        """Marks below the drawing, by the part of the width they stand at, each with a faint line upwards."""
        for across, words in marks.items():
            bottom = self.frame.at(across, 1)
            self.line([bottom, self.frame.at(across, 0)], color=style.FAINT, linewidth=0.8, zorder=BEHIND)
            self.write((bottom[0], bottom[1] - PAD), words, va="top")

    def legend(self, looks: Mapping[str, tuple[str, str]], rows: int) -> None:
        """Plates of colour with their words above the drawing, column by column; looks are color and hatch."""
        words = list(looks)
        left, top = self.frame.at(0, 0)[0] + PAD, self.frame.at(0, 0)[1] + PAD + rows * KEY
        for start in range(0, len(words), rows):
            column = words[start : start + rows]
            for row, word in enumerate(column):
                y = top - (row + 0.5) * KEY
                self.bar((left, y - 0.08), PLATE, 0.16, looks[word][0], hatch=looks[word][1])
                self.write((left + PLATE + TO_WORD, y), word, ha="left")
            left += PLATE + TO_WORD + 0.8 * style.width_of(column) + TO_COLUMN

    def _add(self, artist: Any) -> None:
        artist.set_transform(self.figure.dpi_scale_trans)
        self.figure.add_artist(artist)
