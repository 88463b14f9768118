"""Models that several tests measure with, loaded once."""

from collections.abc import Callable, Sequence

import pytest

from folkmoot.analysis.embedding import Embedder
from folkmoot.analysis.manner import Manner, MannerMeter
from folkmoot.analysis.sentences import Parser

Measure = Callable[[str], Manner]


@pytest.fixture(scope="session")
def measure() -> Measure:
    """What measures a text as the product does."""
    embedder, parser, meter = Embedder(), Parser(), MannerMeter()

    def measured(text: str) -> Manner:
        sentences: Sequence[str] = [one.text for one in parser.parse(text).sentences]
        vectors = embedder.embed([text, *sentences])
        return meter.measure(text, vectors[0], sentences, vectors[1:])

    return measured
