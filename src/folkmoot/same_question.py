"""Whether two questions ask the same in other words; what differs in any word that counts is another question.

No likeness is measured here: to a network "X is safe" and "X is not safe" are nearly one sentence. Each question is
brought into one form by rules that keep what it asks, and equal forms are the same question. So whatever no rule knows,
a number, a name, a "not", an order of words, keeps two questions apart by itself.
"""

import re
from functools import cache
from itertools import pairwise

from folkmoot import same_words as words

#: Longer questions carry a case with them; such are the same only letter by letter.
MAX_CHARS = 300

Form = tuple[str, ...]

_SIGNS = str.maketrans({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-", 0x2212: "-"})
_SHORT = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\bcan'?t\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\bshan't\b", "shall not"),
        (r"\b([^\W\d_]+)n't\b", r"\1 not"),
        (r"\b(what|who|how|where|why|when|it|that|there)'s\b", r"\1 is"),
        (r"\bi'm\b", "i am"),
        (r"\b(\w+)'re\b", r"\1 are"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        # A condition or a place is the same before the question and behind it.
        (
            r"^((?:in|on|at|during|for|after|before|if|when|within|without|because of) [^,]{3,60}), (.+?)[?.! ]*$",
            r"\2 \1",
        ),
        # Units stand behind their numbers.
        (r"([$€£])\s?(\d[\d.,]*)", r"\2 \1"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"\b(?:per cent|percent)\b", "%"),
    )
)
#: Capitals that make another word of it: marked before the letters become small.
_NAMES = re.compile(
    r"\b(?:US|WHO|IT|AIDS|OR|ICE)\b"
    r"|(?<=[a-z,] )(?:May|March|August|Turkey|Polish|China|Chile|Mobile|Nice|Reading|Apple|Amazon|Jordan|Jobs|Gates)\b"
)
_TOKENS = re.compile(r"=?[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,:/]\d+)*|(?<!\S)-(?=\d)|[^\w\s.,;:?!\"'()\[\]-]|_")
_BE = {"is": "be", "are": "be", "am": "be"}
_ONES = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_NUMBERS = {word: str(number) for number, word in enumerate([*_ONES.split(), "eighteen", "nineteen"], 2)}
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = dict(zip(_TEN_WORDS.split(), range(20, 100, 10), strict=True))
_NUMBERS |= {word: str(number) for word, number in _TENS.items()} | {"1": "one", "hundred": "100"}
_DROPPED = frozenset({"a", "an", "the", "do", "does", "please", "really"})
_MODALS = frozenset({"should", "can", "could", "must", "may", "might", "will", "would", "shall", "did", "be", "was"})
#: One syllable that ends in one vowel and one consonant: that is doubled before "-ed".
_DOUBLING = re.compile(r"^[^aeiou]*(?:qu)?[aeiou][bdfgklmnprtvz]$")
#: Marks a past form and a gerund, so that "eaten" is never "eat".
PAST, GERUND = "+d", "+g"


class Asked:
    """A question that others are held against."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._form = form(text) if len(text) <= MAX_CHARS else ()

    def is_same(self, other: str) -> bool:
        """Whether the two ask the same; where that is not certain, they do not."""
        if _letters(self._text) == _letters(other):
            return True
        if not self._form or len(other) > MAX_CHARS:
            return False
        first, second = self._form, form(other)
        is_same = first == second or _by_whom(first) in _told_of(second) or _by_whom(second) in _told_of(first)
        return is_same and not _one_of_many(self._text, other)


def form(text: str) -> Form:
    """What the question asks, in the one form that its wordings share."""
    line = " ".join(_tokens(text))
    for pattern, plain in _phrases():
        line = pattern.sub(plain, line).strip()
    spoken = tuple(base(word) for word in line.split() if word not in _DROPPED)
    return _public(_of_a_deed(_fronted(spoken)))


def _letters(text: str) -> str:
    return " ".join(text.translate(_SIGNS).split()).rstrip("?.! ")


def _tokens(text: str) -> list[str]:
    marked = _NAMES.sub(lambda found: f"={found[0]}", " ".join(text.translate(_SIGNS).split())).lower()
    for pattern, plain in _SHORT:
        marked = pattern.sub(plain, marked)
    tokens = [token.removesuffix("'s") for token in _TOKENS.findall(marked)]
    return [_NUMBERS.get(token, _BE.get(token, token)) for token in tokens]


def base(word: str) -> str:
    """The word without its ending, as its class of synonyms is called; past forms and gerunds stay marked as such."""
    singular = _singular(word)
    if singular == "lying":
        return _marked("lie", GERUND)
    if singular in words.IRREGULAR:
        return _marked(words.IRREGULAR[singular], PAST)
    if not singular.endswith(("eed", "thing")) and singular not in words.NO_FORMS:
        for ending, mark in (("ied", PAST), ("ed", PAST), ("ing", GERUND)):
            if singular.endswith(ending) and len(singular) >= len(ending) + 3:
                return _in_class(singular.removesuffix(ending) + ("y" if ending == "ied" else "")) + mark
    return _classes().get(singular, singular)


def _singular(word: str) -> str:
    if word in words.NO_PLURALS or len(word) < 4:
        return word
    if word in words.PLURALS:
        return words.PLURALS[word]
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _marked(verb: str, mark: str) -> str:
    """A verb's form, given the verb itself; `base` reads the same out of the form."""
    return _in_class(_stem(verb)) + mark


def _stem(verb: str) -> str:
    """What "-ed" and "-ing" are put to: "bann" of "ban", "plan" of "plane", so that no two verbs share it."""
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1]
    return verb + verb[-1] if _DOUBLING.search(verb) or verb in words.DOUBLING else verb


def _in_class(stem: str) -> str:
    return _stems().get(stem, stem)


def _of_a_deed(said: Form) -> Form:
    """Read "is lying to a friend wrong" as "is it wrong to lie to a friend"; the verb stays marked in both."""
    if said[:2] == ("be", "it") and len(said) > 4 and said[3] == "to":
        return (*said[:4], _marked(said[4], GERUND), *said[5:])
    if len(said) > 2 and said[0] == "be" and said[1].endswith(GERUND) and said[-1] in words.VERDICTS:
        verdict = "immoral" if said[-1] == "wrong" else said[-1]
        return ("be", "it", verdict, "to", *said[1:-1])
    return said


def _public(said: Form) -> Form:
    """Read "should we ban it" as "should it be banned", with the verb before what it is done to."""
    if len(said) < 4 or said[0] != "should":
        return said
    if said[2] != "be" and (said[1] == "we" or (said[1] in words.LAW_MAKERS and said[2] in words.BY_LAW)):
        return (said[0], "*", _marked(said[2], PAST), *said[3:])
    at = _passive(said)
    if not at:
        return said
    by_law = said[at + 1] in {_marked(verb, PAST) for verb in words.BY_LAW}
    if by_law and said[-2] == "by" and said[-1] in words.LAW_MAKERS:
        said = said[:-2]
    return said if "by" in said[at:] else (said[0], "*", said[at + 1], *said[1:at], *said[at + 2 :])


def _passive(said: Form) -> int:
    """Where the only "be" before a past form stands, behind a modal and what it is done to; 0 where there is none."""
    at = said.index("be") if said.count("be") == 1 else 0
    return at if 1 < at < len(said) - 1 and said[at + 1].endswith(PAST) and said[0] in _MODALS else 0


def _fronted(said: Form) -> Form:
    """The only modal before all else: "whether it should" as "should it"."""
    modals = [word for word in said if word in _MODALS and word != "be"] or [word for word in said if word == "be"]
    if len(modals) != 1:
        return said
    at = said.index(modals[0])
    return (said[at], *said[:at], *said[at + 1 :])


def _by_whom(said: Form) -> Form | None:
    """Read "should it be done by them" as "should they done it", the past form kept; None where nothing is."""
    if said.count("by") != 1 or len(said) < 5:
        return None
    by, is_plain = said.index("by"), said[0] == "be"
    at = by - 1 if is_plain else _passive(said) + 1
    if not 1 < at < by or not said[at].endswith(PAST):
        return None
    modal, done_to = ((), said[1:at]) if is_plain else (said[:1], said[1 : at - 1])
    return (*modal, *said[by + 1 :], said[at], *done_to, *said[at + 1 : by])


def _told_of(said: Form) -> set[Form | None]:
    """The active question with each word that may be its verb in the past form."""
    return {(*said[:at], _marked(said[at], PAST), *said[at + 1 :]) for at in range(1, min(len(said), 6))}


def _one_of_many(one: str, other: str) -> bool:
    """Whether one asks of "the" one thing and the other of many, or of none in particular."""
    first, second = _tokens(one), _tokens(other)
    named = {after for said in (first, second) for word, after in pairwise(said) if word == "the"}
    return any((word in first) != (word in second) and _both(word, first, second) for word in named)


def _both(word: str, first: list[str], second: list[str]) -> bool:
    singular = _singular(word)
    return all(any(_singular(said) == singular for said in text) for text in (first, second))


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), plain) for pattern, plain in words.PHRASES)


@cache
def _classes() -> dict[str, str]:
    classes = [entry.split() for entry in words.SYNONYMS.split(";")]
    return {word: first for first, *others in classes for word in others}


@cache
def _stems() -> dict[str, str]:
    return {_stem(word): _stem(first) for word, first in _classes().items()}
