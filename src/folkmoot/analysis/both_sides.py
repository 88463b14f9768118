"""Whether a response answers yes and no at once: each for a case of its own, each with reasons, or in so many words."""

# ruff: noqa: E501

import re
from collections.abc import Sequence

from folkmoot.analysis.undecided import OPEN

#: "Both yes and no", "a yes and a no", "neither yes nor no".
_AT_ONCE = re.compile(
    r"\b(?:both|equally|at once|simultaneously|at the same time|neither)\b[^.;]{0,20}?[\"']?\b(?P<one>yes|no)\b[\"']?,? (?:and|nor|or)(?: also| equally| an?)* [\"']?(?!(?P=one))(?:yes|no)\b|\ban? [\"']?(?P<a>yes|no)[\"']? and an? [\"']?(?!(?P=a))(?:yes|no)\b"
    r"|\bmy \w+ (?:says|tells me)(?: to say)? (?P<c>yes|no)\b[^.;]*\bmy \w+ (?:says|tells me)(?: to say)? (?!(?P=c))(?:yes|no)\b(?!.*\bso\b)"
    r"|\b(?P<b>yes|no)[\"']? and [\"']?(?!(?P=b))(?:yes|no)[\"']?(?=\W*$| (?:at|are|can|both)\b)"
    r"|\bboth (?:answers|positions|sides|views|yes and no)\b[^.]*\b(?:equally|justified|defended|defensible|right|correct|valid|merit|merits|true|possible)\b",
    re.IGNORECASE,
)
#: What gives an answer its case or its reason, before it or behind it.
_CASE = r"(?:if|when|where|wherever|whenever|for|from|in|on|with|under|among|as long as|provided|because|since|as|insofar|inasmuch|so far as|by|at|to|without|unless)"
_BEHIND = re.compile(
    rf"(?:^|[,;:]|\b(?:is|be|say|answer|and|but|then|would|it)\b)\W*(?:an? |also )?(?P<word>yes|no)[\"']?,? {_CASE}\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"^\W*(?:and |but |while |whereas |however,? )*{_CASE} (?!(?:my|our|general|short|sum|summary|conclusion|me|most (?:cases|people)|the (?:end|whole)|these reasons|this reason|that reason|all (?:these|those))\b)(?!(?:i|one|we|you) (?:had|have|has|were|must|was)\b)[^.;]{{2,}}?[,:-]? ?\b(?:then |(?:(?:the|my) )?(?:answer|verdict|response) (?:is|would be|becomes|must be|should be) |it (?:is|would be|becomes) (?:an? )?|i(?: would|'d) (?:say|answer) |(?<=[,:-] ))[\"']?(?P<word>yes|no)\b",
    re.IGNORECASE,
)
#: Two schools may be asked in turn: "A utilitarian would say yes, a libertarian would say no".
_SOMEBODY = re.compile(
    r"^\W*(?:an?|one|the) (?:\w+ )?(?:would|could|might|can|may) (?:\w+ly )?(?:say|answer|argue|reply)(?: for| with)?(?: an?)? [\"']?(?P<word>yes|no)\b",
    re.IGNORECASE,
)
#: One of the two as a thing: "Yes has appeal", "Yes: …", "There are reasons to say no".
_NAMED = re.compile(
    r"^\W*(?:an? )?(?P<word>yes|no)[\"']?(?: (?:has|would|could|can|is|seems|may|might|looks)\b|\s*:)|"
    r"^.*\b(?:reasons?|arguments?|case|grounds?|one (?:could|can|might|may)|you (?:could|can|might|may)|possible|tempting)(?: \w+){0,2}? (?:say|answer|saying|answering|for|reply)(?: an?)? [\"']?(?P<said>yes|no)\b",
    re.IGNORECASE,
)
#: What the writer says in their own name.
_MINE = re.compile(
    r"\b(?:i (?:say|vote|come|lean|side|conclude|opt)|my (?:own )?(?:answer|vote|view|verdict|conclusion))\b",
    re.IGNORECASE,
)
#: "…, but my answer is no": that decides it.
_AFTER_ALL = re.compile(
    r"\bbut (?:my (?:own )?(?:answer|vote|view|verdict)|i (?:say|vote|would say)) [^.]*\b(?:yes|no)\W*$", re.IGNORECASE
)
_PART = re.compile(
    r"(?:[,;]|(?<=\w)) (?:and|but|while|whereas|yet)(?=,? )|[,;] (?=(?:if|when|where|for|from|in|an?|one) )",
    re.IGNORECASE,
)
#: Says which of the two it is after all.
_DECIDES = re.compile(
    r"\b(?:on balance|overall|in the end|ultimately|all things considered|all in all|on the whole|therefore|thus|so|still|my (?:own )?(?:answer|view|vote|verdict|position|conclusion)|i(?:'d| would| come| lean| side| vote| conclude| say| think| believe| am))\b",
    re.IGNORECASE,
)


def on_both_sides(lines: Sequence[str]) -> bool:
    """Whether it answers both yes and no, and does not decide between them afterwards."""
    words: dict[str, int] = {}
    for place, line in enumerate(lines):
        if found := _AT_ONCE.search(line):
            if _MINE.search(line[found.end() :]):
                return False
            words |= {"yes": place, "no": place}
            continue
        if _AFTER_ALL.search(line):
            return False
        for part in (line, *_PART.split(line)):
            if found := _BEFORE.match(part) or _SOMEBODY.match(part) or _BEHIND.search(part):
                if _MINE.search(part[: found.start("word")]) and not _BEFORE.match(part):
                    return False
                words[found["word"].lower()] = place
            if found := _NAMED.match(part):
                words[(found["word"] or found["said"]).lower()] = place
    return len(words) == 2 and not any(
        _DECIDES.search(line) and not OPEN.search(line) for line in lines[max(words.values()) + 1 :]
    )
