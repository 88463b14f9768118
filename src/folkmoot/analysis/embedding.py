"""Texts as points: the sentence embedding that similarity, alignment and the heads start from."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.network import Network
from folkmoot.analysis.weights import EMBEDDING

Vectors = NDArray[np.float32]

#: Length of a vector.
DIMENSIONS = 384
#: The model was trained on texts up to this long; what follows does not count.
MAX_TOKENS = 256
#: A response of so many characters is embedded as a whole; a longer one is the mean of its sentences.
SHORT_CHARS = 280
#: No more than this is read of a text, in characters: it holds 256 word pieces of anything that is language.
MAX_CHARS = 8_000


class Embedder:
    """MiniLM-L6, int8, on onnxruntime: 86.7 (Spearman) on the development part of STS-B; `training/embedding.py`.

    Source: Reimers & Gurevych 2019 (the training), Wang et al. 2020 (the network).
    """

    def __init__(self, *, threads: int = 2) -> None:
        self._network = Network(EMBEDDING, max_tokens=MAX_TOKENS, threads=threads)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of these texts.

        What comes with a text has no influence on its vector; equal texts are computed once.

        Returns:
            (n_texts, 384), rows of unit length; the dot product of two rows is their cosine.
        """
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        different = list(dict.fromkeys(texts))
        means = np.stack(self._network.run(self._network.encode([text[:MAX_CHARS] for text in different])))
        unit: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        rows = {text: row for row, text in enumerate(different)}
        return unit[[rows[text] for text in texts]]

    def read(self, text: str, sentences: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of a response and its sentences, by their words; only a short one is read as a whole besides."""
        is_whole = len(text) <= SHORT_CHARS or not sentences
        parts = [*sentences, text] if is_whole else sentences
        vectors = dict(zip(parts, self.embed(parts), strict=True))
        return vectors if text in vectors else {**vectors, text: pooled(sentences, vectors)}


def pooled(sentences: Sequence[str], vectors: Mapping[str, Vectors]) -> Vectors:
    """The vector of a text of these sentences, at least one: their mean, each counting by its length.

    To read a long text once more as a whole would take as long as all its sentences, and tells little more: see
    docs/analysis.md.

    Args:
        sentences: in any order, each of at least one letter.
        vectors: each sentence's.
    """
    summed = sum(len(sentence) * vectors[sentence] for sentence in sorted(sentences))
    unit: Vectors = np.asarray(summed / np.maximum(np.linalg.norm(summed), 1e-9), np.float32)
    return unit
