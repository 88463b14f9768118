"""Emotions after Ekman: anger, disgust, fear, joy, sadness and surprise, and none of them."""

from collections.abc import Sequence

from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.heads import NgramHead, VectorHead, load, logistic, mean_shares
from folkmoot.analysis.weights import FOLDER, Weights

EMOTIONS = Weights(FOLDER / "emotions.npz", "52480f58f11d831b963a29a86db61915d00067c49ed8a38d0a29ee5a2390408e")
#: Each emotion, in the order of the weights, with those of GoEmotions' 28 labels that its authors group under it.
LABELS = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        *("admiration", "amusement", "approval", "caring", "desire", "excitement"),
        *("gratitude", "joy", "love", "optimism", "pride", "relief"),
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}
NAMES = tuple(LABELS)
#: No more than this is read of a text for its n-grams, in characters, as of a parsed one.
MAX_CHARS = 8_000


class EmotionMeter:
    """The mean of a head on the embedding and one on n-grams, trained on GoEmotions.

    Source: Demszky et al. 2020 (GoEmotions), Ekman 1992 (the six).
    """

    def __init__(self) -> None:
        arrays = load(EMOTIONS)
        self._vectors, self._ngrams = VectorHead(arrays), NgramHead(arrays)

    def shares(self, texts: Sequence[str], vectors: Vectors) -> dict[str, float]:
        """Each emotion's share of a response; they sum to 1.

        Args:
            texts: its sentences, or itself, or both; each counts the same.
            vectors: (n_texts, 384), their embeddings.
        """
        cut = [text[:MAX_CHARS] for text in texts]
        both = logistic(self._vectors.score(vectors)) + logistic(self._ngrams.score(cut))
        return mean_shares(NAMES, both)
