"""Bare words, for what reads them letter by letter: without markup, signs made plain, short negations written out."""

import re

_MARKUP = re.compile(r"[*_`~]+|^[ \t]*(?:#{1,6}|>|[-+•])[ \t]+", re.MULTILINE)
_SIGNS = str.maketrans({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2014: " - ", 0x2013: "-", 0x2026: "."})
#: Lexicons do not know the negation in "isn't"; `can't` and `won't` change their stem.
SHORT_NEGATIONS = (
    (re.compile(r"\b(ca)n['’]t\b", re.IGNORECASE), r"\1n not"),
    (re.compile(r"\bwon['’]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"\bshan['’]t\b", re.IGNORECASE), "shall not"),
    (re.compile(r"n['’]t\b", re.IGNORECASE), " not"),
)
#: Of a longer text no more is read, in characters.
MOST_CHARS = 6_000


def plain(text: str) -> str:
    """The text without Markdown's emphasis, headings and bullets; of a long one the beginning and the end."""
    if len(text) > MOST_CHARS:
        text = f"{text[: MOST_CHARS // 2]}\n{text[-MOST_CHARS // 2 :]}"
    return _MARKUP.sub("", text.translate(_SIGNS)).strip()


def expand(text: str) -> str:
    """The text with every short negation written out."""
    for short, long in SHORT_NEGATIONS:
        text = short.sub(long, text)
    return text
