"""The options that a multiple-choice question offers, however it lists them."""

import re

from folkmoot.analysis.marks import signed, unsigned
from folkmoot.analysis.question import ASKED_LAST, AUXILIARIES, LEADING, MANNER, OF_TIME, trimmed
from folkmoot.analysis.wording import plain

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
#: Dashes that stand before each option of a line: "Which first? - opera - film - festivals".
_DASHED = re.compile(r"[:?]\s+-\s(?P<list>[^\n]+\s-\s[^\n]+)$")
#: After the last option in a list of the question's own words: ", which one would it be".
_ASKED_AFTER = re.compile(r",\s*(?:which|what|who|where|how|should|would|do)\b.*$", re.IGNORECASE | re.DOTALL)
#: Before the question proper: "In a drought, should …"
_SETTING = re.compile(rf"^[^,?]+,\s*(?=(?:{'|'.join(AUXILIARIES)})\b)", re.IGNORECASE)
#: What follows such a setting is the question and no option.
_ASKS = re.compile(r"(?:should|would|could|shall|must|is|are|ought)\b", re.IGNORECASE)
_TIME = re.compile(r"(?<=\d):(?=\d)")
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
#: The most words that an option in a running list has.
LONGEST = 12
#: The first of two that are compared has at most so many.
LONGEST_COMPARED = 8


def options_of(query: str) -> dict[str, str]:
    """The options that a question offers, by their letter, or by their own words where they have none."""
    bullets = [trimmed(plain(bullet)) for bullet in _BULLET.findall(query)]
    query = plain(query)
    if marked := signed(query):
        return marked
    if len(bullets) >= 2:
        return {bullet: bullet for bullet in bullets}
    if marked := unsigned(query):
        return marked
    dashed = _DASHED.search(query.strip())
    parts = {part: part for part in map(trimmed, dashed["list"].split(" - ")) if part} if dashed else {}
    if len(parts) >= 2:
        return parts
    return {part: part for part in _listed(MANNER.sub("", query.strip()))}


def _listed(query: str) -> list[str]:
    """The options of a list in running text, or none."""
    # A time's colon is none that announces a list.
    query = _TIME.sub(OF_TIME, query)
    stated = ASKED_LAST.sub("", query)
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
    if any(map(_THING.match, others)) and (sent := _SENT_TO.match(begun)) and _fits(begun[sent.end() :], others):
        return trimmed(begun[sent.end() :])
    acts = all(_ACTS.match(other) and other.split()[0].lower() not in _LEADS for other in others)
    if found := (_TO_ACT if acts else _RUN_IN).match(begun):
        while again := None if acts else _RUN_IN.match(begun[found.end() :]):
            begun, found = begun[found.end() :], again
        if rest := trimmed(begun[found.end() :]):
            return rest
    if begun.split() != words:
        return trimmed(begun)
    if all(" " not in other for other in others) and (found := _ONE_WORD.search(begun)):
        return found[0]
    # "Should the town build" leaves what stands after its subject.
    if words[0].lower() in AUXILIARIES:
        subject_ends = 3 if len(words) > 2 and words[1].lower() in _ARTICLES else 2
        return trimmed(" ".join(words[subject_ends:]))
    return trimmed(" ".join(words[-max(len(part.split()) for part in others) :]))


def _alike(begun: str, others: list[str]) -> str:
    """The first option from the word on with which the next one begins as well, if that word leads to options.

    The question's subject is one only where little follows it: "Should the state, the church or the family pay?".
    """
    words, shape = begun.split(), others[0].split()[0].lower()
    alike = {shape, _OPPOSED.get(shape, shape)}
    at = next((at for at in range(len(words) - 1, 0, -1) if words[at].lower() in alike), 0)
    alike_from = " ".join(words[at:])
    if at == 1 and words[0].lower() in AUXILIARIES and not _fits(alike_from, others):
        return ""
    return trimmed(alike_from) if at and (shape in _LEADS or shape in _OPPOSED) else ""


def _fits(begun: str, others: list[str]) -> bool:
    """Whether the first option may be as long as this: one word more than the longest of the others."""
    return len(begun.split()) <= 1 + max(len(other.split()) for other in others)


#: "more on defence, less on defence": options that begin so begin alike.
_OPPOSED = {"less": "more", "fewer": "more", "more": "less", "lower": "higher", "higher": "lower"}


#: What does something: "get a live-in carer", "go to a care home". Before it no preposition ends the question's opening.
_ACTS = re.compile(
    r"\w+(?<!ed) (?:an?|the|to|in|on|for|with|it|her|him|them|us|my|your|our|their|his)\b", re.IGNORECASE
)
_TO_ACT = re.compile(
    r"^.*?(?:\b(?:better|best|more \w+|rather|wiser|fairer|cheaper|healthier|whether) to\b)\s*", re.IGNORECASE
)
#: What leads to whom or to where: "be given to artists, schools or museums", "go to nurses, the elderly or teachers".
_SENT_TO = re.compile(
    r"^.*\b(?:go|pass|belong|moved?|it|them|given|granted|offered|awarded|extended|handed|donated|paid|sent|sold|left|lent) to\s+"
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
#: Who or what, and nothing to be done: "the elderly", a name, one word in the plural.
_THING = re.compile(rf"(?:{'|'.join(sorted(_ARTICLES))})\s|[A-Z]|[\w-]*[^\Wsu]s$")
_LEADS = _ARTICLES | {"to", "by", "in", "on", "for", "with", "at", "from", "under", "through", "as", "into"}


def _parts(listed: str, *, by_and: bool = False, after: int = 0) -> list[str]:
    """The parts of a list; where it is announced as one, its last two may be joined by `and`.

    Those before `after` may be as long as they like.
    """
    split = _SLASHED if re.search(r"\s/\s|\||\w/\w", listed) and "," not in listed else _BETWEEN
    split = _SEMICOLON if ";" in listed.strip(" ;") else split
    parts = [trimmed(LEADING.sub("", part.strip())) for part in split.split(listed)]
    parts = [part for part in parts if part]
    if by_and and len(parts) == 1:
        parts = [trimmed(part) for part in _PAIRED.split(parts[0])]
    elif by_and and len(parts) >= 2 and len(re.findall(r"\sand\s", listed)) == 1 and not re.search(r"\bor\b", listed):
        parts = [*parts[:-1], *_PAIRED.split(parts[-1])]
    parts = [part for part in parts if part]
    if len({part.lower() for part in parts}) < 2 or any(len(part.split()) > LONGEST for part in parts[after:]):
        return []
    return parts
