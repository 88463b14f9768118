"""What a response to a yes-or-no question states in a few words of the question's own: "Necessary, no.", "Not always."."""

# ruff: noqa: E501

import re

from folkmoot.analysis import stance_words as words
from folkmoot.analysis.asked import Question, word_stems
from folkmoot.analysis.reasons import reasoned

#: What the writer thought before, or thinks at first sight.
FORMERLY = re.compile(
    r"\b(?:at first|initially|(?:i|we|people) (?:\w+ )?used to|originally|at first (?:glance|sight)|(?:was|were) (?:going|about|inclined|ready) to (?:say|answer|write|vote))\b|\bmy (?:first|initial|gut|immediate) (?:instinct|reaction|thought|impulse|response)\b|"
    r"\b(?:was|am|were|felt|been) (?:\w+ )?tempted\b|\bi (?:once|almost|nearly) (?:thought|said|believed|wrote|chose|picked)\b",
    re.IGNORECASE,
)
#: "As much as I'd like to say yes, …"
_MUCH_AS = re.compile(r"^\W*(?:as )?much as [^,]*,\s*", re.IGNORECASE)
#: "Necessary, no.", "Legal, yes - wise, no."
_TOPIC = re.compile(
    r"^\W*(?!(?:if|for|when|in|on|with|as|where)\b)(?P<topic>[\w' -]{2,60}?)[,:?]\s+(?P<answer>yes|no|sure|not)\W*$",
    re.IGNORECASE,
)
#: "It sure can.", "I would, without hesitation."
_ELLIPTIC = re.compile(
    r"^\W*(?:(?:well|personally|honestly|frankly|oh|hm+|sure|and|yet|but|still|most likely|very likely|\w+ly|in my (?:view|opinion))\W+)?(?P<mine>(?:i|we) (?:(?:still|do|would|firmly|strongly) )?(?:think|believe|say|suppose|guess|suspect|expect|feel|hope|argue) (?:that )?|i'd (?:say|argue) (?:that )?)?(?:it|they|we|you|he|she|i|this|that|one|people) (?:(?:sure|most|probably|certainly|definitely|really|absolutely|indeed|generally|usually) )*"
    r"(?P<verb>is|are|am|was|were|do|does|did|can|could|will|would|should|must|has|have)(?P<not> (?:really |probably |certainly )?not| never)?(?: be| do so| do it)?(?:,? (?:indeed|\w+ly|at all|any ?more|any longer|now|today|though|yet|these days|in my (?:view|opinion|experience|book)|to me|for me|if you ask me))?\s*(?:$|[.,;:!]|- )",
    re.IGNORECASE,
)
#: What answers a question that opens so: "Should I?" with "I would", "Are you?" with "I am".
_ANSWERED = {
    "should": "would",
    "are": "am",
    "am": "are",
    "do": "does",
    "must": "should",
    "may": "can",
    "ca": "can",
    "wo": "will",
}
#: So many words at most may be what a question is about.
LONGEST_SUBJECT = 6
#: "It's important, but it isn't a human right."
_IS_NOT = re.compile(r"\b(?:it|that|this|they) (?:is|are|was|were) not (?P<what>[^.,;]*)", re.IGNORECASE)
#: Who is asked answers for himself: "Would you …?" with "I would …".
_ANSWERING = {"you": "i", "i": "you", "my": "your", "your": "my", "me": "you"}
#: Words of degree that a question has and a denial takes up: "Not always."
_DEGREES = (
    "always",
    "all",
    "every",
    "everyone",
    "everybody",
    "everything",
    "necessarily",
    "entirely",
    "ever",
    "only",
    "anyone",
    "absolute",
)
_NOT_SO = re.compile(
    rf"^\W*(?:\w+ly,? |i would |i do |(?:(?:i|we) (?:think|believe|would say) (?:that )?)?(?:it|this|that|they|these|those|one|people|we|you) (?:do|does|did|is|are|was|were|will|would|should|can|could|must|has|have|need) )?not (?:say |think |quite )?(?:in |for |be )?(?P<degree>{'|'.join(_DEGREES)})\b(?! (?:but|,))",
    re.IGNORECASE,
)
#: "I can't say that I do.", "I don't think they should."
_CANNOT_SAY = re.compile(
    r"^\W*(?:(?:no|well|honestly|personally|frankly)\W+)?i (?:can ?not|could not|do not|would not) (?:honestly |really )?(?:say|think|believe|see|claim|feel|suppose|imagine)(?: that)? "
    r"(?:i|it|this|that|they|we|one|he|she|you) (?:do|does|would|should|is|are|will|can|must|has|have|did|was|were|am|ought to)\b(?: be)?\W*(?:$|[,;.])",
    re.IGNORECASE,
)
#: A whole answer in a judging word or two: "Perfectly reasonable.", "Not acceptable, in my view."
LONGEST_JUDGEMENT = 5
_CONTRARY = re.compile(r"^(?:un|im|il|in|ir)(?=\w{4})", re.IGNORECASE)
#: What may stand beside the judgement: how far it holds, and what it is about.
_DEGREE = re.compile(r"\W*(?:it|is|this|that|they|are|not|never|quite|very|so|\w+ly|\W*)\W*$", re.IGNORECASE)
_IN_MY_VIEW = re.compile(
    r",?\s*\b(?:in my (?:view|opinion|book|judge?ment)|if you ask me|to me|for me|to my mind|as far as i am concerned|i think|i would say|i believe)\b",
    re.IGNORECASE,
)
#: "I do not think …", as an opening.
_DO_NOT_THINK = re.compile(
    r"^\W*(?:(?:well|honestly|personally|frankly|overall|on balance|in my (?:view|opinion))\W+)?(?:i|we) (?:\w+ly )?(?:do not|can not|could not|would not|am not|fail to) (?:\w+ly )?(?:think|believe|feel|see how|see why|agree|accept|buy|convinced|persuaded|sure)\b(?P<what>.*)",
    re.IGNORECASE | re.DOTALL,
)
_DENIED = re.compile(
    r"\b(?:not|never|no|nobody|nothing|without|neither|wrong|anything but|only|just|yet|always|enough to|anyone|anybody|answer|say|know|tell|decide|sides?|simple|easy|clear)\b",
    re.IGNORECASE,
)
#: What stands beside a person or thing and is said of it: "creatures that get nothing out of it".
_RELATIVE = re.compile(
    r"(?<=\w)(?<!\bfor)(?<!\bin)(?<!\bon)(?<!\bunder)(?<!\bto)(?<!\bof)(?<!\bby)(?<!\bwith)\s+(?:who|whose|whom|which)\b.*|(?<=\ws)\s+that (?:is|are|was|were|has|have|had|can|could|do|does|did|will|would|get|gets|give|gives|make|makes|need|needs|lack|lacks|never|cannot)\b.*",
    re.IGNORECASE | re.DOTALL,
)


def not_formerly(line: str) -> str:
    """The line without what the writer thought before, or only wishes: what follows its "but", or nothing."""
    line = _MUCH_AS.sub("", line)
    before, _, after = line.partition(" but ")
    return after if FORMERLY.search(before) else line


def without_relative(clause: str) -> str:
    """The clause without what it only says of a person or thing in it, where something is said before that."""
    found = _RELATIVE.search(clause)
    return clause[: found.start()] if found and len(clause[: found.start()].split()) >= 4 else clause


def stated(question: Question, lines: list[str]) -> int:
    """1 for yes, -1 for no, 0 where the first two sentences state nothing in so few words."""
    for line in lines[:2]:
        if (
            sign := _topic(question, line)
            or _elliptic(question, line)
            or _degree(question, line)
            or _cannot_say(line)
            or _judgement(question, line)
        ):
            return sign
    for line in reversed(lines):
        if (found := _ELLIPTIC.match(line)) and found["mine"] and (sign := _elliptic(question, line)):
            return sign
    signs = {sign for line in lines if (sign := _topic(question, line) or reasoned(question, line))}
    return signs.pop() if len(signs) == 1 else 0


def topics(question: Question, lines: list[str]) -> set[int]:
    """The signs of the sentences that answer for one thing each, of those that were asked about."""
    return {sign for line in lines if (sign := _topic(question, line))}


def doubted(question: Question, line: str) -> int:
    """-1 where it opens with "I don't think" and denies nothing in what follows, against the question's action; else 0."""
    found = _DO_NOT_THINK.match(line)
    if not found or _DENIED.search(question.without_its_turns(found["what"])) or words.AGAINST.search(found["what"]):
        return 0
    named = word_stems(found["what"])
    if len(named) > 2 and not named & question.stems:
        return 0
    acts = (
        words.KEEPS.search(found["what"])
        or words.LEAVES.search(found["what"])
        or words.FORBIDS.search(found["what"])
        or words.PERMITS.search(found["what"])
        or words.BAD.search(found["what"])
    )
    return 0 if acts or question.denies or question.value < 0 or question.action < 0 else -1


def echoed(question: Question, line: str) -> int:
    """The sign of a statement that turns the question round: "A doctor does have that right.", asked "Does a doctor have …?"."""
    asked = [_ANSWERING.get(word, word) for word in re.findall(r"[\w']+", question.text.lower())]
    said = re.findall(r"[\w']+", line.lower().replace("i'd ", "i would "))
    for at in range(min(LONGEST_SUBJECT, len(asked) - 2, len(said) - 2), 0, -1):
        if said[:at] != asked[1 : at + 1] or said[at] not in {question.auxiliary, _ANSWERED.get(question.auxiliary)}:
            continue
        rest = " ".join(said[at + 1 :])
        if not word_stems(rest) & word_stems(" ".join(asked[at + 1 :])):
            return 0
        return (-1 if words.TURNS.search(rest) else 1) * (-1 if question.denies else 1)
    denied = _IS_NOT.search(line)
    is_plain = question.action > 0 and question.value >= 0 and not question.denies
    return -1 if denied and is_plain and question.last in word_stems(denied["what"]) else 0


def _elliptic(question: Question, line: str) -> int:
    """The sign of an answer by the question's own verb: "It sure can", asked "Can it?"."""
    found = _ELLIPTIC.match(line)
    if not found or found["verb"].lower() not in {question.auxiliary, _ANSWERED.get(question.auxiliary)}:
        return 0
    return (-1 if found["not"] else 1) * (-1 if question.denies else 1)


def _degree(question: Question, line: str) -> int:
    found = _NOT_SO.match(line)
    return -1 if found and re.search(rf"\b{found['degree']}\b", question.text, re.IGNORECASE) else 0


def _cannot_say(line: str) -> int:
    return -1 if _CANNOT_SAY.match(line) else 0


def _judgement(question: Question, line: str) -> int:
    """The sign of a judgement that repeats the question's: whether it is reasonable, "Perfectly reasonable."."""
    said = _IN_MY_VIEW.sub("", line).split(",")[0]
    if not question.value or len(said.split()) > LONGEST_JUDGEMENT or "?" in line:
        return 0
    judged = words.GOOD.search(said) or words.BAD.search(said)
    if (
        not judged
        or not all(_DEGREE.match(word) for word in said.replace(judged[0], "").split())
        or not _is_the_questions(question, judged[0])
    ):
        return 0
    sign = -1 if words.BAD.search(said) else 1
    return sign * question.value * (-1 if words.TURNS.search(said) else 1)


def _is_the_questions(question: Question, judgement: str) -> bool:
    """Whether it is the question's own, or its contrary: "unethical", where asked is what is ethical."""
    asked = question.stems
    return bool(word_stems(judgement) & asked or word_stems(_CONTRARY.sub("", judgement)) & asked)


def _topic(question: Question, line: str) -> int:
    found = _TOPIC.match(line.rpartition(" - ")[2])
    if not found or not word_stems(found["topic"]) & question.stems:
        return 0
    return -1 if found["answer"].lower() in {"no", "not"} else 1
