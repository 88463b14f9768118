"""The side of a response by whom it contradicts or joins: "I don't agree with critics who call it paternalistic"."""

# ruff: noqa: E501

import re
from collections.abc import Sequence

from folkmoot.analysis import stance_words as words
from folkmoot.analysis.asked import Question
from folkmoot.analysis.positions import side

_AGAINST = r"critics?|opponents?|sceptics?|skeptics?|detractors?|objectors?|naysayers?|(?:those|people|anyone|everyone|all) who (?:oppose|object|reject|are against|resist|criticise|criticize|would forbid)\b"
_FOR = r"supporters?|proponents?|advocates?|defenders?|champions?|campaigners?|enthusiasts?|backers?|(?:those|people|anyone|everyone|all) who (?:support|favou?r|back|call for|are for|demand|advocate)\b"
_CLAIM = r"(?:those|people|anyone|everyone|everybody|all) who|the (?:claim|idea|notion|view|argument|suggestion|opinion|objection|assertion|belief|position|thesis|criticism)s?"
_CAMP = rf"(?:(?P<against>{_AGAINST})|(?P<for>{_FOR})|(?P<claim>{_CLAIM}))\b"
#: The writer contradicts them, or joins them.
_MEETS = re.compile(
    r"(?:^\W*(?P<ignore>do not (?:listen to|believe|trust|fall for|follow)|ignore|forget)|\b(?:i|we) (?:\w+ly |would |must |have to |do |still )*(?:(?P<not>(?:(?:do|can|could|would|am|are|will) not|cannot) (?:\w+ly |quite |really |at all )*(?:agree|side|concur|sympathi[sz]e|share|accept|buy|believe|convinced|persuaded|swayed|impressed|follow|find|with|think|subscribe)|disagree|reject|dispute|dismiss|differ|take issue|part (?:ways|company)|beg to differ|refuse to accept|doubt|find it hard to (?:agree|accept))"
    rf"|(?:agree|side|concur|am|sympathi[sz]e|stand|share)))\b (?:with |by |from |on the side of |to |that )?(?:(?:\w+ ){{0,2}}(?:view|opinion|concerns?|worries|arguments?|position) of )?(?:the |those |all |many |some |most |its |such )*{_CAMP}(?P<said>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ERR = re.compile(
    rf"^\W*(?:i (?:think|believe) (?:that )?)?(?:the |its |many |most )*{_CAMP}\b(?P<said>.*?)\b(?:is|are|seems?|remains?) (?:\w+ly |just |quite )*(?P<bad>wrong|mistaken|misguided|unconvincing|missing the point|misled|incorrect|unfounded|false|untenable|weak|overstated|exaggerated)\b|"
    rf"^\W*(?:the |its |many |most )*(?:(?P<against2>{_AGAINST})|(?P<for2>{_FOR}))\b[^,]*?\b(?:miss the point|overstate|exaggerate|overlook|ignore|forget)\b",
    re.IGNORECASE | re.DOTALL,
)
#: Where the writer's own words go on after it.
_GOES_ON = re.compile(r",? (?:so|therefore|and|but|because)\b(?= (?:i|we|my|the answer|yes|no)\b)", re.IGNORECASE)


def sided(question: Question, lines: Sequence[str]) -> tuple[int, list[str]]:
    """The side of those whom the lines join, or the contrary of those whom they contradict; and the other lines."""
    signs, others = set(), []
    for line in lines:
        rest = _GOES_ON.split(line, maxsplit=1)
        if sign := _sign(question, rest[0]):
            signs.add(sign)
            others.extend(rest[1:])
        elif (
            len(lines) > 1
            and (met := _MEETS.search(rest[0]))
            and (met["not"] or met["ignore"])
            and len(met["said"].split()) > 2
            and not rest[1:]
        ):
            # Whom it contradicts is of no side that can be told, nor is what they say.
            continue
        else:
            others.append(line)
    return (signs.pop() if len(signs) == 1 else 0), others


def _sign(question: Question, line: str) -> int:
    found = _MEETS.search(line)
    if found is None:
        return _err(question, line)
    return _camp(question, found["against"], found["for"], found["said"]) * (
        -1 if found["not"] or found["ignore"] else 1
    )


def _err(question: Question, line: str) -> int:
    found = _ERR.match(line)
    if found is None:
        return 0
    if found["bad"]:
        return -_camp(question, found["against"], found["for"], found["said"])
    return 1 if found["against2"] else -1


def _camp(question: Question, against: str | None, for_it: str | None, said: str) -> int:
    """The side of those who say this: by what they say of what was asked, or by what they are called."""
    told = (
        re.sub(
            r"^.*?\b(?:who|that|which)\b(?: (?:say|claim|argue|think|believe|hold|insist|call|consider|find|worry|fear)s?)?(?: that)?\b",
            "",
            said,
            count=1,
        )
        if not (against or for_it) or re.match(r"[^,]{0,40}\b(?:who|that)\b", said)
        else ""
    )
    told = told or (said if not (against or for_it) else "")
    told = re.sub(
        r"^\W*(?:say|claim|argue|think|believe|hold|insist|call|consider|find|worry|fear)s?(?: that)?\b", "", told
    )
    if told and (sign := side(question, told)):
        return sign
    if against or for_it:
        return -1 if against else 1
    # "Those who call it paternalistic" blame what was asked for.
    blames, praises = (
        words.BAD.search(told) or words.HARMS.search(told),
        words.GOOD.search(told) or words.HELPS.search(told),
    )
    is_plain = question.action > 0 and question.value >= 0 and not words.TURNS.search(told)
    return 0 if not is_plain or bool(blames) == bool(praises) else -1 if blames else 1
