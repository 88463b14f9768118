"""Which of the given answers a response gives: a network reads it together with the question and all of its options."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from folkmoot.analysis.network import Network
from folkmoot.analysis.weights import ANSWERS, Weights, tokenizer

#: What a response answers that takes no side, or several.
UNCLEAR = "unclear"
#: What is less likely than this is no answer.
LEAST_SHARE = 0.5
#: Word pieces of a response that are read: a longer one says what it answers where it begins, or where it ends.
BEGINNING, END = 100, 156
#: Word pieces of response, question and options together; the network knows no more.
MAX_TOKENS = 512
#: Of these the question and its options have so many, and the options so many of them.
ASKED, OFFERED = 240, 160
#: A longer text is looked at only this far from either end, in characters.
MOST_CHARS = 900
#: What follows where an option is named by its place: "The latter.", and not "the former president".
_AFTER_PLACE = (
    r"(?=\s*(?:[^\w\s]|$)"
    r"|\s+(?:is|was|has|does|will|would|seems|for|because|since|as|by|over|though|if|and)\b)"
)
_ONE_OF_TWO = re.compile(r"\bthe (former|latter)\b" + _AFTER_PLACE, re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NUMBERS = ("one", "two", "three", "four", "five", "six")
_BY_PLACE = re.compile(
    rf"\b(?:the ({'|'.join(_ORDINALS)}) (?:one|option|choice|answer)|(?:number|option|choice) ({'|'.join(_NUMBERS)}))\b"
    + _AFTER_PLACE,
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)
#: Words said again and again, as small models do who find no end.
_REPEATED = re.compile(r"\b(\w+(?:\W+\w+){0,5}?)(?:\W+\1\b){2,}", re.IGNORECASE)
#: Letters in squares, which Unicode does not count as forms of letters, as it does those in circles: 🅰, Ⓑ, 𝐂.
_SQUARED = {0x1F170 + place: letter for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
#: The columns of the network's output: how much speaks for a word piece, and, in the first row, for no option.
CHOSEN, NONE = 0, 1


class AnswerReader:
    """MPNet's lowest nine layers over a response and what was asked, int8, on onnxruntime: `training/answers.py`.

    Each option stands behind the question. The network says of every word piece how much speaks for it; an option has
    the mean of its own.
    """

    def __init__(self, *, threads: int = 2, weights: Weights = ANSWERS) -> None:
        self._network = Network(weights, max_tokens=MAX_TOKENS, threads=threads)
        self._pieces = whole_tokenizer()

    def read(self, query: str, options: Mapping[str, str], texts: Sequence[str]) -> list[str]:
        """The key of the option that each text chooses, or `unclear`: none, several, or no way to tell."""
        keys = [*options, UNCLEAR]
        return [
            keys[int(shares.argmax())] if said(text).strip() and shares.max() >= LEAST_SHARE else UNCLEAR
            for text, shares in zip(texts, self.shares(query, options, texts), strict=True)
        ]

    def shares(self, query: str, options: Mapping[str, str], texts: Sequence[str]) -> NDArray[np.float32]:
        """How likely each text chooses each option, and none of them.

        Returns:
            (n_texts, n_options + 1), each row summing to 1; the last column is that of none.
        """
        if not texts:
            return np.zeros((0, len(options) + 1), np.float32)
        asked, spans = with_options(query, options, self._pieces)
        pairs = [(shortened(_named(text, options), self._pieces), asked) for text in texts]
        encodings = self._network.encode(pairs)
        outputs = self._network.run(encodings)
        logits = np.stack(
            [_logits(output, encoding, spans) for output, encoding in zip(outputs, encodings, strict=True)]
        )
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return shares


def whole_tokenizer() -> Tokenizer:
    """What counts word pieces; it cuts nothing."""
    pieces = tokenizer(MAX_TOKENS)
    pieces.no_truncation()
    return pieces


def said(text: str) -> str:
    """A response without what some models think aloud before it; thoughts that do not end have no response."""
    return text.rpartition("</think>")[2].partition("<think>")[0]


def shortened(text: str, pieces: Tokenizer) -> str:
    """A response in plain letters, without thoughts, and without its middle where it is too long to be read whole."""
    return _cut(unicodedata.normalize("NFKC", said(text).translate(_SQUARED)), BEGINNING, END, pieces)


def _named(text: str, options: Mapping[str, str]) -> str:
    """A response with "the latter", "the second one", "option two" called by their marks, and numbers as offered.

    Yes and no are not offered in any order.
    """
    if "Yes" in options:
        return text
    keys = list(options)

    def by_place(found: re.Match[str]) -> str:
        word = (found[1] or found[2]).lower()
        place = (_ORDINALS if found[1] else _NUMBERS).index(word)
        return keys[place] if place < len(keys) else found[0]

    def by_number(found: re.Match[str]) -> str:
        number = str(_NUMBERS.index(found[0].lower()) + 1)
        return next((f"{key}) {words}" for key, words in options.items() if words == number != key), number)

    text = _BY_PLACE.sub(by_place, text)
    if all(words.isdigit() for words in options.values()):
        text = _NUMBER.sub(by_number, text)
    if len(keys) == 2:
        text = _ONE_OF_TWO.sub(lambda found: keys[found[1].lower() == "latter"], text)
    return text


def with_options(query: str, options: Mapping[str, str], pieces: Tokenizer) -> tuple[str, list[tuple[int, int]]]:
    """What the network reads beside a response, and where in it each option stands, in characters.

    Where all of it is too much, options lose their ends first, and then the question its middle.
    """
    marked = [words if words.lower() == key.lower() else f"{key}) {words}" for key, words in options.items()]
    most = OFFERED // max(1, len(marked))
    offered = [_cut(option, most, 0, pieces) for option in marked]
    left = max(2, ASKED - sum(len(pieces.encode(option, add_special_tokens=False).ids) + 1 for option in offered))
    asked, spans = f"{_cut(query, left - left // 2, left // 2, pieces)} Answer:", list[tuple[int, int]]()
    for option in offered:
        spans.append((len(asked) + 1, len(asked) + 1 + len(option)))
        asked += f" {option};"
    return asked, spans


def _cut(text: str, beginning: int, end: int, pieces: Tokenizer) -> str:
    """The text's first and last word pieces, if it has more than so many; what is repeated without end counts once."""
    if len(text) > 2 * MOST_CHARS:
        text = f"{text[:MOST_CHARS]} {text[-MOST_CHARS:]}"
    text = _REPEATED.sub(r"\1", text)
    found = pieces.encode(text, add_special_tokens=False).offsets
    if len(found) <= beginning + end:
        return text
    return f"{text[: found[beginning - 1][1]]} ... {text[found[-end][0] :]}" if end else text[: found[beginning - 1][1]]


def places(encoding: Encoding, span: tuple[int, int]) -> list[int]:
    """The word pieces of a pair that stand within these characters of its second text."""
    first, last = span
    texts = encoding.sequence_ids
    return [
        place
        for place, (begins, ends) in enumerate(encoding.offsets)
        if texts[place] == 1 and first <= begins < ends <= last
    ]


def _logits(output: NDArray[np.float32], encoding: Encoding, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """(n_options + 1); an option of which nothing could be read is not chosen."""
    of_options = [
        float(output[found, CHOSEN].mean()) if (found := places(encoding, span)) else -np.inf for span in spans
    ]
    return np.array([*of_options, float(output[0, NONE])], np.float32)
