"""Whether two questions ask the same in other words; what differs in any word that counts is another question.

No likeness is measured here: to a network "X is safe" and "X is not safe" are nearly one sentence. Each question is
brought into one form by rules that keep what it asks, and equal forms are the same question. So whatever no rule knows,
a number, a name, a "not", an order of words, keeps two questions apart by itself.
"""

import re
from functools import cache
from itertools import pairwise

from folkmoot import same_words as words
from folkmoot.same_forms import GERUND, PAST, base, marked, names, one_of

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
        (r"\bone's\b", "your"),
        (r"\bi'm\b", "i am"),
        (r"\b(\w+)'re\b", r"\1 are"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"^(what (?:is|are)) ([^\W\d_]+)'s? (?=[^,]+$)(.+?)[?.! ]*$", r"\1 the \3 of \2"),
        (r"\b(?<!it)((?:(?:my|your|our|his|her|their|an?|the|one's) )?[^\W\d_]{3,})'s? ([^\W\d_]+)", r"\2 of \1"),
        # A condition or a place is the same before the question and behind it.
        (
            r"^((?:in|on|at|during|for|after|before|if|when|within|without|because of) [^,]{3,60}), (.+?)[?.! ]*$",
            r"\2 \1",
        ),
        # Units stand behind their numbers.
        (r"([$€£])\s?(\d[\d.,]*)", r"\2 \1"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"\b(?:per cent|percent)\b", "%"),
        # One spelling of British and American words.
        (r"(?<=[a-z]{2}[lnrtdmgc])is(?=(?:e|ed|es|ing|ation|ations)\b)", "iz"),
        (r"(?<=[a-z]{2}[lvbni])our", "or"),
        (r"(?<=[a-z]{2})(t|b)re(s?)\b", r"\1er\2"),
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
_DROPPED = frozenset({"a", "an", "the", "do", "does", "please", "really", "their"})
_ADVERBS = frozenset({"always", "still", "ever"})
_VERDICTS = {"wrong": "immoral", "right": "ethical"}
#: The words of the longest name in the classes.
_LONGEST = 4
_MODALS = frozenset({"should", "can", "could", "must", "may", "might", "will", "would", "shall", "did", "be", "was"})


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
        is_same = first == second or _by_whom(first) & _told_of(second) or _by_whom(second) & _told_of(first)
        return bool(is_same) and not _one_of_many(self._text, other)


def form(text: str) -> Form:
    """What the question asks, in the one form that its wordings share."""
    line = " ".join(_tokens(text))
    for pattern, plain in _phrases():
        line = pattern.sub(plain, line).strip()
    spoken = tuple(base(word) for word in line.split() if word not in _DROPPED)
    asked = _public(_of_a_deed(_often(_fronted(_between(_named(spoken))))))
    asked = asked[1:] if asked[:2] == ("be", "why") else asked
    # Why people do a thing is why we do.
    return ("why", "we", *asked[2:]) if asked[:2] == ("why", "human") else asked


def _letters(text: str) -> str:
    return " ".join(text.translate(_SIGNS).split()).rstrip("?.! ")


def _tokens(text: str) -> list[str]:
    marked = _NAMES.sub(lambda found: f"={found[0]}", " ".join(text.translate(_SIGNS).split())).lower()
    for pattern, plain in _SHORT:
        marked = pattern.sub(plain, marked)
    tokens = [token.removesuffix("'s") for token in _TOKENS.findall(marked)]
    return [_NUMBERS.get(token, _BE.get(token, token)) for token in tokens]


def _named(said: Form) -> Form:
    """Each name of several words as one word, that of its class: "senior citizen" as "elderly"."""
    named: list[str] = []
    at = 0
    while at < len(said):
        for length in range(min(_LONGEST, len(said) - at), 0, -1):
            name = names().get(said[at : at + length])
            if name:
                break
        named.append(name or said[at])
        at += length
    return tuple(named)


def _between(said: Form) -> Form:
    """What a difference lies between, in one order."""
    if said[:3] != ("what", "be", "difference") or said.count("and") != 1 or "between" not in said:
        return said
    first, second = said.index("between") + 1, said.index("and")
    return (
        *said[:first],
        *min(said[first:second], said[second + 1 :]),
        "and",
        *max(said[first:second], said[second + 1 :]),
    )


def _often(said: Form) -> Form:
    """The only "always" or "still" of what should be done, behind all else: it may stand on either side of the verb."""
    adverbs = [word for word in said if word in _ADVERBS]
    if said[:1] != ("should",) or len(adverbs) != 1 or "not" in said:
        return said
    return (*(word for word in said if word not in _ADVERBS), *adverbs)


def _of_a_deed(said: Form) -> Form:
    """Read "is lying to a friend wrong" as "is it wrong to lie to a friend"; the verb stays marked in both."""
    if len(said) < 4:
        return said
    if said[0] == "worthdoing":
        verdict, deed = ("goodidea", said[2:]) if said[1] == "goodidea" else ("worthit", said[1:])
        said = ("be", "it", verdict, "to", *deed)
    elif said[:2] == ("be", "it") and len(said) > 4 and said[3] == "to":
        said = ("be", "it", _VERDICTS.get(said[2], said[2]), "to", marked(said[4], GERUND), *said[5:])
    elif said[:3] == ("should", "it", "be") and len(said) > 5 and said[4] == "to":
        said = ("should", marked(said[5], GERUND), *said[6:], "be", said[3])
    elif said[0] == "be" and said[1].endswith(GERUND) and said[-1] in words.VERDICTS:
        said = ("be", "it", _VERDICTS.get(said[-1], said[-1]), "to", *said[1:-1])
    elif said[0] == "would" and said[1].endswith(GERUND) and said[-2] == "be" and said[-1] in words.VERDICTS:
        said = ("be", "it", said[-1], "to", *said[1:-2])
    if said[:4] == ("be", "it", "goodidea", "to") and said[4].endswith(GERUND):
        # Whether a thing is a good idea is whether it should be done.
        return ("should", "*", said[4].removesuffix(GERUND) + PAST, *said[5:])
    return said


def _public(said: Form) -> Form:
    """Read "should we ban it" as "should it be banned", with the verb before what it is done to; "how can we" alike."""
    at = _passive(said)
    if said[:2] == ("can", "how") and at:
        return ("how", "we", "to", said[at + 1], *said[2:at], *said[at + 2 :])
    if said[:3] == ("how", "we", "to") and len(said) > 3:
        return ("how", "we", "to", marked(said[3], PAST), *said[4:])
    if len(said) < 4 or said[:2] == ("should", "*") or said[0] not in ("should", "can"):
        return said
    if said[1] in ("how", "why", "when", "where", "what") and said[2] == "we":
        return (said[0], "*", marked(said[3], PAST), said[1], *said[4:])
    if said[2] != "be" and _is_anyone(said):
        return (said[0], "*", marked(said[2], PAST), *said[3:])
    if not at:
        return said
    by_law = said[at + 1] in {marked(verb, PAST) for verb in words.BY_LAW}
    if by_law and said[-2] == "by" and said[-1] in words.LAW_MAKERS:
        said = said[:-2]
    return said if "by" in said[at:] else (said[0], "*", said[at + 1], *said[1:at], *said[at + 2 :])


def _is_anyone(said: Form) -> bool:
    """Whether the one who should do it is nobody in particular, or who makes the laws where it is done by law."""
    if said[1] in words.LAW_MAKERS:
        return said[2] in words.BY_LAW
    is_human = said[1] in ("human", "humanity", "society") and "be" not in said and said[2] not in words.PREPOSITIONS
    return said[1] == "we" or is_human


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


def _by_whom(said: Form) -> set[Form]:
    """Read "should it be done by them at home" as "should they done it at home", with either end of who they are."""
    if said.count("by") != 1 or len(said) < 5:
        return set()
    by, is_plain = said.index("by"), said[0] == "be"
    at = by - 1 if is_plain else _passive(said) + 1
    if not 1 < at < by or not said[at].endswith(PAST):
        return set()
    modal, done_to = ((), said[1:at]) if is_plain else (said[:1], said[1 : at - 1])
    ends = [end for end in range(by + 2, len(said)) if said[end] in words.PREPOSITIONS]
    return {
        (*modal, *said[by + 1 : end], said[at], *done_to, *said[at + 1 : by], *said[end:]) for end in [*ends, len(said)]
    }


def _told_of(said: Form) -> set[Form]:
    """The active question with each word that may be its verb in the past form."""
    return {(*said[:at], marked(said[at], PAST), *said[at + 1 :]) for at in range(1, min(len(said), 6))}


def _one_of_many(one: str, other: str) -> bool:
    """Whether one asks of "the" one thing and the other of many, or of none in particular."""
    first, second = _tokens(one), _tokens(other)
    named = {after for said in (first, second) for word, after in pairwise(said) if word == "the"} - words.PLACES
    return any((word in first) != (word in second) and _both(word, first, second) for word in named)


def _both(word: str, first: list[str], second: list[str]) -> bool:
    singular = one_of(word)
    return all(any(one_of(said) == singular for said in text) for text in (first, second))


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), plain) for pattern, plain in words.PHRASES)
