"""The options that a question marks with letters or numbers."""

import re
from collections.abc import Sequence

from folkmoot.analysis.question import ASKED_LAST, AUXILIARIES, LEADING, MANNER, trimmed

#: What marks options, each in its order.
_MARKS = ("ABCDEFGH", "123456789", ("I", "II", "III", "IV", "V", "VI", "VII", "VIII"), "PQRS", "WXYZ", "XYZ")
#: One that marks an option: `A)`, `(b)`, `[C]`, `C.`, `2)`, `ii.`, `Option D:`, `E -`, `F =`.
_MARK = re.compile(
    r"(?:(?<=[\s,;/])|^)(?:[(\[<#]?(?:(?:option|choice)\s+)?(?P<key>[A-HP-SW-Z1-9]|[IV]{1,4})(?:[)\].:>/]+\s*(?=\S)|(?<![P-SW-Z])\s+-\s+(?=\S)|(?<![IVP-SW-Z])\s+=\s+(?=\S)))",
    re.IGNORECASE,
)
_MARKED_AFTER = re.compile(
    r"(?P<text>[^,;:?()\[\]\n]+?)\s*[(\[](?P<key>[A-Ha-h]|[1-9])[)\]](?=\s*(?:[,;.?\n]|\bor\b|\band\b|$))"
)
#: A letter without a sign, at the beginning of a line, and such numbers and letters after a colon or a question mark.
_UNSIGNED = re.compile(r"^[ \t]*(?P<key>[A-H])[ \t]+(?=\S)", re.MULTILINE)
_UNSIGNED_INLINE = re.compile(r"(?<=[:?,\w] )(?P<key>(?<=[:?] )[1A]|[2-9B-H])[ \t]+(?=[^\W\d])")
#: Those that begin each part of a list: "Should jets be 1 banned, 2 capped, or 3 left alone?".
_UNSIGNED_PARTS = re.compile(
    rf"(?:\b(?:be|either|we|they|it|{'|'.join(sorted(AUXILIARIES))})\s+(?=[1A])|(?:[,;]\s+(?:or\s+)?|\bor\s+)(?=[2-9B-H]))"
    r"(?P<key>[1-9A-H])\s+(?=[^\W\d])"
)
#: A number before these counts them and marks no option: "Should it be 1 day a week or 2 days a week?".
_COUNTED = re.compile(r"\b(?:\w*[^\Wsu]s|(?:wo)?men|people|children|feet|(?:per ?)?cent|[mb]illion|thousand|[ap]m)\b")
_MORE_OF_IT = re.compile(r"\s+(?:an?|and|per|of|in|at|on|to|for|with|by|from)\s")


def signed(query: str) -> dict[str, str]:
    """The options by their letters or numbers that have a sign, or a line, of their own: "A) tea", "(2) coffee"."""
    return _marked_after(query) or _marked(query, _MARK) or _marked(query, _UNSIGNED)


def unsigned(query: str) -> dict[str, str]:
    """The options by letters or numbers that stand bare in running text: "Which first: A tea B coffee?"."""
    return _marked(query, _UNSIGNED_INLINE) or _marked_parts(query)


def _marked_after(query: str) -> dict[str, str]:
    """The options of a list that has each mark behind its option: "low-carb (A), vegan (B)"."""
    found = list(_MARKED_AFTER.finditer(query))
    keys = [one["key"].upper() for one in found]
    if len(keys) < 2 or keys[0] not in {"A", "1"} or keys != [chr(ord(keys[0]) + at) for at in range(len(keys))]:
        return {}
    return {key: trimmed(LEADING.sub("", one["text"].strip())) for key, one in zip(keys, found, strict=True)}


def _marked(query: str, mark: re.Pattern[str]) -> dict[str, str]:
    """The options that letters or numbers mark, in order; the text of each goes to the next mark or line of its own."""
    found = list(mark.finditer(query))
    marks = max((_in_order(found, order) for order in _MARKS), key=len)
    if len(marks) < 2:
        return {}
    ends = [mark.start() for mark in marks[1:]] + [len(query)]
    texts = [query[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    if all(query[: mark.start()].rpartition("\n")[2].strip() == "" for mark in marks):
        texts[-1] = texts[-1].strip().split("\n")[0]
    # What follows the last option in a paragraph of its own is none of it.
    texts[-1] = re.split(r"\n\s*\n|(?<=[.?!])\s+(?=[A-Z])|\?\s", texts[-1].strip())[0]
    return {mark["key"].upper(): trimmed(text) for mark, text in zip(marks, texts, strict=True)}


def _marked_parts(query: str) -> dict[str, str]:
    """The options of a last sentence with a mark before each part of its list, unless these numbers count."""
    asked = re.split(r"(?<=[.?!])\s+", ASKED_LAST.sub("", MANNER.sub("", query.strip())))[-1]
    marked = _marked(asked, _UNSIGNED_PARTS)
    others = [_MORE_OF_IT.split(text)[0] for text in [*marked.values()][1:]]
    is_counted = "1" in marked and all(map(_COUNTED.search, others))
    is_list = all(text and not re.search(r"\bor\b", text) for text in marked.values())
    return marked if is_list and not is_counted else {}


def _in_order(found: Sequence[re.Match[str]], order: Sequence[str]) -> list[re.Match[str]]:
    """Those of the marks that follow each other in this order, from its first one on."""
    marks: list[re.Match[str]] = []
    for mark in found:
        key = mark["key"].upper()
        if key == order[0] and len(marks) < 2:
            marks = [mark]
        elif marks and len(marks) < len(order) and key == order[len(marks)]:
            marks.append(mark)
    return marks
