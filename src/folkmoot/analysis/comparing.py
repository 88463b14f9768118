"""What a clause says of two that the question compares: that they are alike, or that it is the other way round."""

import re

from folkmoot.analysis.asked import word_stems

#: Of two that the question compares neither is more.
_ALIKE = re.compile(r"\b(?:equal(?:ly)?|the same|just as|as \w+ as|neither)\b", re.IGNORECASE)
_COMPARED = re.compile(r"\b(?:more \w+|better|worse|\w{3,}er)(?= than\b)", re.IGNORECASE)


def alike(asked: str, clause: str) -> bool:
    """Whether two are compared, and the clause says that neither is more."""
    return " than " in asked and bool(_ALIKE.search(clause))


def swapped(asked: str, clause: str) -> bool:
    """Whether what was asked of one in comparison with another is said of the other."""
    if " than " not in asked:
        return False
    ours, theirs = (word_stems(part) for part in asked.split(" than ", 1))
    if " than " in clause:
        said, other = (word_stems(part) for part in clause.split(" than ", 1))
        return bool(said & (theirs - ours)) and bool(other & (ours - theirs))
    compared = _COMPARED.search(asked)
    if compared is None or not re.search(rf"\b(?:is|are|works?) {compared[0]}\b", clause):
        return False
    said = word_stems(clause)
    return bool(said & (theirs - ours)) and not said & (ours - theirs - word_stems(compared[0]))
