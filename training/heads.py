"""Trains the heads for sentiment, emotions and tones: `python -m training.heads DATA [WEIGHTS]`.

Args:
    DATA: a folder with `goemotions-train.jsonl` (Demszky et al. 2020, Apache-2.0), one `{"text", "labels"}` a line.
    WEIGHTS: the folder to write to; the package's own unless it is given. The digests to pin are printed.

The emotions and the sentiment are learned from GoEmotions, the tones from the frames in `tones.yaml`.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from folkmoot.analysis import emotions, tones
from folkmoot.analysis.embedding import Embedder, Vectors
from folkmoot.analysis.heads import WORDS
from folkmoot.analysis.weights import FOLDER

#: What an emotion says of the wording; surprise may be either, so that comments with it teach nothing.
POLARITY = {"anger": 0, "disgust": 0, "fear": 0, "sadness": 0, "neutral": 1, "joy": 2}
#: How often a frame is filled, with other topics and people each time.
FILLINGS = 6
#: Frames are filled the same in every run.
SEED = 7

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Comment:
    """A comment of GoEmotions, with its labels grouped after Ekman."""

    text: str
    emotions: frozenset[str]


def main(arguments: Sequence[str]) -> int:
    """Train all heads; 2 when the data are not named."""
    if not arguments:
        sys.stderr.write("Say where the data are: python -m training.heads DATA [WEIGHTS]\n")
        return 2
    folder = Path(arguments[1]) if len(arguments) > 1 else FOLDER
    embedder = Embedder()
    comments = list(goemotions(Path(arguments[0]) / "goemotions-train.jsonl"))
    vectors = embedder.embed([comment.text for comment in comments])
    for name, arrays in {
        "emotions": emotion_head(comments, vectors),
        "sentiment": sentiment_head(comments, vectors),
        "tones": tone_head(embedder),
    }.items():
        path = folder / f"{name}.npz"
        np.savez_compressed(path, allow_pickle=False, **arrays)
        sys.stdout.write(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return 0


def goemotions(path: Path) -> Iterator[Comment]:
    """The comments of a file."""
    grouped = {label: emotion for emotion, labels in emotions.LABELS.items() for label in labels}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            read = json.loads(line)
            yield Comment(read["text"], frozenset(grouped[label] for label in read["labels"]))


def emotion_head(comments: Sequence[Comment], vectors: Vectors) -> Arrays:
    """Seven classifiers side by side, as a comment may have several emotions."""
    has = np.array([[emotion in comment.emotions for emotion in emotions.NAMES] for comment in comments], int)
    by_vector = OneVsRestClassifier(LogisticRegression(C=3, max_iter=1000, class_weight="balanced")).fit(vectors, has)
    return {**vector_arrays(*_rows(by_vector)), **emotion_ngrams(comments, has)}


def emotion_ngrams(comments: Sequence[Comment], has: NDArray[Any]) -> Arrays:
    """The half of the emotion head that reads n-grams."""
    words = vectorizer(min_df=3)
    counted = words.fit_transform([comment.text for comment in comments])
    one = LogisticRegression(C=5, max_iter=500, class_weight="balanced", solver="liblinear")
    return ngram_arrays(words, *_rows(OneVsRestClassifier(one).fit(counted, has)))


def _rows(classifiers: OneVsRestClassifier) -> tuple[NDArray[Any], NDArray[Any]]:
    ones = classifiers.estimators_
    return np.stack([one.coef_.ravel() for one in ones]), np.concatenate([one.intercept_ for one in ones])


def sentiment_head(comments: Sequence[Comment], vectors: Vectors) -> Arrays:
    """Negative, neutral or positive, learned from comments with one emotion."""
    said = [min(comment.emotions) if len(comment.emotions) == 1 else "" for comment in comments]
    clear = [place for place, emotion in enumerate(said) if emotion in POLARITY]
    head = LogisticRegression(C=5, max_iter=2000, class_weight="balanced")
    head.fit(vectors[clear], [POLARITY[said[place]] for place in clear])
    return vector_arrays(head.coef_, head.intercept_)


def tone_head(embedder: Embedder) -> Arrays:
    """One of seven, learned from frames; each frame counts the same, however often it was filled."""
    texts, places, weights = tone_sentences()
    settings: dict[str, Any] = {"max_iter": 3000, "class_weight": "balanced"}
    by_vector = LogisticRegression(C=30, **settings).fit(embedder.embed(texts), places, sample_weight=weights)
    words = vectorizer(min_df=1)
    counted = words.fit_transform(texts)
    by_ngram = LogisticRegression(C=100, **settings).fit(counted, places, sample_weight=weights)
    return {
        **vector_arrays(by_vector.coef_, by_vector.intercept_),
        **ngram_arrays(words, by_ngram.coef_, by_ngram.intercept_),
    }


def tone_sentences() -> tuple[list[str], list[int], list[float]]:
    """The frames filled with topics and people: texts, each one's place among the tones, and its weight."""
    source = yaml.safe_load(Path(__file__).with_name("tones.yaml").read_text(encoding="utf-8"))
    dice = random.Random(SEED)
    texts, places, weights = list[str](), list[int](), list[float]()
    for place, tone in enumerate(tones.NAMES):
        for frame in source["frames"][tone]:
            filled = {_filled(frame, source, dice) for _ in range(FILLINGS)}
            texts += sorted(filled)
            places += [place] * len(filled)
            weights += [1 / len(filled)] * len(filled)
    return texts, places, weights


def _filled(frame: str, source: dict[str, Any], dice: random.Random) -> str:
    text = frame.format(topic=dice.choice(source["topics"]), people=dice.choice(source["people"]))
    return text[0].upper() + text[1:]


def vectorizer(*, min_df: int) -> TfidfVectorizer:
    """What counts words and pairs of words, as `NgramHead` does."""
    return TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=min_df, token_pattern=WORDS.pattern)


def vector_arrays(weights: NDArray[Any], bias: NDArray[Any]) -> Arrays:
    """What `VectorHead` reads."""
    return {"vector_weights": weights.astype(np.float32), "vector_bias": bias.astype(np.float32)}


def ngram_arrays(words: TfidfVectorizer, weights: NDArray[Any], bias: NDArray[Any]) -> Arrays:
    """What `NgramHead` reads."""
    ngrams = "\n".join(words.get_feature_names_out())
    return {
        "ngrams": np.frombuffer(ngrams.encode(), np.uint8),
        "ngram_rarity": words.idf_.astype(np.float32),
        "ngram_weights": weights.astype(np.float16),
        "ngram_bias": bias.astype(np.float32),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
