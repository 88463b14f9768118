"""Wording polarity and subjectivity: how positive and how personal the words of a text are, whatever they argue for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.heads import VectorHead, load, softmax
from folkmoot.analysis.weights import FOLDER, Weights
from folkmoot.analysis.wording import expand

SENTIMENT = Weights(FOLDER / "sentiment.npz", "f96f3dba33b7ac762b0af6ba32ca393edc0ba0689b815c812027b9822fc6d78d")
#: Weights of the lexicon and of the emotions beside the head's one; the best of those tried on the development parts of
#: SST-2 and TweetEval. Chosen on four fifths and measured on the rest, such a choice gives 73.6 and 62.5.
LEXICON_WEIGHT, EMOTION_WEIGHT = 1.0, 1.5
#: Emotions that tell of something bad; joy tells of something good, and surprise of either.
BAD_EMOTIONS = ("anger", "disgust", "fear", "sadness")
#: No more than this is read of a text, in characters, as of a parsed one.
MAX_CHARS = 8_000


@dataclass(frozen=True)
class Sentiment:
    """`polarity` from -1 (negative) to 1 (positive), `subjectivity` from 0 (matter of fact) to 1 (personal)."""

    polarity: float
    subjectivity: float

    def as_json(self) -> dict[str, float]:
        """The two as the contract names them."""
        return {"polarity": self.polarity, "subjectivity": self.subjectivity}


class SentimentMeter:
    """A head on the embedding, joined with VADER and the emotions, for polarity; TextBlob's lexicon for subjectivity.

    Source: Hutto & Gilbert 2014 (VADER).
    """

    def __init__(self) -> None:
        self._head = VectorHead(load(SENTIMENT))
        self._lexicon = SentimentIntensityAnalyzer()

    def measure(self, texts: Sequence[str], vectors: Vectors, emotions: Mapping[str, float]) -> Sentiment:
        """The sentiment of a response.

        Args:
            texts: its sentences, or itself, or both; each counts the same. VADER saturates on long texts.
            vectors: (n_texts, 384), their embeddings.
            emotions: the share of each emotion in it.
        """
        if not texts:
            return Sentiment(0.0, 0.0)
        expanded = [expand(text[:MAX_CHARS]) for text in texts]
        negative, _, positive = softmax(self._head.score(vectors)).T
        lexicon = np.array([self._lexicon.polarity_scores(text)["compound"] for text in expanded])
        feeling = emotions["joy"] - sum(emotions[name] for name in BAD_EMOTIONS)
        weighed = (positive - negative + LEXICON_WEIGHT * lexicon).mean() + EMOTION_WEIGHT * feeling
        polarity = weighed / (1 + LEXICON_WEIGHT + EMOTION_WEIGHT)
        subjectivity = np.mean([TextBlob(text).sentiment.subjectivity for text in expanded])
        return Sentiment(float(np.clip(polarity, -1, 1)), float(np.clip(subjectivity, 0, 1)))
