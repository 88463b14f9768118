"""The six tones that a response can be written in, and none of them."""

from collections.abc import Sequence

from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.heads import NgramHead, VectorHead, load, mean_shares, softmax
from folkmoot.analysis.weights import FOLDER, Weights

TONES = Weights(FOLDER / "tones.npz", "cceb898f87e5ba3c3ad82132f01d85a2abe4b558846ef4634743d9af5d9a99fa")
#: In the order of the weights. What each was learned from, training/heads.py and training/tones.yaml say.
NAMES = ("Empathetic", "Judgmental", "Analytical", "Ambivalent", "Defensive", "Curious", "neutral")
#: No more than this is read of a text for its n-grams, in characters, as of a parsed one.
MAX_CHARS = 8_000


class ToneMeter:
    """The mean of a head on the embedding and one on n-grams: the words that join an argument tell its tone."""

    def __init__(self) -> None:
        arrays = load(TONES)
        self._vectors, self._ngrams = VectorHead(arrays), NgramHead(arrays)

    def shares(self, texts: Sequence[str], vectors: Vectors) -> dict[str, float]:
        """Each tone's share of a response; they sum to 1.

        Args:
            texts: its sentences, or itself, or both; each counts the same.
            vectors: (n_texts, 384), their embeddings.
        """
        cut = [text[:MAX_CHARS] for text in texts]
        both = softmax(self._vectors.score(vectors)) + softmax(self._ngrams.score(cut))
        return mean_shares(NAMES, both)
