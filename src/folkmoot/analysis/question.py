"""What the question itself says: its content words, and whether yes or no can answer it."""

import re

from spacy.lang.en.stop_words import STOP_WORDS

_WORD = re.compile(r"[a-z][a-z'-]*")
#: Verbs that open a question which yes or no answers.
AUXILIARIES = frozenset(
    {
        *("is", "are", "am", "was", "were", "do", "does", "did", "can", "could", "will", "would", "shall", "should"),
        *("must", "may", "might", "has", "have", "had", "ought"),
    }
)
#: So much of a word's beginning tells it from others, and still matches its inflections.
STEM_CHARS = 5
_ENDING = re.compile(r"(?<=\w{3})(?:ings?|ed|es|e|s|y)$")
_DOUBLED = re.compile(r"([bdgklmnprt])\1$")


def ending_off(word: str) -> str:
    """The word without its ending: "voting" and "vote" come to the same."""
    return _DOUBLED.sub(r"\1", _ENDING.sub("", word))


def stems(text: str) -> set[str]:
    """The beginnings of the words that carry what a text says."""
    return {word.rstrip("s")[:STEM_CHARS] for word in content_words(text)}


def content_words(text: str) -> set[str]:
    """The words that carry what a text says, in small letters."""
    return {word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS and len(word) > 2}


def is_polar(query: str) -> bool:
    """Whether yes or no can answer this: its last sentence opens with an auxiliary and offers no alternatives."""
    asked = _WORD.findall(query.lower().strip().split("\n")[-1].rsplit(". ", 1)[-1])
    return len(asked) > 2 and asked[0] in AUXILIARIES and "or" not in asked
