"""A response in its options' own words: "both of them", "number two" and "four days" as the options say it."""

# ruff: noqa: E501

import re
from collections.abc import Mapping

_NUMERALS = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_NUMBERED = re.compile(
    rf"(?:\b(?P<by>number|option|choice|answer|no\.)|(?P<sign>#)) ?(?P<numeral>[1-9]|{'|'.join(list(_NUMERALS)[:9])})\b(?! (?:of|is that)\b)",
    re.IGNORECASE,
)
#: "One" is a person as well.
_NUMERAL = re.compile(rf"\b(?:{'|'.join(list(_NUMERALS)[1:])})\b", re.IGNORECASE)
_THEM = r"(?:(?:the |these |those )?(?:above|options|choices|alternatives|them|these|those|two|three|four|five)(?: options| choices)?)"
#: What an option says that stands for none or for several of the others, and how a response may say it.
_STANDS_FOR_OTHERS = (
    (
        re.compile(r"^(?:none|neither|nothing)\b", re.IGNORECASE),
        re.compile(rf"\b(?:none|neither)(?: of {_THEM})?(?!\w)(?! \w+ nor\b)", re.IGNORECASE),
    ),
    (
        re.compile(r"^(?:all|both)\b", re.IGNORECASE),
        re.compile(rf"\b(?:all|both)(?: of)? {_THEM}(?!\w)|\bboth\b", re.IGNORECASE),
    ),
)
#: An option that stands for two others by their letters: "A and B".
_BY_LETTERS = re.compile(
    r"^(?:both |either )?(?:options? )?(?P<one>[A-H]) (?P<by>and|or) (?P<other>[A-H])(?: only)?$", re.IGNORECASE
)
#: "Tea? No. Coffee? Yes."
_ASKED_AND_DENIED = re.compile(
    r"(?:^|(?<=[.!?\n]))[^.?!\n]+\?\s*(?:no|nope|never|hardly|not (?:really|for me|at all))\b[.,!]?", re.IGNORECASE
)
_ANYTHING_BUT = re.compile(r"\b(?:any|every)thing (?:but|except)\b", re.IGNORECASE)
_PREFERRED = re.compile(
    r"(?P<to>\bprefer\w* (?!to\b)[\w' -]{1,60}? )to\b(?! (?:be|have|see|avoid|keep)\b)", re.IGNORECASE
)
#: A place is the whole answer.
_PLACED = re.compile(r"^\W*(?:the )?((?:fir|la)st|second|third|fourth|fifth|former|latter|middle)\W*$", re.IGNORECASE)
#: "1. Fish 2. Eggs 3. Beans"
_RANKING = re.compile(
    r"^\W*1[.):]\s*(?P<first>[^\n.;:]{1,60}?)[\s.,;]*\b2[.):]\s*[^\n.;:]{1,60}?(?:$|[\s.,;]*\b3[.):]|\n)", re.DOTALL
)
#: "My ranking: A, C, B, D."
_ORDER = re.compile(
    r"\b(?:my |the )?(?:ranking|order)(?: is| would be)?:?\s*(?P<first>[A-H1-9])(?:\s*[,>]\s*[A-H1-9])+\b",
    re.IGNORECASE,
)
_MY_FIRST = re.compile(r"\bmy (?:first|top|number one) (?=(?:choice|pick|preference|option|priority)\b)", re.IGNORECASE)
_MY_SECOND = re.compile(
    r"[^.;,\n]*\bmy (?:second|third|last|next)\b(?: (?:choice|pick|preference|option))?[^.;,\n]*", re.IGNORECASE
)
#: "Nothing beats tea."
_UNBEATEN = re.compile(
    r"\b(?:nothing|no (?:other )?\w+|none(?: of (?:them|the others|these))?) (?:else )?(?:(?:works?|counts?|lasts?|matters?|functions?|helps?|succeeds?) without|beats?|trumps?|tops?|comes close to|compares (?:to|with)|matches|can (?:beat|match|replace|top)|is (?:better|more \w+|as \w+) (?:than|as))(?= )",
    re.IGNORECASE,
)
_TURNING = re.compile(
    r"\b(?:but|while|although|not|without|rather than|instead of|except|unless|even if|and|or)\b|[,;:]", re.IGNORECASE
)
#: Words that may be written in capitals, and stand for no option.
_WORDS_IN_CAPITALS = frozenset(
    {
        *("AN", "AS", "AT", "BE", "BY", "DO", "GO", "HE", "IF", "IN", "IS", "IT"),
        *("ME", "MY", "NO", "OF", "ON", "OR", "SO", "TO", "UP", "US", "WE", "AND", "NOT", "THE"),
    }
)
#: "Between A and B I'd take B."
_BETWEEN = re.compile(
    r"\bbetween\b[^.;]{1,60}?\band\b (?:option )?[\w']+,? (?:(?:and|but|so) )?(?=i\b)|(?<=\bcompromise )between\b[^.;]{1,60}?\band\b (?:option )?\(?[\w']+\)?",
    re.IGNORECASE,
)


def in_the_options_words(options: Mapping[str, str], said: str) -> str:
    """The text with each reference to an option as the options are named: by their letter, or by what they say."""
    said = _PLACED.sub(r"The \1 one.", said)
    if not any(key in "123" for key in options) and (ranking := _RANKING.match(said)):
        said = ranking["first"]
    said = _ORDER.sub(r"I choose option \g<first>", said)
    said = _MY_FIRST.sub("my ", _MY_SECOND.sub("", said))
    said = _UNBEATEN.sub("the best is", said)
    said = _PREFERRED.sub(r"\g<to>rather than", _ANYTHING_BUT.sub("not", _ASKED_AND_DENIED.sub("", said)))
    said = _spelled_out(options, _numbered(options, _BETWEEN.sub("", said)))
    for key, words in sorted(options.items(), key=lambda option: -len(option[1])):
        # Its own "but" or "not" would be taken for the response's.
        if len(key) == 1 and _TURNING.search(words):
            said = re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", f"option {key}", said, flags=re.IGNORECASE)
    for key, words in options.items():
        name = f"option {key}" if len(key) == 1 else words
        for offered, response in _STANDS_FOR_OTHERS:
            if offered.match(words):
                said = response.sub(name.replace("\\", r"\\"), said)
        if found := _BY_LETTERS.match(words):
            both = rf"(?:\b(?:both|either) )?\b{found['one']},? {found['by']} {found['other']}\b"
            said = re.sub(both, name.replace("\\", r"\\"), said)
    return said


def _spelled_out(options: Mapping[str, str], said: str) -> str:
    """The text with capitals that stand for an option's words spelled out: "PE", where physical education is offered."""
    for words in options.values():
        initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", words)).upper()
        if len(initials) > 1 and initials not in _WORDS_IN_CAPITALS:
            said = re.sub(rf"\b{initials}\b", words.replace("\\", r"\\"), said)
    return said


def _numbered(options: Mapping[str, str], said: str) -> str:
    """The text with "number two" as `option 2`, or `option B` where letters mark the options; digits for words where options have some."""
    keys = list(options)
    has_letters, has_digits = keys[0] == "A", any(re.search(r"\d", words) for words in options.values())

    def named(numeral: str) -> str:
        number = int(_NUMERALS.get(numeral.lower(), numeral))
        return keys[number - 1] if has_letters and number <= len(keys) else str(number)

    said = _NUMBERED.sub(lambda found: f"{found['by'] or 'option'} {named(found['numeral'])}", said)
    if has_digits:
        return _NUMERAL.sub(lambda found: _NUMERALS[found[0].lower()], said)
    bare = re.fullmatch(r"\W*(?P<numeral>[1-9])\W*", said)
    return f"option {named(bare['numeral'])}" if bare else said
