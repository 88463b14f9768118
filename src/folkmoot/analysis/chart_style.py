"""How every chart looks: paper, letters, and the colour that a seat has everywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: A chart's width, in inches; its height follows from what it shows.
WIDTH = 8.0
#: Dots an inch of a PNG: 8 inches are 960 dots, sharp at the width that a page gives a chart.
DPI = 120
INK, FAINT, PAPER = "#1c2530", "#d5dae1", "#ffffff"
#: Sizes of letters, in points: no letter is smaller than the last.
TITLE, LABEL, SMALL = 14, 11.5, 10
#: A label's letter and line take at most this, in inches.
LETTER, LINE = 0.105, 0.2
#: A name longer than this goes on in the next line, in letters as broad as most.
NAME_LETTERS = 19
#: Letters that are broader than most, and by how much.
BROAD = {"m": 1.55, "w": 1.3, "M": 1.4, "W": 1.6}
#: Every mark has a second sign beside its colour. The colours are Okabe and Ito's (2008), which colour-blind readers
#: can tell apart, with their yellow darkened to be seen on white and two greys for seats beyond the sixth.
SEATS = (
    ("#0072b2", "o", "-"),
    ("#e69f00", "s", "--"),
    ("#009e73", "^", "-."),
    ("#cc79a7", "D", ":"),
    ("#d55e00", "v", "-"),
    ("#56b4e9", "P", "--"),
    ("#8a7a00", "X", "-."),
    ("#5f6a78", "*", ":"),
)
#: The six tones, each of another lightness, and neutral as paper's grey.
TONES = {
    "Empathetic": "#cc79a7",
    "Judgmental": "#7f2704",
    "Analytical": "#0072b2",
    "Ambivalent": "#e8c95a",
    "Defensive": "#6b4c9a",
    "Curious": "#4fb39a",
    "neutral": "#d5dae1",
}
#: What a claim is, with a hatch, so that contested ones are seen without any colour.
CLAIMS = {"supported": ("#4fb39a", ""), "contested": ("#d55e00", "///"), "unique": ("#c3cad3", "")}


@dataclass(frozen=True)
class SeatStyle:
    """How one seat is drawn in every chart."""

    color: str
    marker: str
    line: str


def seat_styles(agents: Sequence[str], seats: Sequence[str]) -> list[SeatStyle]:
    """The style of each agent by its place among all seats, so that it keeps it whoever else was asked.

    Args:
        agents: whose responses are shown.
        seats: all seats of the roster, in its order; agents that are not among them come after.
    """
    places = list(dict.fromkeys([*seats, *agents]))
    return [SeatStyle(*SEATS[places.index(agent) % len(SEATS)]) for agent in agents]


def width_of(names: Sequence[str]) -> float:
    """Room for the longest line of names, in inches."""
    return LETTER * max(_letters(line) for name in names for line in name.split("\n"))


def height_of(names: Sequence[str]) -> float:
    """Room for the name of most lines, in inches."""
    return LINE * max(name.count("\n") + 1 for name in names)


def wrapped(name: str) -> str:
    """A name in lines that fit beside a bar, broken after hyphens, underscores and spaces where it has any."""
    lines = [""]
    for piece in re.findall(r"[^-_\s]*[-_\s]|[^-_\s]+", name):
        if lines[-1] and _letters(lines[-1] + piece.rstrip()) > NAME_LETTERS:
            lines.append("")
        for letter in piece:
            if _letters(lines[-1] + letter.rstrip()) > NAME_LETTERS:
                lines.append("")
            lines[-1] += letter
    return "\n".join(line.strip() for line in lines)


def _letters(line: str) -> float:
    """How long a line is, in letters as broad as most."""
    return sum(BROAD.get(letter, 1.0) for letter in line)


def ink_on(color: str) -> str:
    """The letters' colour that is read best on this one, by its relative luminance (WCAG 2.2)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return INK if luminance > 0.3 else PAPER
