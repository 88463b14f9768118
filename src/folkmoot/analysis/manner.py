"""How a response is written, whatever it argues for: sentiment, tones, emotions and features of one text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from folkmoot.analysis import features
from folkmoot.analysis.embedding import SHORT_CHARS, Vectors
from folkmoot.analysis.emotions import emotion_meter
from folkmoot.analysis.sentiment import Sentiment, SentimentMeter
from folkmoot.analysis.tones import tone_meter


@dataclass(frozen=True)
class Manner:
    """What was measured of one response; the shares of tones and those of emotions sum to 1 each."""

    sentiment: Sentiment
    tones: Mapping[str, float]
    emotions: Mapping[str, float]
    features: Mapping[str, float]


class MannerMeter:
    """All that is loaded to measure it."""

    def __init__(self) -> None:
        self._sentiment = SentimentMeter()
        self._tones = tone_meter()
        self._emotions = emotion_meter()

    def measure(self, text: str, vector: Vectors, sentences: Sequence[str], vectors: Vectors) -> Manner:
        """Measure a response by its sentences, and as a whole, which counts as one more.

        A short text is judged as the heads were trained, on whole comments, and a long one by its sentences too: no
        head knows what to make of a page.

        Args:
            text: the response; what is blank has no manner.
            vector: (1, 384), its embedding.
            vectors: (n_sentences, 384), theirs.
        """
        parts = len(sentences) if len(text) > SHORT_CHARS else 0
        is_blank = not text.strip()
        texts = [] if is_blank else [text, *sentences[:parts]]
        everything = vectors[:0] if is_blank else np.concatenate([vector.reshape(1, -1), vectors[:parts]])
        emotions = self._emotions.shares(texts, everything)
        sentiment = self._sentiment.measure(texts, everything, emotions)
        tones = self._tones.shares(texts, everything)
        return Manner(sentiment, tones, emotions, features.measure(text, sentences, sentiment, tones))
