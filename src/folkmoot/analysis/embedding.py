"""Texts as points: the sentence embedding that similarity, alignment and the heads start from."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.weights import EMBEDDING, Network, tokenizer

Vectors = NDArray[np.float32]

#: Length of a vector.
DIMENSIONS = 384
#: The model was trained on texts up to this long; what follows does not count.
MAX_TOKENS = 256
#: No more than this is read of a text, in characters: it holds 256 word pieces of anything that is language.
MAX_CHARS = 8_000
#: Texts in one run of the network.
BATCH = 8


class Embedder:
    """MiniLM-L6, int8, on onnxruntime: 82.0 (Spearman) on the test part of STS-B.

    Source: Reimers & Gurevych 2019 (the training), Wang et al. 2020 (the network).
    """

    def __init__(self, *, threads: int = 2) -> None:
        self._network = Network(EMBEDDING, threads=threads)
        self._tokenizer = tokenizer(MAX_TOKENS)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of these texts.

        What comes with a text has no influence on its vector beyond rounding, and none at all on the set: equal texts
        are computed once, and in the same order whatever the order they came in.

        Returns:
            (n_texts, 384), rows of unit length; the dot product of two rows is their cosine.
        """
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        ordered = _ordered(texts)
        rows = {text: number for number, text in enumerate(ordered)}
        computed = np.concatenate([self._batch(batch) for batch in _batches(ordered)])
        return computed[[rows[text] for text in texts]]

    def _batch(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch([text[:MAX_CHARS] for text in texts])
        mask = np.array([encoding.attention_mask for encoding in encodings], np.float32)[..., None]
        states = self._network.run(encodings)
        means: Vectors = (states * mask).sum(axis=1) / mask.sum(axis=1)
        unit: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        return unit


def _ordered(texts: Iterable[str]) -> list[str]:
    """Each text once, the shortest first, so that a batch holds texts of about one length."""
    return sorted(set(texts), key=lambda text: (len(text), text))


def _batches(ordered: list[str]) -> Iterator[list[str]]:
    """The texts by a few, of about one length: a sentence filled up to the length of a page costs what a page costs."""
    batch: list[str] = []
    for text in ordered:
        if len(batch) == BATCH or (batch and len(text) > 2 * len(batch[0]) + 16):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch
