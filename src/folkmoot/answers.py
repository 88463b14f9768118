"""What counts as an answer: the checks on what a model wrote before it is stored or shown. Pure functions."""

import re
from collections.abc import Sequence
from itertools import pairwise

from folkmoot.errors import AnswerInvalid

#: A consensus of fewer words is a stub, not an answer.
LEAST_WORDS = 5
#: A text longer than this that merely begins like an error or a refusal is prose about one.
ERROR_CHARS = 400
REFUSAL_CHARS = 600
#: From this share of its word groups found in our own instructions, a text is an echo of them.
ECHO_SHARE = 0.6
ECHO_GROUP = 5
#: A consensus may quote one response under its label; the prompt quotes the question and all of them.
ECHO_QUOTATIONS = 2
#: A sentence of so many words is nobody's by chance.
ECHO_SENTENCE = 10
#: A text that long, and that much made of the question, is the question.
REPEATED_SHARE = 0.8


def _phrases(*phrases: str) -> str:
    return "|".join(phrases)


#: What follows an error's name when it is a message; in prose a sentence goes on instead.
_STOP = r"\s*(?:[.!:(\[{)]|[,;]\s*(?:please|try|sorry)\b|[-—–]\s|$|\n|\d|please\b|try\b|for\ (?:url|model|requests?|this)\b|with\ other\ requests|in\ your\b|provided\b)"
#: Names of errors that also begin honest sentences, so that only a stop after them tells.
_NAMES = _phrases(
    r"(?:internal|unexpected|unknown|api|server|upstream|fatal|runtime|provider|model|http|network|connection)?\s*error",
    r"exception|failure|internal\ server\ error|bad\ gateway|gateway\ time-?out|not\ found|unauthorized|forbidden",
    r"(?:the\ )?(?:model|server|service|endpoint|engine)\ (?:is\ )?(?:currently\ |temporarily\ )?"
    r"(?:overloaded|unavailable|not\ available|not\ found|offline|busy|down)",
    r"too\ many\ requests|rate\ limit(?:ed)?|insufficient\ (?:quota|credits?|balance|funds)",
    r"(?:the\ )?(?:request|connection|read|upstream)\ (?:has\ |was\ )?(?:timed\ out|timeout|refused|reset|aborted|closed)",
    r"(?:something|things)\ went\ wrong|out\ of\ memory|access\ denied|permission\ denied|time-?out",
)
#: Wordings that nothing but an error begins with.
_MESSAGES = _phrases(
    r"error\]|error\ (?:code|message|occurred|response|from|in\ (?:line|module)|(?:while\ |when\ |during\ )?"
    r"(?:processing|generating|calling|querying|fetching|loading|parsing|connecting|reading|handling|running|communicating))",
    r"[\w.]*[a-z](?:Error|Exception)\s*[:(]",
    r"traceback\ \(most\ recent",
    r"(?:http\S*\s+)?(?:status\s+|error\s+)?[45]\d\d\s+(?:\w+\ )?(?:error|bad|unauthor|forbidden|not\ found|page\ not|too\ many|"
    r"internal|service|gateway|server|payment|request|conflict|method)",
    r"http(?:/\d(?:\.\d)?)?\s+(?:status\s+|error\s+)?[45]\d\d",
    r"rate\ limit\ (?:was\ |has\ been\ )?(?:exceeded|reached)",
    r"(?:you\ )?(?:have\ )?exceeded\ your\ (?:current\ )?(?:quota|limit)",
    r"(?:invalid|incorrect|missing|no)\ (?:api\ key|auth(?:entication|orization)?\b)",
    r"an?\ (?:\w+\ )?error\ (?:has\ )?(?:occurred|happened)",
    r"(?:the\ )?(?:model|server|service)\ (?:had|returned|encountered|reported)\ an?\ (?:\w+\ )?error",
    r"(?:the\ )?model\ \W?[\w./:-]+\W?\ (?:does\ not\ exist|was\ not\ found|not\ found|is\ not\ (?:available|found|supported))",
    r"(?:failed|unable|could\ not)\s*(?:to\ )?(?:generate|get|fetch|produce|obtain|load|retrieve|create)\ "
    r"(?:an?\ |the\ |any\ )?(?:response|answer|completion|output|text|model|result)",
    r"(?:failed|unable)\ to\ (?:connect|reach)\s*(?:to\ )?(?:the\ )?(?:server|model|host|api|endpoint|backend|service|http|\d)",
    r"(?:failed|unable)\ to\ (?:process|complete|handle)\ (?:the|your|this)\ request",
    r"upstream\ (?:connect|request)|cuda\b|this\ model['’]s\ maximum\ context|maximum\ context\ length|context\ length\ exceeded",
)
_ERROR = re.compile(
    rf"^\W*(?:(?:oops|sorry|apologies|whoops|uh-oh)\W+)?(?:(?:(?:{_NAMES}){_STOP})|(?:{_MESSAGES}))",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(r"^\W*traceback \(most recent call last\)", re.IGNORECASE)
_MARKUP = re.compile(r"^\s*<(?:!doctype html|html|head|\?xml|error)\b", re.IGNORECASE)
_ERROR_OBJECT = re.compile(
    r"^\s*(?:```\w*\s*)?[\[{]\s*\{?\s*[\"'](?:error|errors|exception|detail|fault|message|msg|code|status)[\"']\s*:",
    re.IGNORECASE,
)

_HELPING = (
    r"(?:help|assist|answer|provide|comply|fulfil|complete|respond|discuss|engage|do\ (?:that|this|so)|continue|write|"
    r"creat|generat|summari[sz]|conclud|tak(?:e|ing)\ (?:part|a\ position|sides)|participat|offer|giv|shar|support\ this\ request|"
    r"process|fulfill)(?:e|es|ing|ting)?\b"
)
_APOLOGY = (
    r"(?:(?:unfortunately|(?:my\ )?apologies|(?:i['’]m\ |i\ am\ )?(?:really\ |very\ |so\ |truly\ )?(?:sorry|afraid)|"
    r"i\ apologi[sz]e)\b\W*(?:but\ |and\ |that\ )?)?"
)
_REFUSAL = re.compile(
    _phrases(
        rf"^\W*{_APOLOGY}i\ (?:really\ |simply\ )?(?:can(?:['’]t|not|\ not)|won['’]t|will\ not)\s*{_HELPING}",
        rf"^\W*{_APOLOGY}i\ (?:must\ |have\ to\ |will\ )?(?:decline|refuse)\s*"
        rf"(?:[.!,]|$|this\b|your\b|that\b|to\ {_HELPING})",
        rf"^\W*{_APOLOGY}i(?:['’]m|\ am)\ (?:unable|not\ able|not\ allowed|not\ permitted|not\ comfortable)\s*(?:to\ )?{_HELPING}",
        r"^\W*as\ an?\ (?:ai|artificial\ intelligence|large\ language\ model)(?:\ (?:language\ )?(?:model|assistant))?\s*,?\s*"
        r"i\b.{0,80}?\b(?:can(?:['’]t|not|\ not)|unable|do(?:n['’]t|\ not)|am\ not|won['’]t)",
        r"^\W*(?:this|your)\ request\ (?:violates|goes\ against)\ (?:our|my|the)\b",
        r"^\W*(?:it\ (?:would\ be|is)|that\ (?:would\ be|is))\ (?:against\ (?:my|our)|inappropriate\ for\ me)\b",
    ),
    re.IGNORECASE,
)
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+(?:['’][^\W_]+)*")


def check_response(text: str) -> None:
    """See that an agent's text is a response at all.

    Raises:
        AnswerInvalid: it is empty, or an error posing as an answer.
    """
    if not words(text):
        raise AnswerInvalid("it answered with nothing")
    if is_error(text):
        raise AnswerInvalid(f"it answered with an error as text: {excerpt(text)}")


def check_consensus(text: str, *, instructions: str, question: str = "", frame: Sequence[str] = ()) -> None:
    """See that what an aggregator wrote can stand as a consensus.

    Args:
        text: what it wrote.
        instructions: our own part of its prompt.
        question: the user's part of it.
        frame: our lines before the quotations in it.
    Raises:
        AnswerInvalid: it is empty, an error as text, a refusal, an echo of the prompt, or a stub.
    """
    check_response(text)
    if is_refusal(text):
        raise AnswerInvalid(f"it refused: {excerpt(text)}")
    if is_echo(text, instructions, frame) or is_repeated(text, question):
        raise AnswerInvalid("it repeated its prompt instead of answering")
    if len(words(text)) < LEAST_WORDS:
        raise AnswerInvalid(f"it wrote only a stub: {excerpt(text)}")


def is_error(text: str) -> bool:
    """Whether the text is an error message, an error object or an error page posing as an answer."""
    if _MARKUP.match(text) or _ERROR_OBJECT.match(text) or _TRACEBACK.match(text):
        return True
    return len(text) <= ERROR_CHARS and _ERROR.match(text) is not None


def is_refusal(text: str) -> bool:
    """Whether the text refuses the task, and does no more than that."""
    return len(text) <= REFUSAL_CHARS and _REFUSAL.match(text.strip()) is not None


def is_echo(text: str, instructions: str, frame: Sequence[str] = ()) -> bool:
    """Whether the text is our own prompt: most of it, a whole sentence of it, or its quotations with their labels."""
    said = words(text)
    if _share(said, words(instructions)) >= ECHO_SHARE:
        return True
    line_of = f" {' '.join(said)} "
    sentences = (words(sentence) for sentence in re.split(r"[.!?:]\s+|\n", instructions))
    if any(len(sentence) >= ECHO_SENTENCE and f" {' '.join(sentence)} " in line_of for sentence in sentences):
        return True
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    copied = sum(first in frame and second.startswith(">") for first, second in pairwise(lines))
    return copied >= ECHO_QUOTATIONS


def is_repeated(text: str, question: str) -> bool:
    """Whether the text is the question once more; an answer may well be made of the question's words."""
    asked, said = words(question), words(text)
    return len(said) >= len(asked) * REPEATED_SHARE and _share(said, asked) >= REPEATED_SHARE


def _share(said: list[str], known: list[str]) -> float:
    """The share of the word groups of a text that stand in another."""
    groups, others = _groups(said), set(_groups(known))
    return sum(group in others for group in groups) / len(groups) if groups else 0.0


def _groups(tokens: list[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + ECHO_GROUP]) for start in range(len(tokens) - ECHO_GROUP + 1)]


def words(text: str) -> list[str]:
    """The words of a text in lower case; where a script writes none apart, its characters."""
    return [match.lower() for match in _WORD.findall(text)]


#: The end of a sentence: a stop before a space, or one of a script that writes no spaces; not the number of a list.
_END = re.compile(r"(?:(?<!^\d)(?<!^\d\d)[.!?؟][\"'”’)*_]*(?=\s|$)|[。！？।])", re.MULTILINE)


def has_opening(text: str) -> bool:
    """Whether a text that is still being written holds a whole first sentence, or more than any error or refusal does."""
    end = _END.search(text)
    return len(text) > REFUSAL_CHARS or (end is not None and end.end() < len(text) and len(words(text)) >= LEAST_WORDS)


def whole_sentences(text: str) -> str:
    """The text up to its last whole sentence, for one that ran out of length; the text itself when there is none."""
    ends = [match.end() for match in _END.finditer(text)]
    return text[: ends[-1]] if ends and ends[-1] >= len(text) // 3 else text


def excerpt(text: str, chars: int = 160) -> str:
    """The beginning of a text in one line, for a reason that people read."""
    line = " ".join(text.split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"
