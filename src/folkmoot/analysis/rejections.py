"""What a clause with options says of its own subject: that it is not the answer, will not help, or has to wait."""

# ruff: noqa: E501

import re
from collections.abc import Sequence

_NOT = r"(?:n't| not| never)(?: (?:\w+ly|also|even|either|the|an?|my|our|much of an?|by itself|alone|that|very|always|all that|enough of an?)){0,3}"
_SUBJECT_REJECTED = re.compile(
    rf"\b(?:is|are|was|were|(?:would|will|can|could|should|may|might)(?:n't| not)? be|be){_NOT} (?:(?:right|best|good|correct|first|top|main|real|lasting|permanent|long-term|viable|proper|ideal|appropriate|wise|only|real|full|whole|most|more|strongest|\w+est) )*"
    r"(?:answers?|solutions?|options?|choices?|ways?|approach(?:es)?|fix(?:es)?|priority|priorities|steps?|place|measures?|remed(?:y|ies)|principles?|candidates?|responses?|means|methods?|cures?|first|best|right|wise|enough|sufficient|acceptable|needed|necessary|justified|effective|realistic|feasible|viable|appropriate|fair|helpful|suitable|worth|wanted|urgent|important|convincing|convinced|as|so)\b"
    r"|\b(?:should|must|ought|need)(?:n't| not| never) (?:to )?(?:(?:play|decide|determine|factor|enter|drive|dictate|influence|trump|outrank)\b|be(?! (?:ignored|overlooked|underestimated|dismissed|neglected|forgotten|discounted|rejected|omitted|left out|taken lightly|missed)\b)|come|take|have|get|go|win|rank|count|matter)\b"
    rf"|\b(?:should|must|ought to|needs? to)(?:n't| not| never)\W*$"
    rf"|\b(?:does|do|did|will|would|wo|can|could|ca){_NOT}(?:not)? (?:help|work|solve|fix|address|stop|suffice|do|replace|cure|change|reduce|improve|achieve|make|tackle|deal|last|scale|go far|get|convince|persuade|appeal|qualify|count|matter|seem|strike|look|either|come|belong|deserve)\b"
    r"|\bcannot (?:help|work|solve|fix|stop|suffice|do|replace|cure|be (?!ignored|overlooked|underestimated|beaten))\b"
    r"|\b(?:is|are|was|were|being) (?:clearly |simply |therefore |also |thus )?(?:out\b|ruled out|excluded|eliminated|off the table|(?:only |just |merely |at best )?(?:temporary|a (?:temporary|short-term|stopgap|partial|distraction))|secondary|too \w+|less (?:\w+)|the (?:least(?! bad)|worst|weakest|wrong)|a distraction|no (?:answer|solution|option|substitute|use|good|help|fix))\b"
    r"|\b(?:can|could|may|should|will|must|would) (?:\w+ )?(?:wait|come (?:later|afterwards|second|next|last|after))\b|\b(?:fails?|falls short|comes? (?:later|second|last|next))\b",
    re.IGNORECASE,
)
#: Stands for the subject of the clause before.
_PRONOUN = re.compile(r"\W*(?:it|this|that|they|these|those)\W*", re.IGNORECASE)
#: What the clause prefers to its subject: "B is not as good as A".
_PREFERS = re.compile(r"\b(?:as|so) \w+ as\b(?P<other>.*)", re.IGNORECASE | re.DOTALL)


def without_rejected_subjects(clauses: Sequence[str]) -> list[str]:
    """The clauses without those that reject their subject, nor what "it" stands for in them."""
    kept: list[str] = []
    for clause in clauses:
        found = _SUBJECT_REJECTED.search(clause)
        if found is None or not clause[: found.start()].strip():
            kept.append(clause)
            continue
        if _PRONOUN.fullmatch(clause[: found.start()]):
            kept = kept[:-1]
        if preferred := _PREFERS.search(clause[found.start() :]):
            kept.append(preferred["other"])
    return kept


#: A clause with one of these speaks against what it names.
_BLAMES = re.compile(
    r"\b(?:unfair|unjust|(?<!what is )(?<!what's )(?<!goes )wrong|mistake|disproportionate|excessive|(?:too|very|overly) harsh|dishonest|a shame|a pity|humiliating|unacceptable|worse|worst|discriminat\w+|(?<!most )dangerous|risky|cowardly|ineffective|useless|overpriced|overrated|overblown|cruel|immoral|unethical|illegal|irresponsible|naive|unrealistic|short-?sighted|counterproductive|pointless|futile|outdated|silly|stupid|terrible|awful|barbaric|premature|unnecessary|censorship|crowded|cheating|too \w+|problematic|flawed|unworkable|inadequate|insufficient)\b",
    re.IGNORECASE,
)
#: A condition, and what it would be then: "If the city is dense, A is best".
_CONDITIONAL = re.compile(
    r"^\W*(?:and |but |while |whereas |however,? )*(?:if|when|where|wherever|in|for|with|under|among|from|as long as|provided)\b(?! (?:i|one|we|you|it) (?:ha[ds]?|have|were|was|must|is) (?:to|forced|pressed|pushed|asked)\b)(?! (?:pressed|forced|pushed|asked|in doubt)\b)"
    r"(?! (?:my|our|the|this|that|a|general|short|sum|conclusion|summary|brief|the end|many|most|all|me|both|either) ?(?:view|opinion|experience|end|mind|judge?ment|estimation|eyes|book|case|reasons?|long run|final analysis|absence)?,)(?P<case>[^,:]{2,}?)(?:,| then\b)(?: then)?(?P<then> .*)",
    re.IGNORECASE,
)


def of_cases(line: str) -> tuple[str, str]:
    """The case that the line speaks of, and what it says of that case; nothing where it speaks of none."""
    found = _CONDITIONAL.match(line)
    return (found["case"].strip(), found["then"]) if found else ("", "")


def blames(clause: str, offered: str) -> bool:
    """Whether the clause speaks against what it names, by a word that no option holds: one may be "too much money"."""
    return any(found[0].lower() not in offered for found in _BLAMES.finditer(clause))
