"""Where a passage names one of a question's options and does not reject it: by letter, by place, or by words."""

# ruff: noqa: E501

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from folkmoot.analysis.asides import BECAUSE, CONCEDED, EXPLAINED, MORE_SO, RANKED, THEN, THOUGH_I
from folkmoot.analysis.question import STEM_CHARS, ending_off
from folkmoot.analysis.rejections import blames, without_rejected_subjects

_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")
#: Words that tell no option from another.
_SMALL = frozenset(
    {
        *("more", "most", "less", "least", "a", "an", "the", "of", "to", "in", "on", "for", "by", "with", "and", "or"),
        *(
            "be",
            "is",
            "it",
            "its",
            "who",
            "what",
            "one",
            "that",
            "this",
            "at",
            "as",
            "no",
            "from",
            "into",
            "their",
            "his",
        ),
        *("her", "do", "does", "did"),
    }
)
#: The response speaks of its own choice here.
CHOOSES = re.compile(
    r"\b(?:answer|choice|vote|verdict|pick|preference|recommendation|conclusion|decision|selection)\b[^.]{0,30}?(?:\bis\b|\bwould be\b|\bgoes to\b|:)|"
    r"\bi(?:'d|'ll|'m)?\b[^.]{0,40}?\b(?:choose|chose|pick|select|prefer|favou?r|vote|go with|go for|opt|recommend|support|say|answer|lean\w*|side|argue|back|endorse|guess|suppose|take|put|rank|give|settle)\b|"
    r"\b(?:best|strongest|fairest|right|better|most \w+|preferred|correct|wisest) (?:option|choice|answer|approach|way|solution|candidate|course)?\b|"
    r"\b(?:should|must|ought to|deserves?|wins?|comes first|is best|decisive|paramount|essential|crucial|matters? (?:the )?most|counts? (?:the )?most|prevails?|fundamental|has the strongest|the (?:most|best|greatest|strongest|fairest|biggest|worst|main|primary|chief|real|\w+est)|is the \w+ (?:that|which|i))\b|"
    r"^\W*(?:give|choose|pick|save|take|go (?:with|for)|it(?:'s| is| should be| has to be| must be))\b|\bget(?:s)? (?:it|my vote)\b|\bget my vote\b",
    re.IGNORECASE,
)
#: What stands after one of these is not what the response chooses, to the end of the clause.
_REJECTS = re.compile(
    r"\b(?:not|(?<!the )above(?! all)|never|n't|rather than|instead of|over|against|than|ahead of|beats?|trumps?|outweighs?|outranks?|surpasses|outperforms|superior to|preferable to|compared (?:to|with)|followed by|second|before|more than|unlike|rejects?|rule out|except|but not|nor|neither|without|avoid|"
    r"worst|wrong|weak(?:er|est)?|fails?|cannot|dismiss)\b|n't\b|>",
    re.IGNORECASE,
)
#: An option that denies another: "Do not vaccinate", beside "Vaccinate".
_DENYING = re.compile(r"^(?:no(?= \w)|do not|don't|not|never|refuse to|should not)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|never|cannot|refuse|no)\b|n't\b", re.IGNORECASE)
_DENIAL = frozenset({"do", "not", "don't", "never", "refus", "shoul"})
_CLAUSE = re.compile(
    r"[,;:]|\bbut\b|\bwhile\b|\bwhereas\b|\bbecause\b|\bsince\b|\balthough\b|\bthough\b|\band\b(?= (?:not|i|we|it)\b)"
)
#: A letter that can be nothing but an option's: named as one, with a sign, alone, or beside another one.
_MARKED = (
    r"(?<![\w'])(?:(?:(?<=^)|(?<=[Ee]ither )|(?<=[Bb]oth )|(?<=[Bb]etween )){small}(?= (?:or|and) \(?[{any_small}]\b)|(?<=\b[{any_small}] or ){small}\b|(?<=\b[{any_small}] and ){small}\b|(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter|[Nn]umber)(?: is| would be)?:? \(?{small}(?=\)|\W*$|[.,;:])|\({small}\)|(?<=^){small}(?=\W*$|[).:]|,? -|,)|(?<=[a-z] ){small}(?=\W*$)|[Oo]ption \(?{small}\b|(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter|[Nn]umber)(?: is)? \(?{key}\b|{key}[).:](?=\W|$)|\({key}\)"
    r"|(?<=[a-z] ){key}\b(?!-)|{key}(?= (?:would|is|has|seems|should|because|since|as|for|makes|wins|looks|sounds|feels|works|comes|gets|might|could|will|can|may|must|does|appeals|offers|gives|remains|strikes|appears|stands|rather than|over|it is|and not|not|instead|all the way|by far|only|though|but|please|i think|i guess)\b)|{key}(?=\W*$|\s*>|\s+-|\s*(?:/|&|\+|\bor\b|\band\b|\bplus\b|\bwith\b)\s*(?:[Oo]ption )?[{any}]\b))"
)
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1}
_PLACES |= {"1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4, "middle": 0, "former": 0, "latter": -1}
_PLACE = re.compile(
    rf"\b(?P<the>the )?(?P<place>{'|'.join(_PLACES)})(?: (?:option|choice|one|answer|alternative|candidate|proposal|item|possibility)\b|(?<=er)(?=\W|$)|(?(the)(?=\W*$)|(?!)))",
    re.IGNORECASE,
)
#: The share of an option's own words that names it, and the share where nothing else says that it is chosen.
LEAST_SAID, LEAST_SAID_IN_PASSING, ALL_BUT_ALONE = 0.25, 0.4, 0.5
#: Options of so many words are told, not listed: one of their words beside an "and" names none.
LONGEST_JOINED = 5
#: Beginnings of at least so many letters may be one word's.
SHORTEST_ALIKE = 4


class Finder:
    """Finds where a passage names one of these options and does not reject it."""

    def __init__(self, options: dict[str, str], query: str = "") -> None:
        self._options = options
        self._words = " ".join(options.values()).lower()
        self._letters = "".join(key for key in options if _is_mark(key))
        self._own = {key: _stems(words) for key, words in options.items()}
        often = Counter(stem for own in self._own.values() for stem in own)
        self._offered = set(_WORD.findall(self._words))
        self._denying = {key for key, words in options.items() if _DENYING.match(words)}
        self._has_denials = any(_DENIES.search(words) for words in options.values())
        self._denied = set().union(*(self._own[key] for key in self._denying)) - _DENIAL
        asked = _asked(options, query)
        #: Only what tells an option from the others, and from the question, helps to find it.
        self._telling = {
            key: {stem for stem in own if often[stem] == 1 and stem not in asked}
            or {stem for stem in own if often[stem] == 1}
            or own
            for key, own in self._own.items()
        }

    def chosen(self, passage: str, *, least: float = LEAST_SAID) -> list[str]:
        """The options named most clearly and not rejected, in the order of the question; marks count before words.

        Args:
            passage: what may name one.
            least: the share of an option's own words that it takes.
        """
        whole = CONCEDED.sub("", RANKED.sub(r"\g<first>", passage))
        for pattern in (THEN, BECAUSE):
            if (found := pattern.match(whole)) and (named := self._chosen(found["first"], least)):
                return named
        if (found := EXPLAINED.match(whole)) and len(named := self._ended(found["first"])) == 1:
            return named
        named = self._chosen(whole, least)
        turned = THOUGH_I.search(passage)
        if turned and (not named or (MORE_SO.search(turned["mine"]) and not CHOOSES.search(passage[: turned.start()]))):
            return self._chosen(turned["mine"], least) or named
        return named

    def _ended(self, passage: str) -> list[str]:
        """The options that the passage chooses with its last words, where it says more than these."""
        said = passage.lower()
        ended = [key for key, words in self._options.items() if said.endswith(f" {words.lower().rstrip('.')}")]
        return [key for key in ended if key in self._chosen(passage, ALL_BUT_ALONE)]

    def _chosen(self, passage: str, least: float) -> list[str]:
        clauses = [part.strip() for part in _CLAUSE.split(passage) if part.strip() and not blames(part, self._words)]
        if not self._has_denials:
            clauses = without_rejected_subjects(clauses)
        leading = [part for part in clauses if CHOOSES.search(part)]
        return self._named(leading, least) or self._named(clauses, least)

    def mentioned(self, line: str) -> list[str]:
        """The options that the line speaks of, be it to reject them."""
        own = _stems(line)
        return [
            key
            for key, telling in self._telling.items()
            if self._marked(key, line) is not None or any(_among(stem, own) for stem in telling)
        ]

    def leading(self, lines: Sequence[str]) -> list[str]:
        """The first line up to the mark that it opens with: "B, but C is fine too"; none where lines open with several."""
        opened = [(key, found[0]) for line in lines for key in self._options if (found := self._opened(key, line))]
        is_one = len({key for key, _ in opened}) == 1 and lines[0].startswith(opened[0][1])
        beside = rf"\b(?:and|or) (?:option )?\(?[{re.escape(self._letters)}][).]"
        return [opened[0][1]] if is_one and not re.search(beside, lines[0]) else []

    def _opened(self, key: str, line: str) -> re.Match[str] | None:
        rest = rf"(?!,? (?:(?:and|or|&) )?(?:option )?\(?[{re.escape(self._letters)}]\b)"
        mark = rf"\W*(?:option )?\(?{re.escape(key)}\)?(?:[,;:!.)]|(?= -)|(?=\W*$)){rest}"
        return re.match(mark, line) if _is_mark(key) else None

    def bare(self, lines: Sequence[str]) -> list[str]:
        """The one line that says nothing but an option: "D."; none where several options are headed so."""
        named = {key: line for line in lines for key in self._options if self._is_bare(key, line)}
        return list(named.values()) if len(named) == 1 else []

    def _is_bare(self, key: str, line: str) -> bool:
        return line.strip(" .!:;()*").upper() == key.upper() or (
            bool(self._own[key]) and _stems(line) == self._own[key]
        )

    def _named(self, clauses: list[str], least: float) -> list[str]:
        strengths = {key: max((self._strength(key, part) for part in clauses), default=0.0) for key in self._options}
        for one, other in self._joined(clauses):
            strengths[one] = strengths[other] = max(strengths[one], strengths[other])
        most = max(strengths.values(), default=0.0)
        named = [key for key, strength in strengths.items() if strength == most >= least]
        # Who says "a carbon tax" does not mean the option "a tax".
        return [key for key in named if not any(self._own[key] < self._own[other] for other in named)]

    def _joined(self, clauses: list[str]) -> Iterator[tuple[str, str]]:
        """The options that a clause names in one breath, by a word of each: "parents and companies"."""
        for clause in clauses:
            words = _WORD.findall(clause.lower())
            for at, word in enumerate(words):
                if word not in {"and", "or", "plus", "with"} or not 0 < at < len(words) - 1:
                    continue
                before, after = _stems(words[at - 1]), _stems(" ".join(words[at + 1 : at + 4]))
                first = [key for key, telling in self._telling.items() if before & telling]
                then = [key for key, telling in self._telling.items() if after & telling]
                if (
                    len(first) == len(then) == 1
                    and first != then
                    and len(self._options[first[0]].split()) < LONGEST_JOINED
                ):
                    yield first[0], then[0]

    def _strength(self, key: str, clause: str) -> float:
        """2 for its mark or its place ("the second one"), else the share of its own words."""
        if (at := self._marked(key, clause)) is not None:
            return (
                0.0 if any(found[0].lower() not in self._offered for found in _REJECTS.finditer(clause[:at])) else 2.0
            )
        telling = self._telling[key]
        is_denied = bool(self._own[key] & self._denied)
        if is_denied:
            if (key in self._denying) != bool(_DENIES.search(clause)):
                return 0.0
            telling = self._own[key] - _DENIAL
        rejected = next((at for at in _REJECTS.finditer(clause) if not self._is_idle(at[0], key, is_denied)), None)
        own = _stems(clause[: rejected.start()] if rejected else clause)
        return len([stem for stem in telling if _among(stem, own)]) / len(telling) if telling else 0.0

    def _is_idle(self, rejection: str, key: str, is_denied: bool) -> bool:
        """Whether this rejects nothing: an option holds it, or it is the very `not` that tells two options apart."""
        denies = bool(_DENIES.fullmatch(rejection)) and (is_denied or bool(_DENIES.search(self._options[key])))
        return denies or rejection.lower() in self._offered

    def _marked(self, key: str, clause: str) -> int | None:
        """Where the clause names this option by letter, number or place."""
        if found := _PLACE.search(clause):
            place = list(self._options).index(key)
            if found["place"].lower() == "middle":
                return found.start() if 2 * place + 1 == len(self._options) else None
            if _PLACES[found["place"].lower()] in {place, place - len(self._options)}:
                return found.start()
        if not _is_mark(key):
            return None
        found = re.search(
            _MARKED.format(key=key, any=self._letters, any_small=self._letters.lower(), small=key.lower()), clause
        )
        # A capital A is an article as well, and I a person: alone they mark nothing.
        if found is None and key not in {"A", "I"}:
            found = re.search(rf"(?<![\w'-]){key}(?![\w'-])", clause)
        return found.start() if found else None


def _asked(options: dict[str, str], query: str) -> set[str]:
    """The beginnings of the question's words, without those of the options that it lists."""
    for words in options.values():
        query = query.replace(words, " ")
    return _stems(query)


def _is_mark(key: str) -> bool:
    """Whether this is a letter or a number that stands for an option, and not what an option says."""
    return len(key) == 1 and key.isalnum()


def _among(stem: str, own: set[str]) -> bool:
    """Whether one of these begins as it does: "Rawls" names what is Rawlsian."""
    return stem in own or any(
        len(shorter) >= SHORTEST_ALIKE and longer.startswith(shorter)
        for other in own
        for shorter, longer in [sorted((stem, other), key=len)]
    )


def _stems(words: str) -> set[str]:
    # American and British spelling alike.
    return {
        ending_off(word.replace("our", "or"))[:STEM_CHARS]
        for word in _WORD.findall(words.lower())
        if word not in _SMALL
    }
