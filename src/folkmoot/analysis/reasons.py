"""What a sentence says of reasons: that there is none, none against, no harm, or that objections do not convince."""

# ruff: noqa: E501

import re

from folkmoot.analysis import stance_words as words
from folkmoot.analysis.asked import Question, word_stems

#: A reason is denied, or one against.
_REASON = re.compile(
    r"\b(?:no|little|(?:hard|difficult|hard[- ]pressed|struggle|struggling) to (?:find|see|think of|imagine|come up with) (?:a|an|any|one)|not (?:see|find|think of|know of|know|have|imagine) (?:of )?(?:a|an|any|one|much))\b(?: [\w-]+){0,3}? (?:reasons?|arguments?|grounds?|justification|excuses?|case|objections?|evidence|proof|basis|grounds?)\b"
    r"(?P<against> (?:why )?(?:(?:\w+ ){0,3}not\b|against\b)| to (?P<ends>object|oppose|refuse|forbid|ban|reject|prohibit|stop)\b)?",
    re.IGNORECASE,
)
_OBJECTION = re.compile(r"\bobjections?\b", re.IGNORECASE)
#: "I don't see a problem with one cup a day."
_NO_HARM = re.compile(
    r"\b(?:no|not (?:see|find|have|imagine|think there is) (?:a|an|any|the|much of a|much)) (?:\w+ )?(?:problem|harm|issue|danger|downside|drawback|fault)s?\b(?= (?:with|in|here)\b|\W*$)",
    re.IGNORECASE,
)
_UNCONVINCING = re.compile(
    r"\b(?:not|hardly) (?:\w+ )?(?:find|consider|think) (?:the |these |those |such |any of the )?(?:\w+ )?(?:(?P<against>objections?|counter-?arguments?|criticisms?|concerns?|worries|arguments? against [\w ]+?|case against [\w ]+?)|"
    r"(?:arguments? (?:for|in favou?r)[\w ]*?|case for [\w ]+?)) (?:\w+ )?(?:convincing|persuasive|compelling|strong|plausible)\b|"
    r"\b(?:case|arguments?|objections?|reasons?) (?:(?P<con>against)|for|in favou?r)\b[^.]*\b(?:fails? to|do not|does not|did not|never) (?:\w+ly )?(?:convince|persuade|sway|satisfy|move|impress)\b",
    re.IGNORECASE,
)


def reasoned(question: Question, line: str) -> int:
    """1 for yes, -1 for no, 0 where the line says nothing of reasons."""
    return _reason(question, line) or _no_harm(question, line) or _unconvincing(line)


def _reason(question: Question, line: str) -> int:
    """1 for "I can think of no reason not to", -1 for "I see no reason to", which is left to the clause where it goes on."""
    found = _REASON.search(line)
    if not found:
        return 0
    against = bool(found["against"]) != bool(_OBJECTION.search(found[0]))
    if found["ends"] and question.action < 0:
        return -1
    if against and word_stems(line[found.end() :]) & question.stems:
        return 1
    goes_on = re.sub(
        r"^\W*(?:to(?: do (?:so|it|that))?|for (?:it|that|this)|doing (?:so|it|that|this))?\W*", "", line[found.end() :]
    )
    return 0 if goes_on else 1 if against else -1


def _no_harm(question: Question, line: str) -> int:
    """The sign of "I see no problem with it", and against the question's ban; "no harm in abolishing it" is for it again."""
    found = _NO_HARM.search(line)
    if not found:
        return 0
    return (question.value or question.action) * (-1 if words.FORBIDS.search(line[found.end() :]) else 1)


def _unconvincing(line: str) -> int:
    """The sign of "I don't find the objections convincing", and of the like about arguments in favour."""
    found = _UNCONVINCING.search(line)
    return 0 if found is None else 1 if found["against"] or found["con"] else -1
