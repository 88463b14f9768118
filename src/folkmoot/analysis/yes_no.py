"""The answer to a yes-or-no question: what a careful reader takes a response to say, or that it does not say."""

import re

from folkmoot.analysis.asked import Question, word_stems
from folkmoot.analysis.both_sides import on_both_sides
from folkmoot.analysis.camps import sided
from folkmoot.analysis.openings import ANY_NO, ANY_YES, NO, UNCLEAR, YES, opening
from folkmoot.analysis.positions import side
from folkmoot.analysis.question import stems
from folkmoot.analysis.sentence_side import BARE, OTHERS, answered_last, side_of
from folkmoot.analysis.set_phrases import contradicted, taken
from folkmoot.analysis.stated import doubted, echoed, not_formerly, stated, topics, without_relative
from folkmoot.analysis.undecided import OPEN
from folkmoot.analysis.wording import clauses, phrases, plain, spelled_out, spelled_whole

__all__ = ["HEADING", "NO", "SUMS_UP", "UNCLEAR", "YES", "yes_no"]

#: Somebody states a conclusion of their own, and in the next few words the answer.
_CONCLUDES = re.compile(
    rf"(?P<by>\bi(?:'d|'m|'ll|'ve)?\b[\w' ]{{0,40}}?\b(?:lean\w*|say|answer|vote|voting|go(?:ing)? (?:with|for)|conclude|come down|fall|side|tend|opt|settle|land|guess|suppose|tilt\w*|veer|gravitate|edge|end up|ended up|arrive|come out|incline\w*|argue)|"
    rf"\b(?:answer|verdict|vote|conclusion|position|response|decision|judge?ment|bottom line|inclination|stance|recommendation|advice|suggestion|opinion|view|call|guess|hunch|bet|take|feeling|instinct|sense|expectation|prediction|forecast|reply|choice)\b(?:,? [\w']+,?){{0,6}}?(?: is| remains| would be| must be| has to be| should be| be|:)|"
    rf"\bmy (?:\w+ )?(?:leaning|tendency|preference)(?: is| would be| remains| goes|:)|"
    rf"(?:^|[,;:]|\s-)\W*(?:but )?(?:(?:\w+ly|a (?:bit|little|touch)|somewhat|still|just|very) ){{0,2}}(?:lean(?:ing|s)?|inclin(?:ed|ing))\b|\b(?:it is|it's|that is|that's|this is|makes it|count me as)|"
    rf"\b(?:on balance|overall|in short|in the end|ultimately|all things considered|on the whole|in conclusion|to conclude|therefore|hence|thus|so|conclusion)\b)"
    rf"(?P<between>[\w'\", :-]{{0,40}}?)[\s\"':(-]+(?:(?P<yes>{ANY_YES})|(?P<no>{ANY_NO}))\b(?!['-]\w)(?P<after>(?:\s+(?:and|or|nor)\s+(?:yes|no)\b)?)",
    re.IGNORECASE,
)
#: "…, but yes.", "…, so no, thank you."
_ENDS = re.compile(
    r"\b(?:but|so|then|still|hence|therefore),? (?P<between>(?:[\w']+,? ){0,5}?)(?P<word>yes|no)(?=\W*$|[,.;:]| -)",
    re.IGNORECASE,
)
#: The writer's own side, after what speaks for the other: "In this case, however, I would support one."
_TURNED = re.compile(
    r"(?:^\W*(?:but|yet|that said|having said that|all the same)\b|\bhowever\b).*\bi (?:would|do|will|can|am|have|support|oppose|think|believe|come|favou?r|reject)\b",
    re.IGNORECASE,
)
_FROM_ME = re.compile(r"\b(?P<word>yes|no) from me\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|no|nobody|neither|cannot|without|nor|hardly)\b|n't\b", re.IGNORECASE)
#: Announces what it all comes to.
SUMS_UP = re.compile(
    r"\b(?:therefore|thus|hence|consequently|in (?:conclusion|sum|summary|short|the end|the final analysis)|to (?:conclude|sum up|summari[sz]e)|overall|on balance|"
    r"ultimately|all things considered|all in all|on the whole|i(?: would| have to| must)? conclude|i am inclined to (?:say|think|believe)|conclud(?:e|es|ing)|taken together|weighing|having weighed|after weighing|"
    r"(?:my|our|the|final|short) (?:\w+ )?(?:verdict|answer|position|conclusion|stance|judge?ment|view|recommendation|opinion|vote|take)|"
    r"at the end of the day|when all is said|bottom line|, so|still(?! (?:an? |very |quite |highly )?(?:open|unclear|unknown|unresolved|unsettled|debated|contested|disputed|not (?:known|understood|settled))\b)|nevertheless|nonetheless|for me|i must say|even so|and so(?! (?:do|does|did|is|are|was|were|will|would|can|should)\b)|that is why|which is why|that's why)\b|^\W*so\b",
    re.IGNORECASE,
)
HEADING = re.compile(
    r"^\W*(?:\d+[.)] ?)?(?:(?:my|the|final|overall|short|summary and|in) )*(?:conclusion|verdict|answer|summary|bottom line|recommendation|position|judge?ment|decision|tl;?dr)s?\W*$",
    re.IGNORECASE,
)
#: The share of the question's words that makes a sentence say it again, and the least number of them.
LEAST_RESTATED, SHORTEST_RESTATED = 0.75, 3
#: "…, and I agree." With what, is said before.
_AGREES = re.compile(
    r"\b(?:(?:and|but|so|while) )?(?:personally,? )?i (?:(?:fully|completely|strongly|do|would|must|tend to|have to|am inclined to|wholeheartedly|respectfully|totally) )*(?:agree|concur|(?P<not>(?:do not|can not) agree|disagree|beg to differ))(?: with (?:that|this|them|him|her|it))?\W*$",
    re.IGNORECASE,
)
#: "For heavy users, yes."
_FOR_SOME = re.compile(
    r"^\W*(?:and |but )?(?:for|in|if|when|on|with|at|under|as) [^.]*?[,:-]\s*(?:then )?(?P<answer>yes|no)\W*$",
    re.IGNORECASE,
)
#: "Passive euthanasia yes, active euthanasia no."
_BOTH_WAYS = re.compile(
    r"^(?P<this>[^.]*?\w) (?P<one>yes|no)[,;] (?P<that>(?!but\b)(?:(?!\b(?:so|but|therefore|thus)\b)[^.])*?\w) (?!(?P=one))(?:yes|no)\W*$",
    re.IGNORECASE,
)
#: "In physics it works well, in psychology it does not."
_CASES = re.compile(
    r"^\W*(?P<by>in|for|with|among) (?!my\b|the end\b|general\b|short\b)(?![^,;]*\bnot\b)[^,;]{8,}[,;] (?:but |and |while )?(?P=by) [^,;]{6,}\bnot\b[^,;]*$",
    re.IGNORECASE,
)
_CASE = re.compile(r"\W*(?:for|in|if|when|on|with|at|as|some)\b", re.IGNORECASE)
#: Its "but" begins no clause.
_ANYTHING_BUT = re.compile(r"\banything but\b(?= \w)", re.IGNORECASE)
#: What the writer thinks of it, in so many words: "I'm not in favour of such a right."
_OWN = re.compile(
    r"^\W*(?:(?:\w+|in my (?:view|opinion)|on balance),? )?i (?:\w+ly |would |do |am |can |could |will |have )*(?:not )?(?:\w+ly |all )?(?:in favou?r|for|believe|think|support|oppose|opposed|favou?r|against|reject|endorse|agree|disagree|convinced|persuaded|see (?:no|good|every|little) reason|approve|accept|want|welcome)\b",
    re.IGNORECASE,
)
#: A letter that stands for the word.
_LETTER = re.compile(r"\W*(?P<letter>[yn])\W*", re.IGNORECASE)


def yes_no(query: str, text: str) -> str:
    """What a response answers: `Yes`, `No` or `unclear`.

    What it concludes outweighs how it begins ("Yes, there are benefits, but on balance I'd say no"), and both outweigh
    what follows from single sentences about the question. Where these sentences disagree it is unclear.
    """
    if found := _LETTER.fullmatch(text):
        return YES if found["letter"] in "yY" else NO
    question = Question(query)
    lines = phrases(_ANYTHING_BUT.sub("not", spelled_whole(spelled_out(query, plain(text)))))
    lines = [now for line in lines if not _repeats(question, line) and (now := not_formerly(line))]
    sign, others = sided(question, lines)
    answer = _of_lines(question, others)
    return {1: YES, -1: NO}[sign] if sign and answer == UNCLEAR and not any(map(OPEN.search, others)) else answer


def _of_lines(question: Question, lines: list[str]) -> str:
    """What these sentences answer together."""
    if any(_CASES.match(line) for line in lines):
        return UNCLEAR
    for line in lines:
        if found := _BOTH_WAYS.match(line):
            return _of_two(question, found)
    if topics(question, lines) == {1, -1} or on_both_sides(lines):
        return UNCLEAR
    if {found["answer"].lower() for line in lines if (found := _FOR_SOME.match(line))} == {"yes", "no"}:
        return UNCLEAR
    concluded = [answer for place, line in enumerate(lines) if (answer := _conclusion(question, lines, place))]
    if concluded:
        return concluded[-1]
    if told := answered_last(question, lines) or stated(question, lines):
        return {1: YES, -1: NO}[told]
    return opening(lines[:2]) or _restated(question, lines) or _stood(question, lines)


def _repeats(question: Question, line: str) -> bool:
    """Whether the line only says the question again."""
    return line.rstrip().endswith("?") and len(stems(line) & question.stems) >= 0.6 * len(question.stems)


def _conclusion(question: Question, lines: list[str], place: int) -> str | None:
    """What the line at this place concludes, if it concludes."""
    line = lines[place]
    if "?" not in line and (bare := BARE.match(line)):
        return YES if bare["yes"] else NO
    if sign := _agreed(question, lines[place - 1] if place > 0 else "", line):
        return {1: YES, -1: NO}[sign]
    if place > 0 and contradicted(lines[place - 1], line):
        return YES
    if answer := _concluded(line):
        return answer
    if place > 0 and _TURNED.search(line) and not OPEN.search(line) and (sign := side_of(question, line)):
        return {1: YES, -1: NO}[sign]
    under_heading = place > 0 and bool(HEADING.match(lines[place - 1]))
    if not (under_heading or SUMS_UP.search(line)):
        return None
    if OPEN.search(line):
        return UNCLEAR
    if under_heading and (answer := opening([line])):
        return answer
    sign = side_of(question, line)
    return {1: YES, -1: NO}.get(sign)


def _of_two(question: Question, found: re.Match[str]) -> str:
    """The answer to what was asked, where only one of the two things is: "Feedback yes, grades no."."""
    asked = [bool(word_stems(found[part]) & question.stems) for part in ("this", "that")]
    if asked[0] == asked[1] or _CASE.match(found["this"]):
        return UNCLEAR
    return YES if (found["one"].lower() == "yes") == asked[0] else NO


def _agreed(question: Question, before: str, line: str) -> int:
    """The side of those whom the writer agrees or disagrees with, in this line or the one before; 0 where there is none."""
    found = _AGREES.search(line)
    if not found:
        return 0
    told = line[: found.start()] if len(line[: found.start()].split()) > 1 else before
    signs = {sign for clause in clauses(OTHERS.sub(" ", told)) if (sign := side(question, without_relative(clause)))}
    return (signs.pop() if len(signs) == 1 else 0) * (-1 if found["not"] else 1)


def _restated(question: Question, lines: list[str]) -> str | None:
    """What the sentences that take up the question's own words come to, where they take one side."""
    # Of a short question any two words seem to be the whole.
    least = max(SHORTEST_RESTATED, LEAST_RESTATED * len(question.stems))
    whole = [line for line in lines if len(word_stems(line) & question.stems) >= least and not OPEN.search(line)]
    sides = {sign for line in whole if (sign := side_of(question, line))}
    return {1: YES, -1: NO}[sides.pop()] if len(sides) == 1 else None


def _stood(question: Question, lines: list[str]) -> str:
    """What the sentences come to: all of them have to take one side, and none may say that there is none."""
    sides = {sign for line in lines if not OPEN.search(line) and (sign := side_of(question, line))}
    if not sides and lines and (sign := doubted(question, lines[0]) or echoed(question, lines[0])):
        sides = {sign}
    if (
        len(sides) > 1
        and len(own := {sign for line in lines if _OWN.match(line) and (sign := side_of(question, line))}) == 1
    ):
        sides = own
    if len(sides) > 1:
        sides = _of_what_is_asked(question, lines)
        if not sides and (sign := echoed(question, lines[0])) == side_of(question, lines[0]):
            sides = {sign} - {0}
    if any(OPEN.search(line) for line in lines) or len(sides) != 1:
        return UNCLEAR
    return YES if sides.pop() > 0 else NO


def _of_what_is_asked(question: Question, lines: list[str]) -> set[int]:
    """The sides of those sentences that name what the question ends with: "It can buy comfort. It cannot buy happiness."."""
    return {sign for line in lines if question.last in word_stems(line) and (sign := side_of(question, line))}


def _concluded(line: str) -> str | None:
    """What this sentence concludes in its own name; the last counts."""
    if found := _FROM_ME.search(line):
        return YES if found["word"].lower() == "yes" else NO
    if (found := _ENDS.search(line)) and not (OTHERS.search(found[0]) or _NOT.search(found["between"])):
        return YES if found["word"].lower() == "yes" else NO
    if not OTHERS.search(line) and (sign := taken(line)):
        return YES if sign > 0 else NO
    answer = None
    for found in _CONCLUDES.finditer(line):
        if OTHERS.search(line[: found.end("by")]) or found["after"]:
            continue
        negated = bool(_NOT.search(found["by"] + found["between"]))
        # "I cannot say yes" is a no; "I would not say no" commits to nothing.
        answer = NO if found["yes"] and negated else UNCLEAR if negated else YES if found["yes"] else NO
        if re.search(r"\b(?:simple|easy|clear|straightforward|clear-cut|either)\b", found["between"]) and negated:
            answer = UNCLEAR
    return answer
