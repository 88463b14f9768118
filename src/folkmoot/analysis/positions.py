"""Which side one clause takes on a yes-or-no question: the signs of its words, multiplied."""

import re

from folkmoot.analysis import question as asking
from folkmoot.analysis import stance_words as words
from folkmoot.analysis.asked import Question, direction_of, word_stems
from folkmoot.analysis.comparing import alike, swapped
from folkmoot.analysis.cues import opposite_stems
from folkmoot.analysis.orders import imperative, ordered
from folkmoot.analysis.weighing import weighed

_MODAL = re.compile(
    r"\b(?:should|must|ought|shall|needs? to|need(?! for)|demands?|has to|have to|deserves?|had better|supposed to|it is time)\b",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    r"\b(?:may|might|could|can|perhaps|maybe|possibly|sometimes|in some cases)\b(?! not)", re.IGNORECASE
)
#: Speaks of the question itself without naming it.
_IT = re.compile(
    r"\b(?:it|this|that|they|them|so|such|these|those|do so|doing so|the (?:idea|proposal|practice|measure|policy|plan|step|case|move|rule|law|claim|statement|right|answer))\b",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"^\W*(?:some|others|certain|a few|several|many|not (?:all|every\w*)|only some|most)\b(?! (?:i|we)\b)",
    re.IGNORECASE,
)
_PRONOUN_FIRST = re.compile(
    r"^\W*(?:\w+ly )?(?:(?:i|we)\b[^,]*? (?:that )?)?(?:it|this|that|they) (?:is|are|does|do|can|will|would|has|have|was|were|makes?)\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(r"\W*(?:is|are|was|were|would|will|should|must|can not)\b", re.IGNORECASE)
_TOO = re.compile(r"\btoo \w+", re.IGNORECASE)
_MIGHT = re.compile(r"\b(?:may|might|perhaps|maybe|possibly|sometimes|in some cases)\b", re.IGNORECASE)
_REMAINS = re.compile(
    r"\b(?:remain|stay)s? (?=\w*(?:opposed|against|convinced|sceptical|skeptical|in favou?r|doubtful))", re.IGNORECASE
)
_TIPS = re.compile(r"\b(?:tips?|tilts?|leans?|comes? down|points?|evidence|balance|scales?)\b", re.IGNORECASE)
_DOES = re.compile(
    r"\b(?:should|must|ought to|shall) (?:\w+ly )?(?:be|do (?:so|it|this|that)|have (?:it|this|that|one|a say|access))\W*(?:$|by|at|on)|\bgo ahead\b|\bhappen\b|\b(?:should|must|ought to) exist\b",
    re.IGNORECASE,
)
_NOT_THAT = re.compile(
    r"^\W*not\b(?! \w+ing\b[^,;]* (?:is|was|would be|seems)\b)(?! (?:only|just|all|every))", re.IGNORECASE
)
_WANTS = re.compile(r"\b(?:i|we)(?:'d| would| want| will|'ll)\b", re.IGNORECASE)
_ME = re.compile(r"\b(?:i|we|my|me|our)\b", re.IGNORECASE)
#: Leave that is given, and no doubt: "it may rightly be asked".
_RIGHTLY = re.compile(r"\bmay (?=(?:legitimately|rightly|properly|rightfully|justly)\b)", re.IGNORECASE)
#: Whose deeds are an example: "a humane society would allow it".
_A_GOOD_ONE = re.compile(
    r"^\W*(?:an?|any|every) (?:\w+ )?(?:society|state|country|democracy|government|person|people|law|system|world) would\b",
    re.IGNORECASE,
)
_FREEDOM = re.compile(r"\b(?:right|freedom|choice|option|liberty|exemption)\b", re.IGNORECASE)
#: A condition, and a reason: what follows is no answer.
_TAIL = re.compile(
    r"\b(?:if|unless|provided|providing|as long as|so long as|whenever|until|depending|in case|assuming|because|since|as it|as they|"
    r"given that|so that|in order to|although|though|while|whereas|even if|despite|except|apart from|than|due to|thanks to|when|where)\b.*",
    re.IGNORECASE | re.DOTALL,
)
#: How it would have to be done, if at all: "Any tax would have to be designed with care."
_HOW = re.compile(
    r"(?:\b(?:would|will) (?:\w+ly )?(?:have|need) to|^\W*(?:any|whatever|every|such|an?) (?:\w+ ){1,4}?(?:should|must|ought to|needs? to|has to|have to)) (?:\w+ly )?be "
    r"(?:\w+ly )?(?:designed|crafted|drafted|worded|implemented|phased|accompanied|monitored|evaluated|reviewed|managed|handled|planned|weighed|considered|balanced|scheduled|negotiated|funded|tailored|calibrated|enforced|worked out)\b",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"\b(?:whether|how far|how much|to what extent|or not)\b|\?", re.IGNORECASE)
#: "They will", "I believe it is not": the question's verb is not said again.
_ELLIPSIS = re.compile(
    r"\b(?:it|this|that|they|we|you|i|he|she|one|people)\s+(?:\w+ly\s+|already\s+|still\s+|also\s+|now\s+|always\s+)?(?:is|are|am|does|do|can|will|would|should|must|has|have|ought to|shall)"
    r"(?P<not>\s+(?:\w+ly\s+)?not|\s+never)?(?:\s+(?:be(?: there)?|do so|do it|do that))?(?:\s+(?:indeed|\w+ly|at all|in my view|so))?\W*$",
    re.IGNORECASE,
)
_SO = re.compile(
    r"^\W*(?:and |but |so )?(?:i|we)\b[^.]*?\b(?:think|believe|say|suppose|guess|hope|imagine|suspect|reckon|expect|fear|afraid)\s+(?P<what>so|not)\W*(?:$|\bin\b|\bat\b|\bto\b)",
    re.IGNORECASE,
)
_NO_BUSINESS = re.compile(r"\b(?:has|have) no (?:business|place|call|authority|mandate|right)\b", re.IGNORECASE)
#: What may be is an answer where the writer gives the leave: "In my view they may look at it."
_THEY_MAY = re.compile(
    r"\b(?:in my (?:view|opinion)|i (?:think|believe)(?: that)?),? (?:they|he|she|it|we|one|you) may(?P<not> not)?\b",
    re.IGNORECASE,
)
_POSITIVE = re.compile(r"\bwithout\b|\b(?:have|has|had|with) no\b(?! (?:place|right|business|need))", re.IGNORECASE)
#: Which way something should go: "It needs to go up."
_GOES = re.compile(r"\b(?:go|come|be brought|be moved|move) (?:up|down|higher|lower)\b", re.IGNORECASE)
#: So short a judgement is one of what was asked: "Snooping is wrong."
SHORTEST_JUDGEMENT = 4
#: So much of the question's words must come again for a statement about what is.
LEAST_SHARED, LEAST_SHARED_DENIED = 0.6, 0.3


def side(question: Question, clause: str) -> int:
    """1 for yes, -1 for no, 0 where the clause takes no side."""
    return (-1 if question.denies else 1) * _side_on_the_deed(question, clause)


def _side_on_the_deed(question: Question, clause: str) -> int:
    """The side on what is asked about, whether the question has a `not` or none."""
    is_alike = alike(question.told, clause)
    clause = question.without_its_turns(clause)
    if is_alike or _HOW.search(clause) or _WHETHER.search(clause) or _SOME.match(clause):
        return 0
    if swapped(question.told, clause):
        return -_turns(clause)
    if question.weighed and question.weighed.lower() in clause.lower():
        return _turns(clause)
    said = _RIGHTLY.sub("should ", _REMAINS.sub("am ", words.IDLE.sub(" ", _TAIL.sub("", clause))))
    if not said.strip():
        return 0
    if found := _SO.match(said):
        return (-1 if found["what"] == "not" else 1) * _turns(said[: found.start("what")])
    if found := _ELLIPSIS.search(said):
        if _MAYBE.search(found[0]) and not question.admits_can:
            return 0
        return _turns(said) * (-1 if words.AGAINST.search(said) else 1)
    if order := _leave(question, clause) or ordered(question, said):
        return order
    if (sign := weighed(question, clause, said)) is not None:
        return sign * _turns(said)
    if _NOT_THAT.match(said) and word_stems(said) & question.stems:
        return -1
    # "Nothing can justify it" leaves nothing open.
    is_flat = _turns(said) < 0 and not _MIGHT.search(said)
    if _MAYBE.search(said) and not question.admits_can and not is_flat:
        return 0
    return _by_words(question, said)


def _leave(question: Question, clause: str) -> int:
    """The sign of leave that the writer gives or refuses, where that was asked."""
    found = _THEY_MAY.search(clause) if words.PERMITS.search(question.text) else None
    return 0 if found is None else -1 if found["not"] else 1


def _by_words(question: Question, said: str) -> int:
    """The product of the signs, where anything in the clause takes a side at all."""
    ours = word_stems(said)
    against = opposite_stems(
        asking.stems(question.told) - asking.stems(said), asking.stems(said) - asking.stems(question.told)
    )
    shared = (len(question.stems & ours) + len(against)) / max(1, len(question.stems))
    refers = (
        bool(
            _IT.search(said)
            or _TOO.search(said)
            or (_VERB_FIRST.match(said) and (question.action > 0 or _MODAL.search(said)))
        )
        or shared > 0
    )
    sign = _turns(said) * _power(words.AGAINST, question.without_its_refusals(said))
    acts = _action(question, said)
    sided = bool(words.AGAINST.search(said) or words.FOR.search(said))
    by_me = (bool(_ME.search(said)) or bool(_TIPS.search(said))) and bool(sided or acts)
    said = question.apart_from_subject(said)
    values = _power(words.BAD, said)
    valued = bool(words.BAD.search(said) or words.GOOD.search(said))
    if question.is_ought:
        if _NO_BUSINESS.search(said) and not words.PERMITS.search(question.text):
            return -(acts or 1) * _turns(_NO_BUSINESS.sub(" ", said))
        if question.direction and _MODAL.search(said) and _GOES.search(said) and refers:
            return sign * direction_of(said) * question.direction
        refers = refers or (values < 0 and len(said.split()) <= SHORTEST_JUDGEMENT)
        decides = (
            by_me
            or (acts and imperative(question, said))
            or (valued and refers)
            or (acts and _A_GOOD_ONE.search(said))
            or (_MODAL.search(said) and (acts or (refers and _is_about(question, said))))
            or words.AGAINST.search(said)
        )
        if not decides or not (refers or acts or by_me):
            return 0
        if not acts and valued and not _IT.search(said) and question.action < 0:
            values *= question.action
        return sign * values * (acts or 1)
    if question.judges and _MODAL.search(said) and refers:
        return sign * values * _power(words.FORBIDS, said) * question.action * question.value
    if question.value:
        effects = _power(words.HARMS, said)
        told = valued or words.HARMS.search(said) or words.HELPS.search(said)
        if told and (refers or (values < 0 and len(said.split()) <= SHORTEST_JUDGEMENT) or not ours - question.stems):
            return sign * values * (effects if not valued else 1) * question.value
        if told and by_me:
            return sign * values * question.value
    if question.direction and not question.value and (turn := direction_of(said)) and (refers or shared):
        return sign * turn * question.direction
    holds = by_me or words.HOLDS.search(said) or words.AGAINST.search(said)
    if holds and (
        _IT.search(said)
        or shared >= 0.5
        or question.last in ours
        or (by_me and sided and shared)
        or len(said.split()) <= 3
    ):
        return sign * (-1 if against else 1)
    # "Organic food is produced without pesticides" denies nothing.
    denies = sign < 0 and _POSITIVE.sub(" ", said) == said
    enough = LEAST_SHARED_DENIED if denies or against else LEAST_SHARED
    # "The ethics of meat has occupied many" judges nothing.
    is_told = shared >= enough and (valued or not question.judges)
    if is_told or (shared and _PRONOUN_FIRST.match(said)):
        return sign * (-1 if len(against) % 2 else 1)
    return 0


def _is_about(question: Question, said: str) -> bool:
    """Whether what should be is what the question asks for, or is denied: "parents should respect it" is neither."""
    if _turns(said) < 0 or words.AGAINST.search(said):
        return True
    return bool(word_stems(said) & question.stems - question.subject) or bool(_DOES.search(said))


def _action(question: Question, said: str) -> int:
    """The sign of what the clause would have done, by that of what the question would; 0 where it names nothing to do."""
    if words.LEAVES.search(said):
        return 1 if words.PERMITS.search(question.text) else -1
    if words.KEEPS.search(said):
        is_kept = words.KEEPS.search(question.text) or (_FREEDOM.search(said) and words.PERMITS.search(question.text))
        return 1 if is_kept else -1
    if question.requires:
        return -1 if words.FORBIDS.search(said) else 1 if words.REQUIRES.search(said) else 0
    sign = 0
    for pattern, own in ((words.PERMITS, 1), (words.FORBIDS, -1)):
        if count := len(pattern.findall(said)):
            sign = (sign or 1) * own**count
    if not sign and (_WANTS.search(said) or imperative(question, said)) and word_stems(said) & question.stems:
        return 1
    return sign * question.action


def _turns(said: str) -> int:
    return _power(words.TURNS, said)


def _power(pattern: re.Pattern[str], said: str) -> int:
    return -1 if len(pattern.findall(said)) % 2 else 1
