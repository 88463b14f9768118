"""What a clause orders: "Do it.", "Make it free.", "Lower it at once."."""

# ruff: noqa: E501

import re

from folkmoot.analysis import stance_words as words
from folkmoot.analysis.asked import Question, word_stems

#: "Do it.", "Please do not."
_DO = re.compile(
    r"^\W*(?:please |just |then |simply |so |by all means |and )*(?:do(?P<not> not| never)?(?: (?:do )?(?:it|so|this|that))?|go (?:ahead|for it))\W*$",
    re.IGNORECASE,
)
#: "Make it free."
_MAKE = re.compile(
    r"^\W*(?:please |so )?(?P<not>do not )?(?:make|keep|let) (?:it|them|this|that) (?P<what>[\w -]+?)\W*$",
    re.IGNORECASE,
)
_DO_NOT = re.compile(r"^\W*(?:please )?(?:do not|never) ", re.IGNORECASE)
#: Has a verb that only tells: "Police work is demanding" orders nothing.
_TELLS = re.compile(r"\w (?:is|are|was|were|has|have|does)\b", re.IGNORECASE)
#: An order is short: "Lower it at once."
LONGEST_ORDER = 5


def ordered(question: Question, said: str) -> int:
    """The sign of an order without its verb, "Do it.", or with the question's end: "Make it free."."""
    if (found := _MAKE.match(said)) and question.last not in word_stems(found["what"]):
        found = None
    if found is None and question.is_ought:
        found = _DO.match(said)
    return 0 if found is None else -1 if found["not"] else 1


def imperative(question: Question, said: str) -> bool:
    """Whether it begins with what is to be done, or not to be."""
    said = _DO_NOT.sub("", said)
    first = " ".join(said.split()[:1])
    # Nor do a verb's noun and a plural order anything: "Smartphones connect children".
    if first.lower().endswith("ing") or re.search(r"[^s]s$", first.lower()):
        return False
    acts = words.PERMITS.search(first) or words.FORBIDS.search(first) or words.KEEPS.search(first)
    # "Sugar contributes" orders nothing.
    goes_on = said.split()[1:2]
    is_order = (
        len(said.split()) <= LONGEST_ORDER and not _TELLS.search(said) and not (goes_on and goes_on[0].endswith("s"))
    )
    return bool(acts) or bool(is_order and word_stems(first) & question.stems - question.subject)
