"""Trains the head for answers: `python -m training.stance [WEIGHTS]`.

Args:
    WEIGHTS: the folder to write to; the package's own unless it is given. The digest to pin is printed.

It learns from the labelled responses of tests/unit/analysis, but for the rounds in `votes/unseen`, and is measured by
cross-validation: each question's responses by a head that has met none of them.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from folkmoot.analysis.embedding import Embedder, Vectors
from folkmoot.analysis.sentences import Parser
from folkmoot.analysis.stance import NAMES, both_ends
from folkmoot.analysis.votes import YES_NO
from folkmoot.analysis.weights import FOLDER
from training.heads import Arrays, ngram_arrays, vector_arrays, vectorizer

LABELLED = Path(__file__).parents[1] / "tests" / "unit" / "analysis"
#: The vectors count so much: unit vectors of 384 numbers are short beside the penalty of a regression.
STRETCH = 20
FOLDS = 10

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """A response, the question that it answers, and the answer that a person reads."""

    query: str
    text: str
    answer: str


def main(arguments: Sequence[str]) -> int:
    """Measure by cross-validation, train on all, and write the file."""
    folder = Path(arguments[0]) if arguments else FOLDER
    examples = list(labelled())
    vectors = embedded(examples)
    answers = np.array([NAMES.index(example.answer) for example in examples])
    right = 0
    for learned, held in GroupKFold(FOLDS).split(answers, groups=[example.query for example in examples]):
        _, shares = fitted(examples, vectors, answers, learned, held)
        right += int((shares.argmax(axis=1) == answers[held]).sum())
    sys.stdout.write(
        f"{100 * right / len(answers):.1f}% of {len(answers)} right, each by a head without its question\n"
    )
    every = np.arange(len(answers))
    path = folder / "stance.npz"
    np.savez_compressed(path, allow_pickle=False, **fitted(examples, vectors, answers, every, every)[0])
    sys.stdout.write(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return 0


def labelled() -> Iterator[Labelled]:
    """The responses to yes-or-no questions that may be learned from."""
    for group in json.loads((LABELLED / "labelled_votes.json").read_text(encoding="utf-8")):
        if group["question_type"] == YES_NO:
            yield from (Labelled(group["query"], text, a) for a, texts in group["answers"].items() for text in texts)
    for path in sorted((LABELLED / "votes").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            if group["type"] == YES_NO:
                yield from (Labelled(group["query"], text, a) for a in NAMES for text in group.get(a, ()))


def embedded(examples: Sequence[Labelled]) -> Vectors:
    """What the head reads of each beside its words: (n_examples, 768)."""
    parser, embedder, rows = Parser(), Embedder(), []
    for example in examples:
        sentences = [sentence.text for sentence in parser.parse(example.text).sentences]
        rows.append(both_ends(example.text, sentences, embedder.read(example.text, sentences)))
    return np.stack(rows)


def fitted(
    examples: Sequence[Labelled], vectors: Vectors, answers: Places, learned: Places, held: Places
) -> tuple[Arrays, NDArray[np.float64]]:
    """The weights learned from some examples, and the mean of what both halves make of others: (n_held, 3)."""
    words, texts = vectorizer(min_df=2), [example.text for example in examples]
    counted = words.fit_transform([texts[place] for place in learned])
    by_vector = LogisticRegression(C=0.01, max_iter=1000).fit(STRETCH * vectors[learned], answers[learned])
    by_ngram = LogisticRegression(C=5, max_iter=1000).fit(counted, answers[learned])
    arrays = {
        **vector_arrays(STRETCH * by_vector.coef_, by_vector.intercept_),
        **ngram_arrays(words, by_ngram.coef_, by_ngram.intercept_),
    }
    others = words.transform([texts[place] for place in held])
    shares = by_vector.predict_proba(STRETCH * vectors[held]) + by_ngram.predict_proba(others)
    return arrays, shares / 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
