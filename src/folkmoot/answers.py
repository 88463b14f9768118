"""What counts as an answer: the checks on what a model wrote before it is stored or shown. Pure functions."""

import json
import re

from folkmoot.errors import AnswerInvalid

#: A consensus of fewer words is a stub, not an answer.
LEAST_WORDS = 5
#: A text longer than this that merely begins like an error or a refusal is prose about one.
ERROR_CHARS = 400
REFUSAL_CHARS = 600
#: From this share of its word groups found in our own instructions, a text is an echo of them.
ECHO_SHARE = 0.6
ECHO_GROUP = 5

_ERROR = re.compile(
    r"""^\W*(
      (internal\ |unexpected\ |unknown\ |api\ |server\ |upstream\ |fatal\ |runtime\ |provider\ |model\ )*
        (error|exception|failure)\b\s*([:\-({\[]|\d|$|occurred|while|code|status|processing|generating|calling)
    | traceback\ \(most\ recent
    | (http\S*\s+)?[45]\d\d\s+(error|bad|unauthor|forbidden|not\ found|too\ many|internal|service|gateway|server)
    | http(/\d(\.\d)?)?\s+(status\s+|error\s+)?[45]\d\d
    | (internal\ server\ error|bad\ gateway|service\ (temporarily\ )?unavailable|gateway\ time-?out|too\ many\ requests)
    | rate\ limit(ed|\ (exceeded|reached))?\b
    | (request|connection|read|upstream)\ (has\ )?(timed\ out|timeout|refused|reset|error)
    | (insufficient|exceeded)\ (your\ )?(current\ )?quota
    | (the\ )?(model|server|service)\ (is\ )?(currently\ |temporarily\ )?(overloaded|unavailable|not\ available)
    | (invalid|incorrect|missing)\ (api\ key|authentication)
    | an?\ (\w+\ )?error\ (has\ )?(occurred|happened)
    | (failed|unable)\ to\ (generate|connect|fetch|get\ a\ response|process\ (the|your)\ request)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_HTML = re.compile(r"^\s*(<!doctype html|<html|<head|<\?xml)", re.IGNORECASE)
_REFUSAL = re.compile(
    r"""^\W*((unfortunately|apologies|my\ apologies|sorry|i\ apologi[sz]e)\b[^.!]{0,60}?[,.!:]?\s*(but\ )?(and\ )?)?
    (
      (i['’]m|i\ am)\ (really\ |very\ |so\ )?(sorry|afraid)\b.{0,60}?\b(can(['’]t|not|\ not)|unable|won['’]t|not\ able)
    | i\ (really\ |simply\ )?(can(['’]t|not|\ not)|won['’]t|will\ not|must\ decline|have\ to\ decline|decline\ to|
        refuse\ to)\s*(to\ )?(help|assist|answer|provide|comply|fulfil|complete|respond|discuss|engage|
        do\ (that|this)|continue|write|create|generate|summari[sz]e|conclude|take|participate|
        offer|give|share|support\ this\ request|$|[.,])
    | (i['’]m|i\ am)\ (unable|not\ able|not\ allowed|not\ permitted|not\ comfortable)\b
    | as\ an?\ (ai|artificial|large)\b.{0,80}?\b(can(['’]t|not|\ not)|unable|do(n['’]t|\ not)|am\ not|won['’]t)
    | (this|your)\ request\ (violates|goes\ against)
    | it\ (would\ be|is)\ (against|inappropriate\ for\ me)
    )""",
    re.IGNORECASE | re.VERBOSE,
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


def check_consensus(text: str, *, fence: str, instructions: str) -> None:
    """See that what an aggregator wrote can stand as a consensus.

    Args:
        text: what it wrote.
        fence: the code around the quoted responses; only an echo of the prompt holds it.
        instructions: our own part of its prompt, question included, responses not.
    Raises:
        AnswerInvalid: it is empty, an error as text, a refusal, an echo of the prompt, or a stub.
    """
    check_response(text)
    if is_refusal(text):
        raise AnswerInvalid(f"it refused: {excerpt(text)}")
    if fence in text or is_echo(text, instructions):
        raise AnswerInvalid("it repeated its prompt instead of answering")
    if len(words(text)) < LEAST_WORDS:
        raise AnswerInvalid(f"it wrote only a stub: {excerpt(text)}")


def is_error(text: str) -> bool:
    """Whether the text is an error message, an error object or an error page posing as an answer."""
    if _HTML.match(text):
        return True
    try:
        content = json.loads(text)
    except ValueError:
        return len(text) <= ERROR_CHARS and _ERROR.match(text) is not None
    return isinstance(content, dict) and bool({"error", "errors", "detail", "exception"} & content.keys())


def is_refusal(text: str) -> bool:
    """Whether the text refuses the task, and does no more than that."""
    return len(text) <= REFUSAL_CHARS and _REFUSAL.match(text.strip()) is not None


def is_echo(text: str, instructions: str) -> bool:
    """Whether most of the text stands word for word in our own instructions."""
    groups = _groups(words(text))
    if not groups:
        return False
    known = set(_groups(words(instructions)))
    return sum(group in known for group in groups) / len(groups) >= ECHO_SHARE


def _groups(tokens: list[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + ECHO_GROUP]) for start in range(len(tokens) - ECHO_GROUP + 1)]


def words(text: str) -> list[str]:
    """The words of a text in lower case; where a script writes none apart, its characters."""
    return [match.lower() for match in _WORD.findall(text)]


def whole_sentences(text: str) -> str:
    """The text up to its last whole sentence, for one that ran out of length; the text itself when there is none."""
    ends = [match.end() for match in re.finditer(r"[.!?。！？][\"'”’)]*(?=\s|$)", text)]
    return text[: ends[-1]] if ends and ends[-1] >= len(text) // 3 else text


def excerpt(text: str, chars: int = 160) -> str:
    """The beginning of a text in one line, for a reason that people read."""
    line = " ".join(text.split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"
