"""The side that one sentence takes on a yes-or-no question: that of its last clause of the writer's own."""

# ruff: noqa: E501

import re

from folkmoot.analysis.asked import Question, word_stems
from folkmoot.analysis.openings import ANY_YES, SURE
from folkmoot.analysis.positions import side
from folkmoot.analysis.stated import without_relative
from folkmoot.analysis.undecided import OPEN
from folkmoot.analysis.wording import clauses, main_clause

OTHERS = re.compile(
    r"\b(?:some|others|many|(?<!the )most|critics|opponents|supporters|proponents|advocates|they|people|one|you|someone|(?:a|the) (?!(?:i|we|most|research|evidence|data|literature|science|record|right|wrong|better|best|good|bad|tough|hard|final|utilitarian|deontologist|kantian|consequentialist|libertarian|rawlsian|virtue|care|communitarian|egalitarian)\b)\w+|(?!(?:as|is|was|this|has|does|its|us|always|perhaps|studies|results|figures|findings|statistics|\w+(?:ous|ss))\b)\w+s|(?:those|people|anyone|everyone|everybody|whoever|(?:citizens|patients|families|persons)) who) (?!i\b|we\b)"
    r"(?:(?!i\b|we\b|(?:that|this|the|such an?) (?:claim|answer|view|point|call|support)(?:\W*$|[.,;]))\w+ )?(?:would |might |may |could |will |can )?(?:say|says|argue|argues|answer|answers|vote|lean|claim|claims|think|thinks|believe|believes|respond|object|disagree|differ|call|calls|consider|considers|find|finds|worry|fear|maintain|hold|insist|contend|regard|feel|defend|oppose|support|point|see|doubt|condemn|praise|warn|welcome|reject|favou?r)\b",
    re.IGNORECASE,
)
#: Between two sides: the second one is meant.
_TURNS_TO = re.compile(r"\b(?:but|yet|however|still|nevertheless|nonetheless|so|therefore|not)\b|;", re.IGNORECASE)
#: "It should not be free, it should be good": what follows is another thing.
_CORRECTS = re.compile(
    r"^[^,;]*\bnot\b[^,;]*[,;] (?:it|they|that|this|we) (?:\w+ )?(?:is|are|should|must|does|do|would|will|can|needs?|ought)\b(?! (?:not|so)\b)[^,;]{3,}$",
    re.IGNORECASE,
)
BARE = re.compile(
    rf"^\W*(?:{SURE}\W+|an? (?:[\w-]+ ){{0,3}}|then |so |simply |just )?(?:(?P<yes>{ANY_YES})|(?P<no>nope|nay|negative|no))\W*$",
    re.IGNORECASE,
)
#: "Yes, they should always be truthful.", at the end.
_SAYS_SO = re.compile(
    r"^\W*(?:(?:so|then|and|but|therefore|hence)\W+)?(?:(?P<yes>yes)|no)\b[,.;:!](?P<on> (?:it|they|we|he|she|this|that|these|i|there|you|one|people) (?:\w+ly )?(?P<verb>is|are|do|does|can|will|would|should|must|has|have|ought|may)\b)?",
    re.IGNORECASE,
)
_BUT_ASKS = re.compile(r"\bbut\b[^.?!]*\?\W*$", re.IGNORECASE)
#: Says where to read more, and takes no side: "It is worth reading your local policy."
_ADVICE = re.compile(
    r"\b(?:it|that|this)(?: is| may be| might be| would be| can be) (?:also |always |well |often |perhaps |probably )?(?:worth|worthwhile|useful|helpful|advisable|best|good|sensible|wise|important|essential|vital|a good idea) (?:to )?(?:read|check|look|consult|ask|talk|speak|not|bear|remember|keep|study|see|compar|discuss|review|understand|consider|recogni[sz]|acknowledg)\w*",
    re.IGNORECASE,
)
#: Whose condition it is, does not matter: "… if you feel unsafe".
_CONDITION = re.compile(r"\b(?:if|when|unless|because|since|as long as|provided)\b.*", re.IGNORECASE | re.DOTALL)


def side_of(question: Question, line: str) -> int:
    """The side of the last clause that takes one; what others say takes none."""
    signs = []
    for clause in clauses(main_clause(line)):
        if _says_of_others(question, clause) or _advises(question, clause):
            continue
        if bare := BARE.match(clause):
            signs.append(1 if bare["yes"] else -1)
        elif sign := side(question, without_relative(clause)):
            signs.append(sign)
    if len(set(signs)) > 1 and not _TURNS_TO.search(line):
        return 0
    if signs[:1] == [-1] and _CORRECTS.match(line):
        return -1
    return signs[-1] if signs else 0


def answered_last(question: Question, lines: list[str]) -> int:
    """What the last sentence opens with, or what answers the writer's own "but deployment?": 1, -1, or 0 where there is neither."""
    for place in range(len(lines) - 1, 0, -1):
        found = _SAYS_SO.match(lines[place])
        if found is None or OPEN.search(lines[place]):
            continue
        sign = 1 if found["yes"] else -1
        asks = lines[place - 1].rstrip().endswith("?")
        if asks and not _BUT_ASKS.search(lines[place - 1]):
            continue
        is_last = place == len(lines) - 1 and found["on"]
        # "Yes, it is higher there" only affirms what was said before.
        fitting = {sign, 0} if asks or (found["verb"] or "").lower() == question.auxiliary else {sign}
        if (asks or is_last) and side_of(question, lines[place]) in fitting:
            return sign
    return 0


def _advises(question: Question, clause: str) -> bool:
    """Whether the clause only says what to read or ask; not where that is what was asked."""
    found = _ADVICE.search(clause)
    return found is not None and not word_stems(found[0].split()[-1]) & question.stems


def _says_of_others(question: Question, clause: str) -> bool:
    """Whether the clause tells what others say; "universities should consider it" does not, where that is asked."""
    found = OTHERS.search(_CONDITION.sub("", clause))
    return found is not None and not word_stems(found[0].split()[-1]) & question.stems
