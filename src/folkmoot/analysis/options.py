"""The options that a multiple-choice question offers, however it lists them."""

import re
from collections.abc import Sequence

from folkmoot.analysis.question import AUXILIARIES
from folkmoot.analysis.wording import plain

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
_BULLET = re.compile(r"^[ \t]*[-*•+][ \t]+(\S.*)$", re.MULTILINE)
#: The word that announces a list: "Options: tea, coffee", "Choose between tea and coffee."
_ANNOUNCED = re.compile(
    r"\b(?:(?:the |your |possible |available )?(?:options|choices|answers|alternatives|candidates|possibilities)(?:(?: are| include)\s*:?|\s*[:-])|"
    r"(?:choose|pick|select|decide)(?: one| your answer)?(?: of| from| between| among)?(?: the following| these)?\s*:|(?:choose|pick|select|decide) (?:one )?(?:from|between|among|of)(?! the following| these)|\b(?:between|of|among)(?= (?:[\w-]+ ){1,3}and [\w -]+,))\s*"
    r"(?P<list>[^?\n]+(?:\n(?!\n)[^?\n]+)*)",
    re.IGNORECASE,
)
#: Brackets, a slash between: "(tea / coffee / water)", "[tea, coffee or water]".
_BRACKETED = re.compile(r"[(\[](?P<list>[^()\[\]]*(?:/|,|\bor\b|\|)[^()\[\]]*)[)\]]\W*$")
#: What follows the question and asks for no more than a manner: "Please answer with one word."
_MANNER = re.compile(
    r"(?<=[?.!])\s+(?:please|explain|answer|give|justify|why|state|name|reply|respond|discuss|be|(?:choose|pick|select) (?:one|only|exactly|the)\b|and why|briefly|support|defend|say|argue)\b[^:]*$",
    re.IGNORECASE,
)
#: A question of its own behind the list: "We can hire one: a designer or an engineer. Who?"
_ASKED_LAST = re.compile(r"(?<=\.)\s+(?:so |and |now,? )?(?:which|what|who|where|how)\b[^.?:,;]*\?\s*$", re.IGNORECASE)
#: A letter without a sign, at the beginning of a line, and such numbers and letters after a colon or a question mark.
_UNSIGNED = re.compile(r"^[ \t]*(?P<key>[A-H])[ \t]+(?=\S)", re.MULTILINE)
_UNSIGNED_INLINE = re.compile(r"(?<=[:?,\w] )(?P<key>(?<=[:?] )[1A]|[2-9B-H])[ \t]+(?=[^\W\d])")
#: Dashes that stand before each option of a line: "Which first? - opera - film - festivals".
_DASHED = re.compile(r"[:?]\s+-\s(?P<list>[^\n]+\s-\s[^\n]+)$")
#: After the last option in a list of the question's own words: ", which one would it be".
_ASKED_AFTER = re.compile(r",\s*(?:which|what|who|where|how|should|would|do)\b.*$", re.IGNORECASE | re.DOTALL)
#: Before the question proper: "In a drought, should …"
_SETTING = re.compile(rf"^[^,?]+,\s*(?=(?:{'|'.join(AUXILIARIES)})\b)", re.IGNORECASE)
#: What follows such a setting is the question and no option.
_ASKS = re.compile(r"(?:should|would|could|shall|must|is|are|ought)\b", re.IGNORECASE)
_TIME, _OF_TIME = re.compile(r"(?<=\d):(?=\d)"), "\N{RATIO}"
_SLASHED = re.compile(r"\s*/\s*|\s*\|\s*")
#: After a colon, a question mark, or a dash between spaces: "Which first: tea, coffee or milk?"
_AFTER = re.compile(r"(?:[:?]\s+|:|\s-+\s)(?P<list>[^:?]+?)\s*\??\s*$")
#: Before a dash or a colon: "Tea, coffee or milk - which first?"
_BEFORE = re.compile(r"^(?P<list>[^:?.]+?\b(?:or|vs|versus)\b[^:?.]+?)\s*(?:(?::|\s-+\s|\?)\s*\S|\?$)")
#: A comma before two: "Which is better, tea or coffee?"
_COMPARED = re.compile(r",\s*(?P<list>(?:[^,:?]+,\s*)*?[^,:?]+?,?\s+\bor\b[^,:?]+?)\s*\?*\s*$")
_BETWEEN = re.compile(r"\s*(?:[,;]\s*(?:or|and|versus|vs\.?)\s+|,|;|\n+|\bor\b|\bversus\b|\bvs\b\.?)\s*", re.IGNORECASE)
_SEMICOLON = re.compile(r"\s*[;\n]+\s*")
_PAIRED = re.compile(r"\s+and\s+")
#: What stands before the first option where the question runs into its list: "Should the town build", "Is it better to".
_RUN_IN = re.compile(
    r"^.*?(?:\bwhether (?:it )?to\b|\b(?:better|best|more \w+|prefer\w*|rather|wiser|fairer|cheaper|healthier)(?: (?:to|be|have))?\b|\bbetween\b|\b(?:either|do|doing|have|be|in|on|with|into|for|at|from|by)\b(?=\s))\s*",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^(?:either|and|or|is it|whether)\s+", re.IGNORECASE)
_TRAILING = re.compile(r"[\s,;.?]+(?:or|and)?[\s,;.?]*$", re.IGNORECASE)
#: The most words that an option in a running list has.
LONGEST = 12
#: The first of two that are compared has at most so many.
LONGEST_COMPARED = 8


def options_of(query: str) -> dict[str, str]:
    """The options that a question offers, by their letter, or by their own words where they have none."""
    bullets = [_trimmed(plain(bullet)) for bullet in _BULLET.findall(query)]
    query = plain(query)
    if marked := _marked_after(query) or _marked(query, _MARK) or _marked(query, _UNSIGNED):
        return marked
    if len(bullets) >= 2:
        return {bullet: bullet for bullet in bullets}
    if marked := _marked(query, _UNSIGNED_INLINE):
        return marked
    dashed = _DASHED.search(query.strip())
    parts = {part: part for part in map(_trimmed, dashed["list"].split(" - ")) if part} if dashed else {}
    if len(parts) >= 2:
        return parts
    return {part: part for part in _listed(_MANNER.sub("", query.strip()))}


def _marked_after(query: str) -> dict[str, str]:
    """The options of a list that has each mark behind its option: "low-carb (A), vegan (B)"."""
    found = list(_MARKED_AFTER.finditer(query))
    keys = [one["key"].upper() for one in found]
    if len(keys) < 2 or keys[0] not in {"A", "1"} or keys != [chr(ord(keys[0]) + at) for at in range(len(keys))]:
        return {}
    return {key: _trimmed(_LEADING.sub("", one["text"].strip())) for key, one in zip(keys, found, strict=True)}


def _marked(query: str, mark: re.Pattern[str]) -> dict[str, str]:
    """The options that letters or numbers mark, in their order; the text of each goes to the next mark or line of its own."""
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
    return {mark["key"].upper(): _trimmed(text) for mark, text in zip(marks, texts, strict=True)}


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


def _listed(query: str) -> list[str]:
    """The options of a list in running text, or none."""
    # A time's colon is none that announces a list.
    query = _TIME.sub(_OF_TIME, query)
    stated = _ASKED_LAST.sub("", query)
    is_stated, query = stated != query, stated
    last = [line for line in query.strip().split("\n") if line.strip()][-1:]
    asked = _SETTING.sub("", re.split(r"(?<=[.!])\s+", last[0])[-1]) if last else ""
    if found := _ANNOUNCED.search(query):
        parts = _parts(_ASKED_AFTER.sub("", re.split(r"\.\s|\.$", found["list"])[0]), by_and=True)
        if len(parts) >= 2:
            return parts
    for pattern, text in ((_BRACKETED, query), (_BEFORE, asked), (_AFTER, query), (_COMPARED, query)):
        parts = _parts(found["list"]) if (found := pattern.search(text)) else []
        if not found or len(parts) < 2 or _is_clause(found["list"], parts[0]):
            continue
        if any(_ASKS.match(part) for part in parts[1:]):
            break
        if pattern is not _COMPARED:
            begun = parts[0].split(maxsplit=1)[0].lower() not in _LEADS and _alike(parts[0], parts[1:])
            return [begun or parts[0], *parts[1:]]
        if len(parts[0].split()) <= LONGEST_COMPARED:
            return _whole(asked, parts)
    return _run_in(asked, is_stated=is_stated)


#: A part that begins so is no option but a clause: "When money is short, should we …"
_CLAUSAL = AUXILIARIES | {"when", "if", "where", "who", "which", "what", "how", "why"}


def _is_clause(*begun: str) -> bool:
    return any(word.lower().removesuffix("'s") in _CLAUSAL for part in begun for word in part.split()[:1])


def _whole(asked: str, parts: list[str]) -> list[str]:
    """The options with the first one that stands before the first comma: "Should we build a school, a road or a pool?"."""
    first = asked.split(",", maxsplit=1)[0]
    opens = first.split()[:1]
    if not opens or opens[0].lower() not in AUXILIARIES or "or" in first.lower().split():
        return parts
    begun = _first(first, parts)
    return [begun, *parts] if begun and begun != parts[0] else parts


def _run_in(asked: str, *, is_stated: bool) -> list[str]:
    """The options of a question that names them as it goes, "Is it better to rent or to buy?", or of what stands before one."""
    asks = bool({word.lower() for word in asked.split()[:1]} & AUXILIARIES)
    parts = _parts(asked.strip(" ?."), after=1) if asks or is_stated else []
    if len(parts) < 2:
        return []
    begun = _first(parts[0], parts[1:]) if asks else _alike(parts[0], parts[1:])
    return [begun, *parts[1:]] if begun and begun != parts[0] else []


def _first(begun: str, others: list[str]) -> str:
    """The first option, without the question's opening: from where it begins as the others do, or after a word that leads to it."""
    if alike := _alike(begun, others):
        return alike
    short = _TO_THEM if all(map(_TO_THEM.match, others)) else _LAST if _WHO.search(begun) else None
    if short and (done := list(short.finditer(begun))):
        return done[-1][0]
    words = begun.split()
    if len(words) > 2 and words[0].lower() in AUXILIARIES and words[1].lower() in _PRONOUNS:
        begun = " ".join(words[2:])
    acts = all(_ACTS.match(other) and other.split()[0].lower() not in _LEADS for other in others)
    if found := (_TO_ACT if acts else _RUN_IN).match(begun):
        while again := None if acts else _RUN_IN.match(begun[found.end() :]):
            begun, found = begun[found.end() :], again
        if rest := _trimmed(begun[found.end() :]):
            return rest
    if begun.split() != words:
        return _trimmed(begun)
    if all(" " not in other for other in others) and (found := _ONE_WORD.search(begun)):
        return found[0]
    # "Should the town build" leaves what stands after its subject.
    if words[0].lower() in AUXILIARIES:
        subject_ends = 3 if len(words) > 2 and words[1].lower() in _ARTICLES else 2
        return _trimmed(" ".join(words[subject_ends:]))
    return _trimmed(" ".join(words[-max(len(part.split()) for part in others) :]))


def _alike(begun: str, others: list[str]) -> str:
    """The first option from the word on with which the next one begins as well, if that word leads to options."""
    words, shape = begun.split(), others[0].split()[0].lower()
    alike = {shape, _OPPOSED.get(shape, shape)}
    at = next((at for at in range(len(words) - 1, 0, -1) if words[at].lower() in alike), 0)
    return _trimmed(" ".join(words[at:])) if at and (shape in _LEADS or shape in _OPPOSED) else ""


#: "more on defence, less on defence": options that begin so begin alike.
_OPPOSED = {"less": "more", "fewer": "more", "more": "less", "lower": "higher", "higher": "lower"}


#: What does something: "get a live-in carer", "go to a care home". Before it no preposition ends the question's opening.
_ACTS = re.compile(
    r"\w+(?<!ed) (?:an?|the|to|in|on|for|with|it|her|him|them|us|my|your|our|their|his)\b", re.IGNORECASE
)
_TO_ACT = re.compile(
    r"^.*?(?:\b(?:better|best|more \w+|rather|wiser|fairer|cheaper|healthier|whether) to\b)\s*", re.IGNORECASE
)
#: What is done to something that the question has named: "return them, lend them back or keep them".
_TO_THEM = re.compile(r"\b\w+ (?:it|them|him|her|us)\b(?: \w+)?", re.IGNORECASE)
#: A subject that says more of itself, and what is done behind it: "rent", "pay a fine", "move in with us".
_WHO = re.compile(r"^\w+ (?:\w+ ){1,4}(?:who|that|whose)\b", re.IGNORECASE)
_SMALL = r"(?:an?|the|my|your|our|their|his|its|her|in|on|to|for|with|at|up|out|off|it|them|us|me|him)"
_LAST = re.compile(rf"\b(?!{_SMALL}\b)\w+(?: {_SMALL}\b)+(?: (?!{_SMALL}\b)\w+)?$|\b\w+$", re.IGNORECASE)
#: The first of options that have one word each: "relocate", "sell up".
_ONE_WORD = re.compile(r"(?:\w+ (?:in|on|up|out|off|back|down|away)|[\w-]+)$", re.IGNORECASE)
_PRONOUNS = frozenset({"i", "we", "you", "they", "he", "she", "it", "one"})
_ARTICLES = frozenset({"a", "an", "the", "more", "my", "your", "our", "their", "his", "her"})
_LEADS = _ARTICLES | {"to", "by", "in", "on", "for", "with", "at", "from", "under", "through", "as", "into"}


def _parts(listed: str, *, by_and: bool = False, after: int = 0) -> list[str]:
    """The parts of a list; where it is announced as one, its last two may be joined by `and`.

    Those before `after` may be as long as they like.
    """
    split = _SLASHED if re.search(r"\s/\s|\||\w/\w", listed) and "," not in listed else _BETWEEN
    split = _SEMICOLON if ";" in listed.strip(" ;") else split
    parts = [_trimmed(_LEADING.sub("", part.strip())) for part in split.split(listed)]
    parts = [part for part in parts if part]
    if by_and and len(parts) == 1:
        parts = [_trimmed(part) for part in _PAIRED.split(parts[0])]
    elif by_and and len(parts) >= 2 and len(re.findall(r"\sand\s", listed)) == 1 and not re.search(r"\bor\b", listed):
        parts = [*parts[:-1], *_PAIRED.split(parts[-1])]
    parts = [part for part in parts if part]
    if len({part.lower() for part in parts}) < 2 or any(len(part.split()) > LONGEST for part in parts[after:]):
        return []
    return parts


def _trimmed(part: str) -> str:
    return _TRAILING.sub("", part.strip(" \n\t,;.?\"'")).replace(_OF_TIME, ":")
