"""The answer to a question with options: which one a response chooses, by its letter or by its words."""

import re
from collections import Counter

from folkmoot.analysis.question import STEM_CHARS
from folkmoot.analysis.wording import main_clause, phrases, plain
from folkmoot.analysis.yes_no import HEADING, SUMS_UP, UNCLEAR

#: A letter or a number that marks an option: `A)`, `(b)`, `C.`, `2)`, `Option D:`.
_MARK = re.compile(r"(?:(?<=\s)|^)\(?(?:option\s+)?([A-Ha-h]|[1-9])[).:]\s+(?=\S)", re.IGNORECASE)
#: A colon, and after it the options as a list: "Which first: tea, coffee or milk?"
_LISTED = re.compile(r"[:?-]\s*([^:?]+?)\s*\??\s*$")
#: A comma before two: "Which is better, tea or coffee?"
_COMPARED = re.compile(r",\s*([^,:?]+?\bor\b[^,:?]+?)\s*\?*\s*$")
_BULLET = re.compile(r"^[ \t]*[-*•+][ \t]+(\S.*)$", re.MULTILINE)
_BETWEEN = re.compile(r"\s*(?:,\s*(?:or|and)\s+|,|;|\bor\b)\s*")
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")
_SMALL = frozenset(
    [
        "more",
        "most",
        "less",
        "least",
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
        "into",
        "their",
        "his",
        "her",
    ]
)
#: The response speaks of its own choice here.
_CHOOSES = re.compile(
    r"\b(?:answer|choice|vote|verdict|pick|preference|recommendation|conclusion|decision|selection)\b[^.]{0,30}?(?:\bis\b|\bwould be\b|\bgoes to\b|:)|"
    r"\bi(?:'d|'ll|'m)?\b[^.]{0,40}?\b(?:choose|chose|pick|select|prefer|favou?r|vote|go with|go for|opt|recommend|support|say|answer|lean\w*|side|argue|back|endorse)\b|"
    r"\b(?:best|strongest|fairest|right|better|most \w+|preferred|correct|wisest) (?:option|choice|answer|approach|way|solution|candidate|course)?\b|"
    r"\b(?:should|must|ought to|deserves?|wins?|comes first|is best|decisive|paramount|essential|crucial|matters? (?:the )?most|counts? (?:the )?most|prevails?|fundamental|has the strongest|the (?:most|best|greatest|strongest|fairest|biggest|worst|\w+est))\b|"
    r"^\W*(?:give|choose|pick|save|take|go (?:with|for)|it(?:'s| is| should be| has to be| must be))\b|\bget(?:s)? (?:it|my vote)\b|\bget my vote\b",
    re.IGNORECASE,
)
#: The writer's own choice, in so many words.
_I_CHOOSE = re.compile(
    r"\b(?:that|this|which) leaves\b|\bleav(?:es|ing) (?:only|us)\b|\bmy (?:\w+ )?(?:answer|choice|vote|pick|preference|recommendation|verdict|selection)\b|"
    r"\b(?:i|we)(?:'d|'ll)? (?:\w+ ){0,3}?(?:choose|pick|select|prefer|vote for|go with|go for|opt for|recommend|start with|begin with|side with)\b|\bi(?:'d| would)? (?:\w+ )?(?:put|place|rank) [\w ]{2,40}? first\b",
    re.IGNORECASE,
)
#: What stands after one of these is not what the response chooses, to the end of the clause.
_REJECTS = re.compile(
    r"\b(?:not|never|n't|rather than|instead of|over|against|than|ahead of|beats?|trumps?|outweighs?|outranks?|surpasses|outperforms|superior to|preferable to|compared (?:to|with)|followed by|second|before|more than|unlike|rejects?|rule out|except|but not|nor|neither|without|avoid|"
    r"worst|wrong|weak(?:er|est)?|fails?|cannot|dismiss)\b|n't\b|>",
    re.IGNORECASE,
)
#: What is conceded, and what comes after the first.
_CONCEDED = re.compile(
    r"(?<=\w)\W*\b(?:although|though|even if)\b[^.;]*|(?<=\bfirst), (?:and )?then\b[^.;]*", re.IGNORECASE
)
_NUMERALS = {word: str(place) for place, word in enumerate(("one", "two", "three", "four", "five", "six"), start=1)}
_NUMBERED = re.compile(rf"\b(?P<by>number|option) (?P<numeral>{'|'.join(_NUMERALS)})\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[,;:]|\bbut\b|\bwhile\b|\bwhereas\b|\bbecause\b|\bsince\b|\balthough\b|\bthough\b|\band\b(?= (?:not|i|we|it)\b)"
)
_NONE = re.compile(
    r"\b(?:none|neither|any) of (?:the|these|them|those)\b|\bno (?:opinion|preference|view)\b|\b(?:refuse|decline) to\b|\bequal(?:ly)? (?:claims?|measure)\b|\bnot for (?:me|us) to\b|\bnone\b|\b(?:balance|mix|mixture|combination|compromise|blend)\b|\ball (?:two|three|four|five|of)\b|^\W*(?:\w+\W+){1,7}(?:together|alike)\W*$|\bsomething else\b|\bnot (?:listed|among|on the list)\b|\b(?:another|other) option\b|\b(?:am|is) unable to\b|\bcase by case\b|\ball of (?:the above|these|them)\b|\b(?:cannot|can't|can not|unable to|won't|refuse to|hard to|impossible to) "
    r"(?:choose|pick|decide|select|say|answer)|\b(?:it|that) depends\b|\bno single option\b|\bnot (?:sure|able)\b|\bequally (?:good|valid)\b",
    re.IGNORECASE,
)
#: A letter that can be nothing but an option's: named as one, with a sign, alone, or beside another one.
_MARKED = (
    r"(?<![\w'])(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter|[Nn]umber)(?: is| would be)?:? \(?{small}(?=\)|\W*$|[.,;:])|\({small}\)|(?<=^){small}(?=\W*$|[).])|(?<=[a-z] ){small}(?=\W*$)|[Oo]ption \(?{small}\b|(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter|[Nn]umber)(?: is)? \(?{key}\b|{key}[).:](?=\W|$)|\({key}\)"
    r"|(?<=[a-z] ){key}\b(?!-)|{key}(?= (?:would|is|has|seems|should|because|since|as|for)\b)|{key}(?=\s*$|\s*>|\s+-|\s*(?:/|&|\bor\b|\band\b)\s*(?:[Oo]ption )?[{any}]\b))"
)
_SO = frozenset({"so", "therefore", "thus", "hence", "consequently"})
_PLACES = {
    "first": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "fifth": 4,
    "sixth": 5,
    "last": -1,
    "former": 0,
    "latter": -1,
}
_PLACE = re.compile(
    rf"\b(?P<the>the )?(?P<place>{'|'.join(_PLACES)})(?: (?:option|choice|one|answer|alternative|candidate|proposal|item|possibility)\b|(?<=er)(?=\W|$)|(?(the)(?=\W*$)|(?!)))",
    re.IGNORECASE,
)
#: The share of an option's own words that names it, and the share where nothing else says that it is chosen.
LEAST_SAID, ALL_BUT_ALONE = 0.3, 0.5
#: A clause with one of these speaks against what it names.
_BLAMES = re.compile(
    r"\b(?:unfair|unjust|wrong|mistake|unacceptable|worse|worst|discriminat\w+|(?<!most )dangerous|risky|cowardly|ineffective|useless|overpriced|crowded|cheating|too \w+|problematic|flawed|unworkable|inadequate|insufficient)\b",
    re.IGNORECASE,
)


def options_of(query: str) -> dict[str, str]:
    """The options that a question offers, by their letter, or by their own words where they have none."""
    bullets = [bullet.strip(" .;,") for bullet in _BULLET.findall(query)]
    query = plain(query)
    marks = list(_MARK.finditer(query))
    keys = [mark[1].upper() for mark in marks]
    if len(marks) >= 2 and keys == [chr(ord(keys[0]) + step) for step in range(len(keys))]:
        ends = [mark.start() for mark in marks[1:]] + [len(query)]
        return {key: query[mark.end() : end].strip(" \n,;.?") for key, mark, end in zip(keys, marks, ends, strict=True)}
    if len(bullets) >= 2:
        return {bullet: bullet for bullet in bullets}
    listed = _LISTED.search(query.strip()) or _COMPARED.search(query.strip())
    parts = [part.strip(" .?") for part in _BETWEEN.split(listed[1])] if listed else []
    parts = [part for part in parts if part]
    return {part: part for part in parts} if len(parts) >= 2 and all(len(part.split()) <= 8 for part in parts) else {}


def choice(options: dict[str, str], text: str) -> str:
    """The key of the option that a response chooses, or `unclear`: none, several, or no way to tell.

    What it concludes counts first, then what it begins with, then what it says to choose, then the only option that it
    speaks of. A sentence that names several leaves the matter to the others.
    """
    said = _NUMBERED.sub(lambda found: f"{found['by']} {_NUMERALS[found['numeral'].lower()]}", plain(text))
    lines = phrases(_with_marks_joined(said))
    finder = _Finder(options)
    mine = [line for line in reversed(lines) if _I_CHOOSE.search(line) and not _NONE.search(line)]
    choosing = [line for line in reversed(lines) if _CHOOSES.search(line) and not _NONE.search(line)]
    concluding = [part for place in reversed(range(len(lines))) for part in _concluding(lines, place)]
    is_open = any(_NONE.search(line) for line in lines)
    for passage in (*concluding, *mine, *([] if is_open else lines[:1]), *choosing):
        for part in (main_clause(passage), passage.rpartition(" but ")[2]):
            named = [] if _NONE.search(passage) else finder.chosen(part)
            if len(named) == 1:
                return named[0]
    named = finder.chosen("; ".join(lines), least=ALL_BUT_ALONE)
    return named[0] if len(named) == 1 and not is_open else UNCLEAR


def _concluding(lines: list[str], place: int) -> list[str]:
    """What a line concludes: what follows the word that announces it, and the line; nothing where it concludes nothing."""
    if found := SUMS_UP.search(lines[place]):
        return [lines[place][found.end() :], lines[place]] if found[0].lower().strip(" ,") in _SO else [lines[place]]
    return [lines[place]] if place > 0 and HEADING.match(lines[place - 1]) else []


def _with_marks_joined(said: str) -> str:
    """The text with "B. the doctors" as one phrase: the point after a mark ends no sentence."""
    return re.sub(r"^(\W*(?:option\s+)?[A-Ha-h1-9])\.\s+", r"\1) ", said, flags=re.IGNORECASE | re.MULTILINE)


class _Finder:
    """Finds where a passage names one of these options and does not reject it."""

    def __init__(self, options: dict[str, str]) -> None:
        self._options = options
        self._letters = "".join(key for key in options if len(key) == 1)
        stems = {key: _stems(words) for key, words in options.items()}
        often = Counter(stem for own in stems.values() for stem in own)
        #: Only what tells an option from the others helps to find it.
        self._telling = {key: {stem for stem in own if often[stem] == 1} or own for key, own in stems.items()}

    def chosen(self, passage: str, *, least: float = LEAST_SAID) -> list[str]:
        """The options named most clearly and not rejected, in the order of the question; marks count before words.

        Args:
            passage: what may name one.
            least: the share of an option's own words that it takes.
        """
        clauses = [
            part for part in _CLAUSE.split(_CONCEDED.sub("", passage)) if part.strip() and not self._blames(part)
        ]
        leading = [part for part in clauses if _CHOOSES.search(part)]
        return self._named(leading, least) or self._named(clauses, least)

    def _blames(self, clause: str) -> bool:
        """Whether the clause speaks against what it names, by a word that no option holds: one may be "too much money"."""
        offered = " ".join(self._options.values()).lower()
        return any(found[0].lower() not in offered for found in _BLAMES.finditer(clause))

    def _named(self, clauses: list[str], least: float) -> list[str]:
        strengths = {key: max((self._strength(key, part) for part in clauses), default=0.0) for key in self._options}
        most = max(strengths.values(), default=0.0)
        return [key for key, strength in strengths.items() if strength == most >= least]

    def _strength(self, key: str, clause: str) -> float:
        """2 for its mark or its place ("the second one"), else the share of its own words."""
        if (at := self._marked(key, clause)) is not None:
            return 0.0 if _REJECTS.search(clause[:at]) else 2.0
        telling = self._telling[key]
        rejected = _REJECTS.search(clause)
        own = _stems(clause[: rejected.start()] if rejected else clause)
        return len(telling & own) / len(telling) if telling else 0.0

    def _marked(self, key: str, clause: str) -> int | None:
        """Where the clause names this option by letter, number or place."""
        if found := _PLACE.search(clause):
            place = list(self._options).index(key)
            if _PLACES[found["place"].lower()] in {place, place - len(self._options)}:
                return found.start()
        if len(key) != 1:
            return None
        found = re.search(_MARKED.format(key=key, any=self._letters, small=key.lower()), clause)
        # A capital A is an article as well, and I a person: alone they mark nothing.
        if found is None and key not in {"A", "I"}:
            found = re.search(rf"(?<![\w'-]){key}(?![\w'-])", clause)
        return found.start() if found else None


def _stems(words: str) -> set[str]:
    # American and British spelling alike.
    return {
        word.rstrip("s").replace("our", "or")[:STEM_CHARS]
        for word in _WORD.findall(words.lower())
        if word not in _SMALL
    }
