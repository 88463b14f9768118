"""What the tests of the analysis share: its models, loaded once."""

from collections.abc import Callable

import pytest

from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.embedding import Embedder
from folkmoot.analysis.manner import Manner, MannerMeter
from folkmoot.analysis.sentences import Parser

#: Measures how a text is written, as the product does.
Measure = Callable[[str], Manner]


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """The real analyser; it keeps nothing between two sets of responses."""
    return Analyser()


@pytest.fixture(scope="session")
def measure() -> Measure:
    """What measures one text."""
    embedder, parser, meter = Embedder(), Parser(), MannerMeter()

    def measured(text: str) -> Manner:
        sentences = [one.text for one in parser.parse(text).sentences]
        vectors = embedder.embed([text, *sentences])
        return meter.measure(text, vectors[0], sentences, vectors[1:])

    return measured
