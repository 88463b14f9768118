"""What a response seems to answer to a yes-or-no question that it does not answer in so many words: learned."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from folkmoot.analysis.embedding import Vectors
from folkmoot.analysis.heads import ShareMeter, softmax
from folkmoot.analysis.weights import FOLDER, Weights
from folkmoot.analysis.yes_no import NO, UNCLEAR, YES, Answer

STANCE = Weights(FOLDER / "stance.npz", "89a7ea775d24430e573be7699762e1b833dac6c4765bfab731c2301eb8a100d6")
#: In the order of the weights.
NAMES = (NO, YES, UNCLEAR)
#: By how much a side that the rules see outweighs what was learned, and their seeing none: factors, chosen on four
#: rounds of responses that the rules had not met then, with heads that had not met their questions.
SIDED, OPEN = math.exp(2), math.exp(1.5)

#: How likely each answer is; they sum to 1.
Leaning = Mapping[str, float]


class StanceMeter:
    """The mean of a head on the vectors of a response and of its last sentence, and one on its words."""

    def __init__(self) -> None:
        self._meter = ShareMeter(STANCE, NAMES, softmax)

    def leaning(self, text: str, sentences: Sequence[str], vectors: Mapping[str, Vectors]) -> Leaning:
        """What it seems to answer, by its words alone: the question itself is not read.

        Args:
            text: the response.
            sentences: its own.
            vectors: of all these, see `Embedder.read`.
        """
        return self._meter.shares([text], both_ends(text, sentences, vectors).reshape(1, -1))


def both_ends(text: str, sentences: Sequence[str], vectors: Mapping[str, Vectors]) -> Vectors:
    """The vector of a response beside that of its last sentence: (768,)."""
    return np.concatenate([vectors[text], vectors[sentences[-1] if sentences else text]])


def settled(read: Answer, leaning: Leaning | None) -> str:
    """The answer: what a response says itself, else what the rules and the leaning make the likeliest."""
    if read.is_said or leaning is None:
        return read.answer
    trust = OPEN if read.answer == UNCLEAR else SIDED
    return max(NAMES, key=lambda name: leaning[name] * (trust if name == read.answer else 1))
