"""The answer to a question with options: which one a response chooses, by its letter or by its words."""

import re

from folkmoot.analysis.finder import ALL_BUT_ALONE, CHOOSES, Finder
from folkmoot.analysis.stated import FORMERLY
from folkmoot.analysis.wording import main_clause, phrases, plain
from folkmoot.analysis.yes_no import HEADING, OTHERS, SUMS_UP, UNCLEAR

#: The writer's own choice, in so many words.
_I_CHOOSE = re.compile(
    r"\b(?:that|this|which) leaves\b|\bleav(?:es|ing) (?:only|us)\b|\bmy (?:\w+ )?(?:answer|choice|vote|pick|preference|recommendation|verdict|selection)\b|"
    r"\b(?:i|we)(?:'d|'ll)? (?:\w+ ){0,3}?(?:choose|pick|select|prefer|vote for|go with|go for|opt for|recommend|start with|begin with|side with)\b|\bi(?:'d| would)? (?:\w+ )?(?:put|place|rank) [\w ]{2,40}? first\b",
    re.IGNORECASE,
)
_NUMERALS = {word: str(place) for place, word in enumerate(("one", "two", "three", "four", "five", "six"), start=1)}
_NUMBERED = re.compile(rf"\b(?P<by>number|option) (?P<numeral>{'|'.join(_NUMERALS)})\b", re.IGNORECASE)
_NONE = re.compile(
    r"\b(?:none|neither|any) of (?:the|these|them|those)\b|\bno (?:opinion|preference|view)\b|\b(?:refuse|decline) to\b|\bequal(?:ly)? (?:claims?|measure)\b|\bnot for (?:me|us) to\b|\bnone\b|\b(?:balance|mix|mixture|combination|compromise|blend)\b|\ball (?:two|three|four|five|of)\b|^\W*(?:\w+\W+){1,7}(?:together|alike)\W*$|\bsomething else\b|\bnot (?:listed|among|on the list)\b|\b(?:another|other) option\b|\b(?:am|is) unable to\b|\bcase by case\b|\ball of (?:the above|these|them)\b|\b(?:cannot|can't|can not|unable to|won't|refuse to|hard to|impossible to) "
    r"(?:choose|pick|decide|select|say|answer)|\b(?:it|that) depends\b|\bno single option\b|\bnot (?:sure|able)\b|\bequally\b",
    re.IGNORECASE,
)
_SO = frozenset({"so", "therefore", "thus", "hence", "consequently"})
_THEM = r"(?:(?:the |these |those )?(?:above|options|choices|alternatives|them|these|those|two|three|four|five)(?: options| choices)?)"
#: What an option says that stands for none or for several of the others, and how a response may say it.
_STANDS_FOR_OTHERS = (
    (re.compile(r"^(?:none|neither|nothing)\b", re.IGNORECASE), re.compile(rf"\b(?:none|neither)(?: of {_THEM})?(?!\w)(?! \w+ nor\b)", re.IGNORECASE)),
    (re.compile(r"^(?:all|both)\b", re.IGNORECASE), re.compile(rf"\b(?:all|both)(?: of)? {_THEM}(?!\w)|\bboth\b", re.IGNORECASE)),
)
_ME = re.compile(r"\b(?:i|my|me)\b", re.IGNORECASE)


def choice(options: dict[str, str], text: str) -> str:
    """The key of the option that a response chooses, or `unclear`: none, several, or no way to tell.

    What it concludes counts first, then what it begins with, then what it says to choose, then the only option that it
    speaks of. A sentence that names several leaves the matter to the others.
    """
    said = _NUMBERED.sub(lambda found: f"{found['by']} {_NUMERALS[found['numeral'].lower()]}", plain(text))
    lines = phrases(_with_marks_joined(_in_the_options_words(options, said)))
    own = [line for line in lines if not _is_of_others(line)] if len(lines) > 1 else lines
    finder = Finder(options)
    mine = [line for line in reversed(own) if _I_CHOOSE.search(line)]
    choosing = [line for line in reversed(own) if CHOOSES.search(line)]
    concluding = [part for place in reversed(range(len(lines))) for part in _concluding(lines, place)]
    is_open = any(_takes_none(options, line) for line in lines)
    for passage in (*concluding, *mine, *finder.bare(lines), *([] if is_open else own[:1]), *choosing):
        for part in (main_clause(passage), passage.rpartition(" but ")[2]):
            named = [] if _takes_none(options, part) else finder.chosen(part)
            if len(named) == 1:
                return named[0]
    named = finder.chosen("; ".join(own), least=ALL_BUT_ALONE)
    return named[0] if len(named) == 1 and not is_open else UNCLEAR


def _in_the_options_words(options: dict[str, str], said: str) -> str:
    """The text with "none of them" or "both" in the words of the option that says so, where there is one."""
    for offered, response in _STANDS_FOR_OTHERS:
        for words in options.values():
            if offered.match(words):
                said = response.sub(words, said)
    return said


def _is_of_others(line: str) -> bool:
    """Whether the line tells what others say, or what the writer thought before."""
    return bool(OTHERS.search(line) and not _ME.search(line)) or bool(FORMERLY.search(line) and " but " not in line)


def _takes_none(options: dict[str, str], line: str) -> bool:
    """Whether the line chooses nothing, by words that no option holds."""
    offered = " ".join(options.values()).lower()
    return any(found[0].lower() not in offered for found in _NONE.finditer(line))


def _concluding(lines: list[str], place: int) -> list[str]:
    """What a line concludes: what follows the word that announces it, and the line; nothing where it concludes nothing."""
    if found := SUMS_UP.search(lines[place]):
        return [lines[place][found.end() :], lines[place]] if found[0].lower().strip(" ,") in _SO else [lines[place]]
    return [lines[place]] if place > 0 and HEADING.match(lines[place - 1]) else []


def _with_marks_joined(said: str) -> str:
    """The text with "B. the doctors" as one phrase: the point after a mark ends no sentence."""
    return re.sub(r"^(\W*(?:option\s+)?[A-Ha-h1-9])\.\s+", r"\1) ", said, flags=re.IGNORECASE | re.MULTILINE)
