"""The page's colours: a seat's are those of the charts, which the page may not import; a domain's can be read."""

import re
from pathlib import Path

import pytest

from folkmoot.analysis.chart_style import SEATS
from folkmoot.catalogue import DOMAINS
from services.client.job import COLOURS
from services.ui.domains import accent

STYLE = Path(__file__).parents[2] / "services" / "ui" / "style.css"
#: What accents are written on, light and dark: the page, its cards, and its soft ground.
GROUNDS = {"light": ("#ffffff", "#f6f7fa"), "dark": ("#121723", "#1b2231", "#171d2a")}
#: WCAG 2.2, success criterion 1.4.3, level AA.
LEAST_CONTRAST = 4.5


def test_page_and_charts_give_a_seat_the_same_colour() -> None:
    """The classes c0, c1 … of the style sheet are the charts' colours, in their order."""
    found = dict(re.findall(r"\.c(\d) \{ --seat: (#[0-9a-f]{6}); \}", STYLE.read_text(encoding="utf-8")))

    assert [found[str(number)] for number in range(COLOURS)] == [colour for colour, _, _ in SEATS]


@pytest.mark.parametrize("domain", DOMAINS)
def test_accent_of_a_domain_can_be_read_in_light_and_dark(domain: str) -> None:
    """Each domain but Custom has an accent of its own, with contrast enough as text on all that it stands on."""
    style = STYLE.read_text(encoding="utf-8")
    place = ":root" if domain == "Custom" else f".{accent(domain)}"
    dark_place = ".dark" if domain == "Custom" else f".dark {place}"

    for mode, rule in (("light", rf"(?<!\.dark ){re.escape(place)}"), ("dark", re.escape(dark_place))):
        [colour] = re.findall(rf"{rule} \{{ --fm-accent: (#[0-9a-f]{{6}}); \}}", style)
        for ground in GROUNDS[mode]:
            assert contrast(colour, ground) >= LEAST_CONTRAST, (mode, colour, ground)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a colour such as #a03a5c."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
