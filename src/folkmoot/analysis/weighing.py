"""What a clause weighs: gains against losses, and what a proposal would achieve."""

# ruff: noqa: E501

import re

from folkmoot.analysis.asked import Question

_WEIGHS = re.compile(
    r"\b(?P<what>benefits?|advantages?|gains?|pros|good|positives|case for|arguments for|upsides?|merits|value|harms?|risks?|costs?|drawbacks?|downsides?|cons|disadvantages?|dangers?|damage|negatives|"
    r"arguments against|case against|problems?|objections?)\s+(?:\w+\s+){0,6}?(?:outweighs?|prevails?|overrides?|trumps?)\b",
    re.IGNORECASE,
)
#: "The risks are overblown", "the benefits are unproven".
_PLAYED_DOWN = re.compile(
    r"\b(?:(?P<loss>risks?|harms?|dangers?|costs?|concerns?|worries|fears?|downsides?|drawbacks?|objections?|side effects)|"
    r"(?P<gain>benefits?|advantages?|merits?|upsides?|gains?)) (?:is|are|seems?|remains?) (?:\w+ )?"
    r"(?:exaggerated|overblown|overrated|overstated|negligible|manageable|small|minor|minimal|unfounded|unproven|modest|tiny)\b",
    re.IGNORECASE,
)
_GAIN = re.compile(r"benefit|advantage|gain|pros|good|positive|for$|upside|merit|value", re.IGNORECASE)
_LOSS = re.compile(
    r"harm|risk|cost|drawback|downside|cons|disadvantage|danger|damage|negative|against$|problem|objection",
    re.IGNORECASE,
)
#: "I see more advantages than drawbacks."
_MORE_OF = re.compile(
    r"(?<!\bdo )(?<!\bdoes )(?<!\bdone )(?<!\bdoing )\b(?:more|greater|larger|bigger) (?P<what>advantages|benefits|pros|upsides|merits|gains?|good|disadvantages|drawbacks|cons|downsides|risks|costs|problems|harm) than (?:\w+ )?"
    r"(?:advantages|benefits|pros|upsides|merits|gains?|good|disadvantages|drawbacks|cons|downsides|risks|costs|problems|harm)\b",
    re.IGNORECASE,
)
#: What is proposed is of no use: "That would not solve anything."
_DOES_NOTHING = re.compile(
    r"^\W*(?:(?:i|we) (?:think|believe|fear) )?(?:it|that|this|(?:such )?an? \w+|(?:banning|doing) \w+) (?:would|will|does|is|can|could)(?: simply| just)? not (?:really |even |actually )?"
    r"(?:solve|help|change|achieve|accomplish|fix|work|make (?:any |much |a )?(?:difference|sense)|going to (?:help|work|solve|change))\b",
    re.IGNORECASE,
)


def weighed(question: Question, clause: str, said: str) -> int | None:
    """The sign of what the clause weighs, its negations aside; 0 where it takes no side, None where it weighs nothing.

    Args:
        question: what was asked.
        clause: the clause, with what follows its "than".
        said: the clause without conditions and reasons.
    """
    asked = question.value or question.action
    if found := _WEIGHS.search(said):
        gain, loss = _GAIN.search(found["what"]), _LOSS.search(found["what"])
        return asked * (1 if gain and not loss else -1 if loss else 0)
    if found := _MORE_OF.search(clause):
        return asked * (1 if _GAIN.search(found["what"]) else -1)
    if question.is_ought and _DOES_NOTHING.search(said):
        # Its "not" is one of the negations.
        return 1
    if found := _PLAYED_DOWN.search(said):
        return asked * (1 if found["loss"] else -1)
    return None
