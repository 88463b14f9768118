"""Which of the given answers a response gives: a network reads it together with the question and all of its options."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from folkmoot.analysis.network import Network
from folkmoot.analysis.weights import ANSWERS, Weights, tokenizer

#: What a response answers that takes no side, or several.
UNCLEAR = "unclear"
#: Word pieces of a response that are read: a longer one says what it answers where it begins, or where it ends.
BEGINNING, END = 100, 156
#: Word pieces of response, question and options together; the network knows no more.
MAX_TOKENS = 512
#: Of what is longer, this many characters from either end are looked at.
RESPONSE_CHARS, QUERY_CHARS, OPTION_CHARS = 900, 500, 150
#: What some models think aloud before they answer.
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
#: The columns of the network's output: how much speaks for a word piece, and, in the first row, for no option.
CHOSEN, NONE = 0, 1


class AnswerReader:
    """MiniLM-L6 over a response and what was asked, int8, on onnxruntime; `make train-analysis` makes its weights.

    Each option stands behind the question. The network says of every word piece how much speaks for it; an option has
    the mean of its own.
    """

    def __init__(self, *, threads: int = 2, weights: Weights = ANSWERS) -> None:
        self._network = Network(weights, max_tokens=MAX_TOKENS, threads=threads)
        self._tokenizer = tokenizer(MAX_TOKENS)

    def read(self, query: str, options: Mapping[str, str], texts: Sequence[str]) -> list[str]:
        """The key of the option that each text chooses, or `unclear`: none, several, or no way to tell."""
        keys = [*options, UNCLEAR]
        return [
            keys[int(shares.argmax())] if _THOUGHT.sub("", text).strip() else UNCLEAR
            for text, shares in zip(texts, self.shares(query, options, texts), strict=True)
        ]

    def shares(self, query: str, options: Mapping[str, str], texts: Sequence[str]) -> NDArray[np.float32]:
        """How likely each text chooses each option, and none of them.

        Returns:
            (n_texts, n_options + 1), each row summing to 1; the last column is that of none.
        """
        if not texts:
            return np.zeros((0, len(options) + 1), np.float32)
        asked, spans = with_options(query, options)
        pairs = [(shortened(text, self._tokenizer), asked) for text in texts]
        encodings = self._tokenizer.encode_batch(pairs)
        outputs = self._network.run(pairs, together=False)
        logits = np.stack(
            [_logits(output, encoding, spans) for output, encoding in zip(outputs, encodings, strict=True)]
        )
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return shares


def shortened(text: str, pieces: Tokenizer) -> str:
    """A response without its middle, where it is too long to be read whole, and without thoughts."""
    text = _THOUGHT.sub(" ", text)
    if len(text) > 2 * RESPONSE_CHARS:
        text = f"{text[:RESPONSE_CHARS]} {text[-RESPONSE_CHARS:]}"
    found = pieces.encode(text, add_special_tokens=False).offsets
    if len(found) <= BEGINNING + END:
        return text
    return f"{text[: found[BEGINNING - 1][1]]} ... {text[found[-END][0] :]}"


def with_options(query: str, options: Mapping[str, str]) -> tuple[str, list[tuple[int, int]]]:
    """What the network reads beside a response, and where in it each option stands, in characters."""
    if len(query) > 2 * QUERY_CHARS:
        query = f"{query[:QUERY_CHARS]} {query[-QUERY_CHARS:]}"
    asked, spans = f"{query} Answer:", list[tuple[int, int]]()
    for key, words in options.items():
        option = words if words.lower() == key.lower() else f"{key}) {words}"
        option = option[:OPTION_CHARS]
        spans.append((len(asked) + 1, len(asked) + 1 + len(option)))
        asked += f" {option};"
    return asked, spans


def places(encoding: Encoding, span: tuple[int, int]) -> list[int]:
    """The word pieces of a pair that stand within these characters of its second text."""
    first, last = span
    return [
        place
        for place, (begins, ends) in enumerate(encoding.offsets)
        if encoding.sequence_ids[place] == 1 and first <= begins < ends <= last
    ]


def _logits(output: NDArray[np.float32], encoding: Encoding, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """(n_options + 1); an option of which nothing could be read is not chosen."""
    of_options = [
        float(output[found, CHOSEN].mean()) if (found := places(encoding, span)) else -np.inf for span in spans
    ]
    return np.array([*of_options, float(output[0, NONE])], np.float32)
