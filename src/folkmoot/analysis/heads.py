"""The small classifiers on top of the embedding, and the n-grams that some of them read beside it."""

import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.weights import Weights

Scores = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.generic]]

#: What counts as a word of an n-gram; a question mark says as much as one.
WORDS = re.compile(r"\w+|\?")
#: No more than this is read of a text for its n-grams, in characters, as of a parsed one.
MAX_CHARS = 8_000


def load(weights: Weights) -> Arrays:
    """The arrays of a file of weights.

    Raises:
        WeightsDamaged: it is missing, or not the one that was measured.
    """
    with np.load(io.BytesIO(weights.checked()), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


class VectorHead:
    """A linear classifier of sentence vectors."""

    def __init__(self, arrays: Arrays) -> None:
        self._weights = arrays["vector_weights"].astype(np.float64)
        self._bias = arrays["vector_bias"].astype(np.float64)

    def score(self, vectors: Vectors) -> Scores:
        """One score for each text and class, before it is made a probability: (n_texts, n_classes)."""
        return vectors @ self._weights.T + self._bias


class NgramHead:
    """A linear classifier of words and pairs of words, weighted by TF-IDF.

    Source: Salton & Buckley 1988 (the weighting), as in scikit-learn's `TfidfVectorizer(sublinear_tf=True)`.
    """

    def __init__(self, arrays: Arrays) -> None:
        ngrams = bytes(arrays["ngrams"]).decode().split("\n")
        self._places = {ngram: place for place, ngram in enumerate(ngrams)}
        self._rarity = arrays["ngram_rarity"].astype(np.float64)
        self._weights = arrays["ngram_weights"].astype(np.float64)
        self._bias = arrays["ngram_bias"].astype(np.float64)

    def score(self, texts: Sequence[str]) -> Scores:
        """One score for each text and class, before it is made a probability: (n_texts, n_classes)."""
        return np.array([self._score(text) for text in texts]).reshape(len(texts), len(self._bias))

    def _score(self, text: str) -> Scores:
        counts = Counter(place for ngram in _ngrams(text) if (place := self._places.get(ngram)) is not None)
        if not counts:
            return self._bias
        places = np.fromiter(counts, int)
        values = (1 + np.log(np.fromiter(counts.values(), float))) * self._rarity[places]
        found: Scores = self._weights[:, places] @ (values / np.linalg.norm(values)) + self._bias
        return found


def _ngrams(text: str) -> list[str]:
    words = WORDS.findall(text.lower())
    return [*words, *(f"{one} {two}" for one, two in pairwise(words))]


def logistic(scores: Scores) -> Scores:
    """Scores of classes that do not exclude each other, as probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -60, 60))))


def softmax(scores: Scores) -> Scores:
    """Scores of classes that exclude each other, as probabilities that sum to 1."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def mean_shares(names: Sequence[str], probabilities: Scores) -> dict[str, float]:
    """The mean of several texts' probabilities as shares that sum to 1; of no text, all of it is neutral."""
    if not len(probabilities):
        return {name: float(name == "neutral") for name in names}
    shares = (probabilities / probabilities.sum(axis=1, keepdims=True)).mean(axis=0)
    return dict(zip(names, (shares / shares.sum()).tolist(), strict=True))


class ShareMeter:
    """The mean of a head on the embedding and one on n-grams, as shares of the classes.

    Args:
        weights: of both heads.
        names: of the classes, in the order of the weights.
        probabilities: of scores; `logistic` where the classes do not exclude each other, else `softmax`.
    """

    def __init__(self, weights: Weights, names: Sequence[str], probabilities: Callable[[Scores], Scores]) -> None:
        arrays = load(weights)
        self._vectors, self._ngrams = VectorHead(arrays), NgramHead(arrays)
        self._names, self._probabilities = names, probabilities

    def shares(self, texts: Sequence[str], vectors: Vectors) -> dict[str, float]:
        """Each class' share of a response; they sum to 1.

        Args:
            texts: its sentences, or itself, or both; each counts the same.
            vectors: (n_texts, 384), their embeddings.
        """
        cut = [text[:MAX_CHARS] for text in texts]
        both = self._probabilities(self._vectors.score(vectors)) + self._probabilities(self._ngrams.score(cut))
        return mean_shares(self._names, both)
