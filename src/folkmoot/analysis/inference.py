"""Does one sentence follow from another, contradict it, or neither: the cross-encoder that reads both at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.analysis.network import Network
from folkmoot.analysis.weights import CONTRADICTION, Weights

#: (premise, hypothesis)
Pair = tuple[str, str]
#: The columns of what `infer` gives.
ENTAILS, NEUTRAL, CONTRADICTS = range(3)
#: Longer pairs are cut; the training saw up to 96 word pieces.
MAX_TOKENS = 128
#: No more than this is read of a sentence, in characters.
MAX_CHARS = 1_000


class CrossEncoder:
    """MiniLM-L6 over a pair of sentences, int8, on onnxruntime; `make train-analysis` makes its weights."""

    def __init__(self, *, threads: int = 2, weights: Weights = CONTRADICTION) -> None:
        self._network = Network(weights, max_tokens=MAX_TOKENS, threads=threads)

    def infer(self, pairs: Sequence[Pair]) -> NDArray[np.float32]:
        """Probabilities that the premise entails the hypothesis, is neutral to it, contradicts it.

        Returns:
            (n_pairs, 3), each row summing to 1. Equal pairs get equal rows, whatever else is asked and in what order.
        """
        if not pairs:
            return np.zeros((0, 3), np.float32)
        different = list(dict.fromkeys(pairs))
        cut = [(premise[:MAX_CHARS], other[:MAX_CHARS]) for premise, other in different]
        logits = np.stack(self._network.run(self._network.encode(cut)))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        rows = {pair: row for row, pair in enumerate(different)}
        return shares[[rows[pair] for pair in pairs]]
