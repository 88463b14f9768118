"""The embedding: what comes with a text does not change its vector, and long texts are the mean of their sentences."""

import numpy as np
import pytest

from folkmoot.analysis.embedding import Embedder, pooled

SENTENCES = [
    "Nuclear power is safe.",
    "New plants take about ten years to build, and cost more than planned.",
    "The waste stays dangerous for thousands of years, and nobody knows where to keep it.",
    "The waste stays dangerous for thousands of years, and nobody knows yet where it can be kept.",
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """The network, loaded once."""
    return Embedder(threads=1)


def test_a_text_has_one_vector_whatever_it_comes_with(embedder: Embedder) -> None:
    """Among others a text gets the very vector that it has alone."""
    alone = np.concatenate([embedder.embed([sentence]) for sentence in SENTENCES])

    together = embedder.embed(SENTENCES)

    assert np.array_equal(together, alone)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_a_long_text_is_the_mean_of_its_sentences(embedder: Embedder) -> None:
    """Each sentence counts by its length, and in no order."""
    vectors = dict(zip(SENTENCES, embedder.embed(SENTENCES), strict=True))

    found = pooled(SENTENCES[:2], vectors)

    assert np.array_equal(found, pooled(SENTENCES[1::-1], vectors))
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found @ vectors[SENTENCES[1]] > found @ vectors[SENTENCES[0]] > vectors[SENTENCES[1]] @ vectors[SENTENCES[0]]
    assert np.allclose(pooled(SENTENCES[:1], vectors), vectors[SENTENCES[0]], atol=1e-6)
