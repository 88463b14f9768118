"""A response's bare words, for rules that read them letter by letter: without markup, its signs made plain."""

import re

_MARKUP = re.compile(r"[*_`~]+|^[ \t]*(?:#{1,6}|>|[-+•])[ \t]+", re.MULTILINE)
_SIGNS = str.maketrans({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2014: " - ", 0x2013: "-", 0x2026: "."})
_ENDS = re.compile(r"(?<=[.!?;])\s+|\s*\n+\s*")
_CONCEDES = re.compile(
    r"^\W*(?:(?:while|although|though|even (?:though|if)|despite|whereas|granted|admittedly)\b[^,;]*[,;]\s*)",
    re.IGNORECASE,
)
#: The beginning and the end of a response say what it answers; of a long one no more is read, in characters.
MOST_CHARS = 6_000


def plain(text: str) -> str:
    """The text without Markdown's emphasis, headings and bullets; of a long one the beginning and the end."""
    if len(text) > MOST_CHARS:
        text = f"{text[: MOST_CHARS // 2]}\n{text[-MOST_CHARS // 2 :]}"
    return _MARKUP.sub("", text.translate(_SIGNS)).strip()


def phrases(text: str) -> list[str]:
    """The sentences of a plain text, by their signs alone: quick, and good enough to look for set phrases in."""
    return [phrase for phrase in _ENDS.split(text) if phrase.strip()]


def main_clause(phrase: str) -> str:
    """The sentence without what it concedes first: of "Although it costs, it should be free" the second half."""
    return _CONCEDES.sub("", phrase)
