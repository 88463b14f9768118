"""A yes-or-no question as far as it decides what a clause about it means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from folkmoot.analysis import question as asking
from folkmoot.analysis import stance_words as words

_OUGHT = re.compile(
    r"\W*(?:should|must|ought|shall|may|would it be|is it (?:high )?time (?:to|for|that)|do we need|does \w+ need|need)\b",
    re.IGNORECASE,
)

#: "Do you think tipping should be abolished?"
_OPINED = re.compile(
    r"\W*(?:do|would) you (?:think|believe|agree|feel|say)\b[^?]*?\b(?:should|must|ought)\b", re.IGNORECASE
)

_WOULD_BE = re.compile(r"\W*would (?:it|that|this) be\b", re.IGNORECASE)

_PERSONS = frozenset({"i", "we", "you", "they", "he", "she", "one", "people"})

_PREFACE = re.compile(
    r"^.*?\b(?:true|correct|false|statement|claim|agree)\b[^:]*:\s*|\bis it (?:true|correct) that\b|\bdo you (?:think|believe|agree) that\b",
    re.IGNORECASE | re.DOTALL,
)

#: "More harm than good".
_WEIGHED = re.compile(
    r"\bmore (?P<more>[\w ]{3,20}?) than (?P<less>good|harm|benefits?|damage|evil|bad)\b", re.IGNORECASE
)

#: Before the verb, as a word of its own.
_DENIES = re.compile(r"^\W*\w+ (?:[\w'-]+ ){1,4}?(?:not|never)\b(?! to\b)", re.IGNORECASE)

#: What a question weighs, up to what it is weighed against.
#: Turns the sense of a clause, unless the question has it.
_TURNING = ("without", "instead of", "rather than", "little", "fail", "lack", "nothing", "nobody", "no one")
_PURPOSE = re.compile(r"\b(?:for|of|in|with|to)\b", re.IGNORECASE)
_OUTWEIGHS = re.compile(r"^.*\boutweighs?\b", re.IGNORECASE)
_LOSSES = re.compile(
    r"\b(?:risks?|costs?|drawbacks?|downsides?|disadvantages?|cons|negatives|problems?)\b", re.IGNORECASE
)

_ASKS_YOU = re.compile(r"\W*(?:do|would|are|will|have) you (?!think|expect|say)", re.IGNORECASE)

_JUDGEMENTS = ((words.GOOD, 1), (words.BAD, -1))

_EFFECTS = ((words.HELPS, 1), (words.HARMS, -1))


@dataclass(frozen=True)
class Question:
    """A question as far as it decides what a clause about it means."""

    text: str

    @cached_property
    def stems(self) -> set[str]:
        """The beginnings of its content words."""
        return word_stems(self.told)

    @cached_property
    def last(self) -> str:
        """The beginning of its last content word."""
        return next((stem for word in reversed(self.told.split()) for stem in word_stems(word)), "")

    @cached_property
    def auxiliary(self) -> str:
        """The verb that opens it, without its "not"."""
        return re.sub(r"n't$|n$", "", self._asked.split()[0].lower().strip("\"'")) if self._asked.split() else ""

    @cached_property
    def told(self) -> str:
        """What it asks about, without "Is it true that"."""
        return _PREFACE.sub("", self._asked)

    @cached_property
    def is_ought(self) -> bool:
        """Whether it asks what should be done."""
        if _WOULD_BE.match(self._asked) and self._judging:
            return False
        return bool(_OUGHT.match(self._asked) or _OPINED.match(self._asked) or words.PERMITS.search(self._asked))

    @cached_property
    def _judging(self) -> bool:
        """Whether a judgement stands at its beginning: "Would it be fair to …?"."""
        begun = " ".join(self._asked.split()[:5])
        return bool(words.GOOD.search(begun) or words.BAD.search(begun))

    @cached_property
    def action(self) -> int:
        """-1 where it asks whether to end something, else 1."""
        return -1 if words.FORBIDS.search(self._asked) else 1

    @cached_property
    def denies(self) -> bool:
        """Whether it asks if something is not to be: "Should we not vaccinate?"; "Shouldn't we?" hopes for a yes to the deed."""
        return bool(_DENIES.search(self._asked))

    @cached_property
    def requires(self) -> bool:
        """Whether it asks for a duty."""
        return bool(words.REQUIRES.search(self._asked))

    @cached_property
    def value(self) -> int:
        """1 or -1 where it asks whether something is, or does, good or bad; else 0."""
        if self.is_ought:
            return 0
        if found := _WEIGHED.search(self._asked):
            return -1 if words.HARMS.search(found["more"]) or words.BAD.search(found["more"]) else 1
        if found := _OUTWEIGHS.search(self._asked):
            return -1 if words.HARMS.search(found[0]) or _LOSSES.search(found[0]) else 1
        for values in (_JUDGEMENTS, _EFFECTS):
            if signs := self._found_of(values):
                return (min if self._is_impersonal else max)(signs)[1]
        return 0

    def _found_of(self, values: Sequence[tuple[re.Pattern[str], int]]) -> list[tuple[int, int]]:
        """Where the question judges, and how; what it only says of a purpose is left out: "necessary for a good career"."""
        found = sorted((at.start(), sign) for pattern, sign in values for at in pattern.finditer(self._asked))
        return [one for one in found if not _PURPOSE.search(self._asked[found[0][0] : one[0]])]

    @cached_property
    def weighed(self) -> str:
        """Its "more harm than good", if it has one."""
        found = _WEIGHED.search(self._asked)
        return found[0] if found else ""

    @cached_property
    def judges(self) -> bool:
        """Whether it asks if something is good or bad, not what it does."""
        return bool(self.value) and bool(words.GOOD.search(self._asked) or words.BAD.search(self._asked))

    @cached_property
    def subject(self) -> set[str]:
        """The beginnings of the words before its verb, roughly: its first three."""
        begun = self._asked.split()[1:3]
        return set() if begun and begun[0].lower() in _PERSONS else word_stems(" ".join(begun))

    def apart_from_subject(self, said: str) -> str:
        """The clause without the judging words that only say what is asked about: "unjust" in "Is it wrong to break an unjust law?"."""
        judging = [found for pattern in (words.GOOD, words.BAD) for found in pattern.finditer(self._asked)]
        first = min((found.start() for found in judging), default=0)
        purposes = [found for found in judging if _PURPOSE.search(self._asked[first : found.start()])]
        judging = [found for found in judging if found not in purposes]
        about = (
            purposes
            + sorted(judging, key=lambda found: found.start(), reverse=not self._is_impersonal)[
                0 if self.is_ought else 1 :
            ]
        )
        return (
            re.sub(rf"\b(?:{'|'.join(re.escape(found[0]) for found in about)})\b", " ", said, flags=re.IGNORECASE)
            if about
            else said
        )

    def without_its_turns(self, said: str) -> str:
        """The clause without what turns sense round elsewhere and here is only the question's: "without newspapers"."""
        own = [word for word in _TURNING if re.search(rf"\b{word}\b", self._asked, re.IGNORECASE)]
        return re.sub(rf"\b(?:{'|'.join(own)})\b", " ", said, flags=re.IGNORECASE) if own else said

    def without_its_refusals(self, said: str) -> str:
        """The clause without what refuses only as the question does: "able to refuse", asked whether one may refuse."""
        asked = [found[0].lower() for found in words.AGAINST.finditer(self._asked)]
        if not asked or not words.PERMITS.search(self._asked):
            return said
        return re.sub(rf"\b(?:{'|'.join(map(re.escape, asked))})\b", " ", said, flags=re.IGNORECASE)

    @cached_property
    def direction(self) -> int:
        """1 or -1 where it asks whether something is or becomes more, or less; else 0."""
        # "Do you believe in paying more?" asks about the deed.
        return 0 if _ASKS_YOU.match(self._asked) else direction_of(self._asked)

    @cached_property
    def admits_can(self) -> bool:
        """Whether it asks what may or can be, so that `it can` answers it."""
        return bool(re.search(r"^\W*(?:can|could|may|might)\b|\b(?:ever|sometimes)\b", self._asked, re.IGNORECASE))

    @cached_property
    def _is_impersonal(self) -> bool:
        """Whether the judgement comes before what is judged: "Is it wrong to …?"."""
        return bool(re.match(r"\W*(?:is|was|would|can) it\b", self._asked, re.IGNORECASE))

    @cached_property
    def _asked(self) -> str:
        return self.text.strip().split("\n")[-1].rsplit(". ", 1)[-1]


def direction_of(said: str) -> int:
    """1 where something becomes more, -1 where less, 0 where neither or both."""
    more, less = bool(words.MORE.search(said)), bool(words.LESS.search(said))
    return 0 if more == less else 1 if more else -1


def word_stems(text: str) -> set[str]:
    """The beginnings of its content words, whatever their ending: "voting" and "vote" have one."""
    found = (asking.ending_off(word)[: asking.STEM_CHARS] for word in asking.content_words(text))
    return {stem for stem in found if len(stem) > 2}
