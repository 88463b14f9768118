"""A response's bare words, for rules that read them letter by letter: without markup, its signs made plain."""

import re

_MARKUP = re.compile(r"[*_`~]+|^[ \t]*(?:#{1,6}|>|[-+•])[ \t]+", re.MULTILINE)
_SIGNS = str.maketrans({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2014: " - ", 0x2013: "-", 0x2026: "."})
_ENDS = re.compile(r"(?<=[.!?;])\s+|\s*\n+\s*")
_CONCEDES = re.compile(
    r"^\W*(?:(?:while|although|though|even (?:though|if)|despite|whereas|granted|admittedly)\b"
    r"(?: (?:option )?[A-H],)*[^,;]*[,;]\s*)",
    re.IGNORECASE,
)
#: Neither lexicons nor rules know the negation in "isn't"; `can't` and `won't` change their stem.
SHORT_NEGATIONS = (
    (re.compile(r"\b(ca)n['’]t\b", re.IGNORECASE), r"\1n not"),
    (re.compile(r"\bwon['’]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"\bshan['’]t\b", re.IGNORECASE), "shall not"),
    (re.compile(r"n['’]t\b", re.IGNORECASE), " not"),
)
_SHORT_VERBS = (
    (re.compile(r"(?<=\w)'ll\b", re.IGNORECASE), " will"),
    (re.compile(r"(?<=\w)'re\b", re.IGNORECASE), " are"),
    (re.compile(r"\b(i)'m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\b(it|that|there|this|he|she|what)'s\b", re.IGNORECASE), r"\1 is"),
)
_BETWEEN_CLAUSES = re.compile(r"[,;:()]+|\s-+\s|\b(?:but|yet|however|and|nevertheless|nonetheless)\b", re.IGNORECASE)
_NEITHER = re.compile(r"\bneither\b(.*?)\bnor\b", re.IGNORECASE)
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


def clauses(phrase: str) -> list[str]:
    """The parts of a sentence that can each say something of their own."""
    return [part for part in _BETWEEN_CLAUSES.split(_NEITHER.sub(r"not \1, not", phrase)) if part.strip()]


def expand(text: str) -> str:
    """The text with every short negation written out."""
    for short, long in SHORT_NEGATIONS:
        text = short.sub(long, text)
    return text


def spelled_whole(text: str) -> str:
    """The text with "they'll", "we're" and "it's" written out, as well as every negation."""
    for short, long in _SHORT_VERBS:
        text = short.sub(long, text)
    return expand(text)


def spelled_out(query: str, text: str) -> str:
    """The text with capitals that stand for words of the question, as AI for artificial intelligence, spelled out."""
    names = re.findall(r"[A-Za-z]+", query)
    for capitals in set(re.findall(r"\b[A-Z]{2,5}\b", text)):
        initials = [word[0].upper() for word in names]
        for at in range(len(names) - len(capitals) + 1):
            if "".join(initials[at : at + len(capitals)]) == capitals:
                text = re.sub(rf"\b{capitals}\b", " ".join(names[at : at + len(capitals)]), text)
    return text
