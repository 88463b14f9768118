"""The charts: pictures of real size with nothing cut off, the same colours everywhere, and words for the blind."""

import io
import random
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from folkmoot.analysis import chart_style, charts, emotions, tones
from folkmoot.analysis.chart_words import Name
from folkmoot.analysis.charts import Chart, Subject

SEATS = [
    *("qwen", "mistral", "deephermes", "llama3", "a-very-long-seat-name-of-thirty"),
    *("gpt-oss-120b-reasoning-high", "phi", "claude_sonnet_long_name_here_ok"),
]
#: Names of thirty letters and more, as broad as they come.
LONG = [
    *("meta-llama-3-1-70b-instruct-eu1", "mistral_large_2411_reasoning_hi", "deephermes-3-preview-llama-3-8b"),
    *("w" * 16 + "m" * 16, "abcdefghijklmnopqrstuvwxyz012345", "gpt-oss-120b-reasoning-high-2025"),
    *("claude_sonnet_long_name_here_ok1", "qwen-2-5-72b-instruct-fp8-turbo"),
]
AXES = ("Length", "Polarity", "Subjectivity", "Analytical", "Empathetic", "Curious", "Readability", "Lexical diversity")
NAMES = {"heatmap", "sentiment", "emotion", "radar", "claims"}


def report(agents: list[str]) -> dict[str, Any]:
    """An analysis of these agents, with figures at random but the same each time."""
    dice, count = random.Random(len(agents)), len(agents)
    matrix = [[1.0] * count for _ in agents]
    for a, b in combinations(range(count), 2):
        matrix[a][b] = matrix[b][a] = dice.random()
    raw = [[dice.random() for _ in tones.NAMES] for _ in agents]
    return {
        "similarity": matrix,
        "sentiment": [{"polarity": dice.uniform(-1, 1), "subjectivity": dice.random()} for _ in agents],
        "tones": [dict(zip(tones.NAMES, [one / sum(of) for one in of], strict=True)) for of in raw],
        "emotions": [dict.fromkeys(emotions.NAMES, 1 / 7) for _ in agents],
        "features": [{**{axis: dice.random() for axis in AXES}, "Hedging": dice.random()} for _ in agents],
        "claims": [
            {"agent_id": agent, "kind": dice.choice(["supported", "contested", "unique"])}
            for agent in agents[1:]
            for _ in range(5)
        ],
    }


def drawn(agents: list[str]) -> dict[str, Chart]:
    """The charts of these agents, by name."""
    return {chart.name: chart for chart in charts.draw(agents, report(agents), seats=SEATS)}


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_every_chart_is_drawn_in_both_formats(count: int) -> None:
    """Each chart is a PNG of real size with more than one colour, and an SVG that needs no font of the reader's."""
    for chart in drawn(SEATS[-count:]).values():
        image = Image.open(io.BytesIO(chart.pictures["png"]))
        image.load()
        svg = chart.pictures["svg"].decode()
        assert image.format == "PNG" and image.width == 960 and image.height >= 300, chart.name
        assert len(image.convert("RGB").getcolors(100_000) or []) > 8, chart.name
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert (
            "<text" not in svg and "<script" not in svg and not re.findall(r'(?:href|src)="(?!#|data:image/png)', svg)
        )
        assert len(chart.pictures["png"]) < 200_000 and len(svg) < 150_000


@pytest.mark.parametrize(
    "agents",
    [SEATS[:2], SEATS[4:7], SEATS[:4], SEATS, LONG[:2], LONG[1:4], LONG[:4], LONG],
    ids=lambda agents: f"{len(agents)} {'long' if agents[0] in LONG else 'mixed'}",
)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_nothing_is_cut_off_or_overlaps(name: Name, agents: list[str]) -> None:
    """Every word lies within its picture and none upon another, however many agents and long their names."""
    subject = Subject(agents, report(agents), chart_style.seat_styles(agents, SEATS))

    figure = charts.DRAWINGS[name](subject)

    boxes = words(figure)
    assert boxes
    for text, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height, text
    for (one, a), (other, b) in combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 2 or up <= 2, f"{one!r} and {other!r}"


def words(figure: Figure) -> list[tuple[str, Any]]:
    """Every text of a figure that is seen, with the box it fills, in dots."""
    figure.savefig(io.BytesIO(), format="rgba", dpi=figure.dpi)
    texts = {id(one): one for one in figure.findobj(Text) if isinstance(one, Text) and one.get_visible()}
    return [(one.get_text(), one.get_window_extent()) for one in texts.values() if one.get_text().strip()]


def test_a_seat_keeps_its_colour() -> None:
    """A seat is drawn alike in every chart, whoever else was asked, and no two of eight alike."""
    all_styles = dict(zip(SEATS, chart_style.seat_styles(SEATS, SEATS), strict=True))

    assert len({one.color for one in all_styles.values()}) == len({one.marker for one in all_styles.values()}) == 8
    for agents in (["phi", "qwen"], ["llama3"], SEATS[::-1]):
        assert chart_style.seat_styles(agents, SEATS) == [all_styles[agent] for agent in agents]


def test_colours_are_told_apart_by_the_colour_blind() -> None:
    """No two neighbours of a stack are alike in lightness, so that they differ without any colour too."""
    for palette in (chart_style.TONES.values(), [color for color, _ in chart_style.CLAIMS.values()]):
        grays = [Image.new("RGB", (1, 1), color).convert("L").getpixel((0, 0)) for color in palette]
        assert all(abs(int(a) - int(b)) > 12 for a, b in pairwise(grays)), grays  # type: ignore[arg-type]


def test_letters_are_read_on_their_ground() -> None:
    """What is written into a part of a bar has a contrast of at least 3 to 1, as large letters need."""
    for color in [*chart_style.TONES.values(), *(color for color, _ in chart_style.CLAIMS.values())]:
        ground, ink = luminance(color), luminance(chart_style.ink_on(color))
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 3, color


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_chart_is_told_in_words() -> None:
    """A chart's text names every agent and its figures."""
    agents = SEATS[:3]
    source, shown = report(agents), drawn(agents)

    assert set(shown) == NAMES
    for chart in shown.values():
        assert all(agent in chart.alt for agent in agents), chart.alt
    assert f"qwen and mistral {source['similarity'][0][1]:.2f}" in shown["heatmap"].alt
    assert f"{source['features'][2]['Length']:.2f}" in shown["radar"].alt
    assert "qwen: 0 supported, 0 contested, 0 unique" in shown["claims"].alt
    assert "nothing to compare" in drawn(["qwen"])["heatmap"].alt


def test_threads_draw_without_disturbing_each_other() -> None:
    """The same analysis drawn by four threads at once gives the same pictures as alone."""
    alone = [chart.pictures["png"] for chart in drawn(SEATS[:3]).values()]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: [chart.pictures["png"] for chart in drawn(SEATS[:3]).values()], range(4)))

    assert all(pictures == alone for pictures in together)


def test_names_are_broken_where_they_can_be() -> None:
    """A long name goes on after a hyphen or underscore, one that has none is cut, and no letter is lost."""
    assert chart_style.wrapped("qwen") == "qwen"
    assert chart_style.wrapped("claude_sonnet_long_name") == "claude_sonnet_long_\nname"
    for name in [*SEATS, *LONG, "x" * 32, "m" * 32, "a", "-", "--a"]:
        lines = chart_style.wrapped(name).split("\n")
        assert "".join(lines) == name and all(len(line) <= chart_style.NAME_LETTERS for line in lines)
