"""The answer to a question with options: which one a response chooses, by its letter or by its words."""

import re
from collections import Counter

from folkmoot.analysis.question import STEM_CHARS
from folkmoot.analysis.wording import main_clause, phrases, plain
from folkmoot.analysis.yes_no import UNCLEAR

#: A letter or a number that marks an option: `A)`, `(b)`, `C.`, `2)`, `Option D:`.
_MARK = re.compile(r"(?:(?<=\s)|^)\(?(?:option\s+)?([A-Ha-h]|[1-9])[).:]\s+(?=\S)", re.IGNORECASE)
#: A colon, and after it the options as a list: "Which first: tea, coffee or milk?"
_LISTED = re.compile(r"[:?-]\s*([^:?]+?)\s*\??\s*$")
_BETWEEN = re.compile(r"\s*(?:,\s*(?:or|and)\s+|,|;|\bor\b)\s*")
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")
_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "for",
        "by",
        "with",
        "and",
        "or",
        "be",
        "is",
        "it",
        "its",
        "who",
        "what",
        "one",
        "that",
        "this",
        "at",
        "as",
        "no",
        "from",
    ]
)
#: The response speaks of its own choice here.
_CHOOSES = re.compile(
    r"\b(?:answer|choice|vote|verdict|pick|preference|recommendation|conclusion|decision|selection)\b[^.]{0,30}?(?:\bis\b|\bwould be\b|\bgoes to\b|:)|"
    r"\bi(?:'d|'ll|'m)?\b[^.]{0,40}?\b(?:choose|chose|pick|select|prefer|favou?r|vote|go with|go for|opt|recommend|support|say|answer|lean\w*|side|argue|back|endorse)\b|"
    r"\b(?:best|strongest|fairest|right|better|most \w+|preferred|correct|wisest) (?:option|choice|answer|approach|way|solution|candidate|course)?\b|"
    r"\b(?:should|must|ought to|deserves?|wins?|comes first|is best|has the strongest)\b",
    re.IGNORECASE,
)
#: What stands after one of these is not what the response chooses, to the end of the clause.
_REJECTS = re.compile(
    r"\b(?:not|never|n't|rather than|instead of|over|against|than|unlike|rejects?|rule out|except|but not|nor|neither|without|avoid|"
    r"worst|wrong|weak(?:er|est)?|fails?|cannot|dismiss)\b|n't\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;:]|\bbut\b|\bwhile\b|\bwhereas\b|\bbecause\b|\bsince\b|\balthough\b|\bthough\b|\band\b(?= (?:not|i|we|it)\b)"
)
_NONE = re.compile(
    r"\b(?:none|neither|any) of (?:the|these|them|those)\b|\ball of (?:the above|these|them)\b|\b(?:cannot|can't|can not|unable to|won't|refuse to|hard to|impossible to) "
    r"(?:choose|pick|decide|select|say|answer)|\b(?:it|that) depends\b|\bno single option\b|\bnot (?:sure|able)\b|\bequally (?:good|valid)\b",
    re.IGNORECASE,
)
#: A letter that can be nothing but an option's: named as one, with a sign, alone, or beside another one.
_MARKED = (
    r"(?<![\w'])(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter|[Nn]umber)(?: is)? \(?{key}\b|{key}[).:](?=\W|$)|\({key}\)"
    r"|(?<=[a-z] ){key}\b(?!-)|{key}(?= (?:would|is|has|seems|should|because|since|as|for)\b)|{key}(?=\s*$|\s+-|\s*(?:/|&|\bor\b|\band\b)\s*(?:[Oo]ption )?[{any}]\b))"
)
#: A clause with one of these speaks against what it names.
_BLAMES = re.compile(r"\b(?:unfair|unjust|wrong|mistake|unacceptable|worse|worst|discriminat\w+)\b", re.IGNORECASE)


def options_of(query: str) -> dict[str, str]:
    """The options that a question offers, by their letter, or by their own words where they have none."""
    marks = list(_MARK.finditer(query))
    keys = [mark[1].upper() for mark in marks]
    if len(marks) >= 2 and keys == [chr(ord(keys[0]) + step) for step in range(len(keys))]:
        ends = [mark.start() for mark in marks[1:]] + [len(query)]
        return {key: query[mark.end() : end].strip(" \n,;.?") for key, mark, end in zip(keys, marks, ends, strict=True)}
    listed = _LISTED.search(query.strip())
    parts = [part.strip(" .?") for part in _BETWEEN.split(listed[1])] if listed else []
    parts = [part for part in parts if part]
    return {part: part for part in parts} if len(parts) >= 2 and all(len(part.split()) <= 8 for part in parts) else {}


def choice(options: dict[str, str], text: str) -> str:
    """The key of the option that a response chooses, or `unclear`: none, several, or no way to tell.

    What it names first counts, then what it says to choose, then the only option that it speaks of.
    """
    said = plain(text)
    lines = phrases(_with_marks_joined(said))
    first = " ".join(lines[:1])
    if _NONE.search(first):
        return UNCLEAR
    finder = _Finder(options)
    for passage, must_choose in ((first, False), *((line, True) for line in reversed(lines))):
        if must_choose and (_NONE.search(passage) or not _CHOOSES.search(passage)):
            continue
        named = finder.chosen(main_clause(passage))
        if len(named) == 1:
            return named[0]
        if len(named) > 1:
            return UNCLEAR
    everywhere = finder.chosen(said)
    return everywhere[0] if len(everywhere) == 1 and not _NONE.search(said) else UNCLEAR


def _with_marks_joined(said: str) -> str:
    """The text with "B. the doctors" as one phrase: the point after a mark ends no sentence."""
    return re.sub(r"^(\W*(?:option\s+)?[A-Ha-h1-9])\.\s+", r"\1) ", said, flags=re.IGNORECASE)


class _Finder:
    """Finds where a passage names one of these options and does not reject it."""

    def __init__(self, options: dict[str, str]) -> None:
        self._options = options
        stems = {key: _stems(words) for key, words in options.items()}
        often = Counter(stem for own in stems.values() for stem in own)
        #: Only what tells an option from the others helps to find it.
        self._telling = {key: {stem for stem in own if often[stem] == 1} or own for key, own in stems.items()}

    def chosen(self, passage: str) -> list[str]:
        """The options named and not rejected, in the order of the question; marks count before words."""
        clauses = [clause for clause in _CLAUSE.split(passage) if clause.strip() and not _BLAMES.search(clause)]
        choosing = [clause for clause in clauses if _CHOOSES.search(clause)]
        return self._named(choosing) or self._named(clauses)

    def _named(self, clauses: list[str]) -> list[str]:
        marked = [key for key in self._options if any(self._is_marked(key, clause) for clause in clauses)]
        if marked:
            return marked
        return [key for key in self._options if any(self._is_worded(key, clause) for clause in clauses)]

    def _is_marked(self, key: str, clause: str) -> bool:
        if len(key) != 1:
            return False
        found = re.search(_MARKED.format(key=key, any="".join(k for k in self._options if len(k) == 1)), clause)
        # A capital A is an article as well, and I a person: alone they mark nothing.
        if found is None and key not in {"A", "I"}:
            found = re.search(rf"(?<![\w'-]){key}(?![\w'-])", clause)
        return found is not None and not _REJECTS.search(clause[: found.start()])

    def _is_worded(self, key: str, clause: str) -> bool:
        rejected = _REJECTS.search(clause)
        own = _stems(clause[: rejected.start()] if rejected else clause)
        telling = self._telling[key]
        return bool(telling) and len(telling & own) / len(telling) > 0.5


def _stems(words: str) -> set[str]:
    return {word[:STEM_CHARS] for word in _WORD.findall(words.lower()) if word not in _SMALL}
