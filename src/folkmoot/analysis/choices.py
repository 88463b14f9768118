"""The answer to a question with options: which one a response chooses, by its letter or by its words."""

import re

from folkmoot.analysis.finder import ALL_BUT_ALONE, CHOOSES, LEAST_SAID, LEAST_SAID_IN_PASSING, Finder
from folkmoot.analysis.option_words import in_the_options_words
from folkmoot.analysis.rejections import of_cases
from folkmoot.analysis.sentence_side import OTHERS
from folkmoot.analysis.stated import FORMERLY, not_formerly
from folkmoot.analysis.wording import main_clause, phrases, plain
from folkmoot.analysis.yes_no import HEADING, SUMS_UP, UNCLEAR, yes_no

#: The writer's own choice, in so many words.
_I_CHOOSE = re.compile(
    r"\bi(?:'d| would) (?:\w+ )?(?:rather|say|argue|suggest|guess)\b|\bi(?:'m| am)? (?:\w+ )?lean(?:ing)?\b|\b(?:one|option|choice|answer|position|approach) (?:that |which )?i (?:would |'d )?(?:\w+ly )?(?:defend|choose|support|favou?r|prefer|pick|select|endorse|recommend|back|take)\b|\b(?:that|this|which) leaves\b|\bleav(?:es|ing) (?:only|us)\b|\bmy (?:\w+ )?(?:answer|choice|vote|pick|preference|recommendation|verdict|selection)\b|"
    r"\b(?:i|we)(?:'d|'ll)? (?:\w+ ){0,3}?(?:choose|pick|select|prefer|favou?r|support|vote for|go with|go for|opt for|recommend|start with|begin with|side with)\b|\bi(?:'d| would)? (?:\w+ )?(?:put|place|rank) [\w ]{2,40}? first\b|^\W*(?:so |thus |then |but )?i(?:'d| would| will|'ll)\b(?! (?:not|never)\b)|"
    r"\bi (?:\w+ly |still |do |would |strongly )?(?:suspect|believe|reckon|think|feel|hold|maintain|say|vote|answer|suggest|propose|conclude|settle on|land on)\b:? (?:that |for |it is |it's )?(?:option |answer |choice )?(?:\([A-H1-9]\)|[B-H1-9]\b(?!')|A\W*$)|"
    r"^\W*(?:so |then |therefore |and |thus )*(?:option |answer )?\(?[A-H]\)? it (?:is|has to be|must be)\b|^\W*(?:so |then |therefore |and |thus )*it(?: is|'s| has to be| must be| would be| will be|'ll be)(?: option)? \(?[A-H]\)?\W*$",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\b(?:none|neither|any) of (?:the|these|them|those)\b|\bno (?:opinion|preference|view)\b|\b(?:refuse|decline) to\b|\bequal(?:ly)? (?:claims?|measure)\b|\bnot for (?:me|us) to\b|\bnone\b(?! (?:\w+ )?(?:is|are|will be|would be) (?:\w+ )?(?:ideal|perfect|flawless|easy|without|free of)\b)|(?<!\bon )\b(?:balance(?! of (?:harms?|power|evidence|probabilit|reasons?|considerations?|risks?|interests?|goods?|benefits?|costs?|forces|payments|arguments?|consequences))|mix|mixture|combination|compromise|blend)\b|\ball (?:two|three|four|five)\b|\ball of (?:these|them|those|it|the (?:above|options|choices|answers|measures|approaches))\b|^\W*(?:\w+\W+){1,7}(?:together|alike)\W*$|\b(?:a|one's|your own|personal) (?:matter|question) of (?:\w+ )?(?:values?|taste|priorit(?:y|ies)|opinion|preferences?|judge?ment|temperament)\b|\b(?:will|would) not (?:settle|decide|choose|pick|rank|take|say|pronounce)\b|\b(?:won't|wouldn't) (?:settle|decide|choose|pick|rank|take (?:sides|a side)|pronounce)\b|\bsome (?:have|has|are|is|need|want|get|can)\b[^.]*\bothers\b|\bsomething else\b|\bnot (?:listed|among|on the list)\b|\b(?:another|other) option\b|\b(?:am|is) unable to\b|\bcase by case\b|\ball of (?:the above|these|them)\b|\b(?:cannot|can't|can not|unable to|won't|refuse to|hard to|impossible to) "
    r"(?:choose|pick|decide|select|say|answer)|\b(?:it|that) depends\b|\b(?:best|right|answer|choice|solution|response|approach|option|works?|which|what|much|all|measure|priority) (?:\w+ ){0,5}?depends\b|\beither (?:of (?:them|these|those|the two|the \w+)|one|would (?:do|be|work|serve)|is)\b|\bboth (?:are|would|could|seem|deserve|have|can|measures|options|choices|approaches)\b|\bon (?:a )?par\b|\bhappy with either\b|\b(?:many|several|various) (?:causes|factors)\b|\bno single\b|\bequal (?:appeal|merit|weight|force|value)\b|\bnot (?:sure|able)\b|\bequally\b|\bcombin(?:ed|ing|e)\b|\bhalf\b.*\bhalf\b|\bsplit\b|\b(?:a bit|some|a little) of (?:each|both|all|everything)\b|\btoss-?up\b|\b(?:a tie|tied) between\b|\b(?:fifty-fifty|50[/-]50)\b|\b(?:torn|undecided)\b|\b(?:together|along) with\b|\bin tandem\b|\bhand in hand\b|\b(?:do not|don't) know\b|\bno idea\b|\bcomplicated\b|\bcomplex (?:question|issue|matter|topic)\b",
    re.IGNORECASE,
)
_SO = frozenset({"so", "therefore", "thus", "hence", "consequently"})
#: One option may be a balance itself: "Option 2 strikes a reasonable balance."
_BALANCED = re.compile(
    r"\b(?:strikes?|finds?|offers?|is|as|are|represents?|seems?|provides?) (?:like )?(?:an?|the) (?:\w+ )?(?:balance|compromise|mix|combination)\b",
    re.IGNORECASE,
)
#: A sentence, and no bare name of an option.
_SAYS = re.compile(r"\b(?:is|are|was|were|has|have|had|would|will|can|could|may|might)\b", re.IGNORECASE)
#: Chooses in the first sentence, be it only by an order: "Talk to him first."
_CHOOSES_FIRST = re.compile(rf"{CHOOSES.pattern}|\bfirst\W*$", re.IGNORECASE)
#: What is only conceded: "…, although much depends on enforcement".
_CONCEDED = re.compile(r"(?<=\w)\W*\b(?:although|though(?!,)|even (?:if|though))\b[^.;]*", re.IGNORECASE)
#: A mark without its sign, before a word that nobody says after an article: "A tbh".
_CHATTY = re.compile(
    r"^(\W*[A-Ha-h]) (?=(?:tbh|imo|imho|ngl|lol|obvs|obviously|definitely|probably|for sure|for me|all day|please|because|cos|cuz|bc|since|hands down|easily|every time|no question|no doubt|without (?:a )?(?:doubt|question)|all the way|i (?:guess|think|suppose|reckon)|tho|though|if)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_IF_NOT = re.compile(r"\b(?:if not|otherwise|or else)\b", re.IGNORECASE)
_CASE = re.compile(
    r"\b(?:if|when|whenever|where|wherever|for|in|unless|as long as|provided|assuming|with|during)\b", re.IGNORECASE
)
_COMES_TO = re.compile(
    r"\s*(?:[,;:]|\bbut\b|\s-)\s*(?:but )?(?=(?:maybe|perhaps|probably|possibly|likely|i\b|if\b|lean|on balance|overall|generally|mostly|for me|my\b|option\b|\(?[A-H]\b))|\s*,? \bbut\b ",
    re.IGNORECASE,
)
_ME = re.compile(r"\b(?:i|my|me)\b", re.IGNORECASE)

#: A sentence of no more words holds nothing in passing.
LONGEST_BARE = 9
#: An opening of no more words is an answer: "The parents, I think."
LONGEST_OPENING = 4
#: Begins an option that orders nothing.
_NO_VERB = re.compile(
    r"(?:an?|the|more|less|fewer|most|only|all|every|any|some|[a-z]+er|[a-z]+[^s]s|in|on|by|with|my|our)\b",
    re.IGNORECASE,
)
#: An order is short.
LONGEST_ORDER = 6
#: A response of more words names an option by more than half of it, where it does not say that it chooses.
LONGEST_TOLD, MOST_ALONE = 20, 0.6


def choice(options: dict[str, str], text: str, query: str = "") -> str:
    """The key of the option that a response chooses, or `unclear`: none, several, or no way to tell.

    What it concludes counts first, then what it begins with, if that chooses, then what it says to choose, then the only
    option that it speaks of. A sentence that names several leaves the matter to the others.

    Args:
        options: what each option says, by its key.
        text: the response.
        query: the question; a word that it shares with an option names none.
    """
    lines = phrases(_with_marks_joined(in_the_options_words(options, plain(text))))
    finder = Finder(options, query)
    if _hangs_on_a_condition(finder, lines):
        return UNCLEAR
    own = (
        [now for line in lines if not _is_of_others(finder, line) and (now := not_formerly(line))]
        if len(lines) > 1
        else [not_formerly(line) for line in lines]
    )
    mine = [line for line in reversed(own) if _I_CHOOSE.search(line)]
    choosing = [line for line in reversed(own) if CHOOSES.search(line)]
    choosing += [line for line in reversed(own) if _orders(options, line)]
    concluding = [part for place in reversed(range(len(lines))) for part in _concluding(lines, place)]
    is_open = any(_takes_none(options, line) for line in lines)
    clear = (*concluding, *mine, *finder.bare(lines), *finder.leading(own))
    first = [_after_all(line) for line in own[:1]] if is_open else own[:1]
    # What opens without choosing may only speak of an option before the choice.
    opens_at_length = (
        bool(own)
        and (len(own[0].split()) > LONGEST_OPENING or _SAYS.search(own[0]))
        and not _CHOOSES_FIRST.search(own[0])
    )
    vague = (*choosing, *first) if opens_at_length else (*first, *choosing)
    for least, passage in (*((LEAST_SAID, one) for one in clear), *((_least(one, own), one) for one in vague)):
        for part in (main_clause(passage), passage.rpartition(" but ")[2]):
            named = [] if _takes_none(options, part) else finder.chosen(part, least=least)
            if len(named) == 1:
                return named[0]
    if not is_open and (last := _named_last(finder, own)):
        return last
    # One word in a long text says less than in a short one.
    is_long = sum(len(line.split()) for line in own) > LONGEST_TOLD
    named = finder.chosen("; ".join(own), least=MOST_ALONE if is_long else ALL_BUT_ALONE)
    if len(named) == 1 and not is_open:
        return named[0]
    return _by_yes_or_no(options, text)


def _orders(options: dict[str, str], line: str) -> bool:
    """Whether a short line begins as exactly one option does, as an order may: "Pay it off." for "Pay off debt"."""
    said = line.lower().split()
    begun = [words.lower().split()[:1] for words in options.values() if " " in words and not _NO_VERB.match(words)]
    return 0 < len(said) <= LONGEST_ORDER and begun.count(said[:1]) == 1


def _least(line: str, lines: list[str]) -> float:
    """The share of an option's words that names it: a long sentence, or one of several, may hold one in passing."""
    longest = LONGEST_BARE if len(lines) == 1 else LONGEST_OPENING
    return LEAST_SAID_IN_PASSING if len(line.split()) > longest else LEAST_SAID


def _named_last(finder: Finder, lines: list[str]) -> str:
    """The one option that the last sentence names and no sentence before, where these name several."""
    before = {key for line in lines[:-1] for key in finder.mentioned(line)}
    last = finder.chosen(lines[-1], least=ALL_BUT_ALONE) if lines else []
    return last[0] if len(before) > 1 and len(last) == 1 and last[0] not in before else ""


def _by_yes_or_no(options: dict[str, str], text: str) -> str:
    """The one option that begins with the text's yes or no, where such options are offered."""
    offered = {key: words.split()[:1] for key, words in options.items()}
    if not any(word and word[0].lower().strip(".,;") == "no" for word in offered.values()):
        return UNCLEAR
    answer = yes_no("Is it so?", text).lower()
    fitting = [key for key, word in offered.items() if word and word[0].lower().strip(".,;") == answer]
    return fitting[0] if len(fitting) == 1 else UNCLEAR


def _hangs_on_a_condition(finder: Finder, lines: list[str]) -> bool:
    """Whether the text names one option for one case and another one for another, or otherwise, and decides for none."""
    by_case = {}
    last = 0
    for place, line in enumerate(lines):
        for part in re.split(r"(?<=,) (?:and|but|while|whereas) (?=(?:if|when|where|in|for)\b)", line):
            case, then = of_cases(part)
            if case and len(named := finder.chosen(then)) == 1:
                by_case[case], last = named[0], place
    if len(set(by_case.values())) > 1:
        return not any(_I_CHOOSE.search(line) or SUMS_UP.search(line) for line in lines[last + 1 :])
    said = " ".join(lines)
    case, otherwise, other = said.partition(found[0]) if (found := _IF_NOT.search(said)) else ("", "", "")
    # "Stop the inputs first, otherwise …" gives a reason.
    if found and found[0].lower() != "if not" and not _CASE.search(case):
        return False
    one, two = finder.chosen(case), finder.chosen(other)
    return bool(otherwise and one and two and one != two)


def _after_all(line: str) -> str:
    """What the line comes to after it has said that it is hard to choose: "Not sure, maybe B."."""
    found = _COMES_TO.search(line)
    return line[found.end() :] if found and _NONE.search(line[: found.start()]) else ""


def _is_of_others(finder: Finder, line: str) -> bool:
    """Whether the line tells what others say, or what the writer thought before; not where it has named its own by then."""
    if FORMERLY.search(line) and " but " not in line:
        return True
    found = OTHERS.search(line)
    return bool(found and not _ME.search(line)) and not finder.chosen(line[: found.start()] if found else "")


def _takes_none(options: dict[str, str], line: str) -> bool:
    """Whether the line chooses nothing, by words that no option holds."""
    offered = " ".join(options.values()).lower()
    return any(found[0].lower() not in offered for found in _NONE.finditer(_BALANCED.sub(" ", _CONCEDED.sub("", line))))


def _concluding(lines: list[str], place: int) -> list[str]:
    """What a line concludes: what follows the word that announces it, and the line; nothing where it concludes nothing."""
    if found := SUMS_UP.search(lines[place]):
        return [lines[place][found.end() :], lines[place]] if found[0].lower().strip(" ,") in _SO else [lines[place]]
    return [lines[place]] if place > 0 and HEADING.match(lines[place - 1]) else []


def _with_marks_joined(said: str) -> str:
    """The text with "B. the doctors" as one phrase: the point after a mark ends no sentence."""
    said = _CHATTY.sub(r"\1, ", said)
    return re.sub(r"^(\W*(?:option\s+)?[A-Ha-h1-9])\.\s+", r"\1) ", said, flags=re.IGNORECASE | re.MULTILINE)
