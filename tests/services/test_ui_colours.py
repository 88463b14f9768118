"""A seat has one colour everywhere: on the page, which may not import the charts' style, and in the charts."""

import re
from pathlib import Path

from folkmoot.analysis.chart_style import SEATS
from services.ui.job import COLOURS

STYLE = Path(__file__).parents[2] / "services" / "ui" / "style.css"


def test_page_and_charts_give_a_seat_the_same_colour() -> None:
    """The classes c0, c1 … of the style sheet are the charts' colours, in their order."""
    found = dict(re.findall(r"\.c(\d) \{ --seat: (#[0-9a-f]{6}); \}", STYLE.read_text(encoding="utf-8")))

    assert [found[str(number)] for number in range(COLOURS)] == [colour for colour, _, _ in SEATS]
