"""The tree of errors is the one drawn at the top of its module."""

import inspect
import re

from folkmoot import errors
from folkmoot.errors import AnswerInvalid, EndpointRefused, FolkmootError, InvalidRequest


def test_the_drawn_tree_is_the_real_one() -> None:
    """Every error stands in the drawing, below the error that it is a kind of."""
    real = {
        (name, kind.__base__.__name__)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind is not FolkmootError and kind.__base__ is not None
    }

    assert set(_drawn()) == real


def _drawn() -> list[tuple[str, str]]:
    """(error, parent) of each line of the drawing."""
    above = ["FolkmootError"]
    found = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"((?:│   |    )*)[├└]── (\w+)", line):
            depth = len(match.group(1)) // 4 + 1
            above = [*above[:depth], match.group(2)]
            found.append((match.group(2), above[depth - 1]))
    return found


def test_an_invalid_request_reads_as_its_sentences() -> None:
    """The text of an invalid request names each field with its sentence, for logs and for callers without fields."""
    error = InvalidRequest({"query": "It is empty.", "domain": "There is none such."})

    assert str(error) == "query: It is empty. domain: There is none such."
    assert error.fields == {"query": "It is empty.", "domain": "There is none such."}


def test_a_refusal_reads_as_its_sentence_alone() -> None:
    """What an endpoint said is shown as it is; its status stays beside the text."""
    error = EndpointRefused("its endpoint answered HTTP 503: busy", status=503)

    assert str(error) == "its endpoint answered HTTP 503: busy"
    assert (error.status, error.context_exceeded) == (503, False)


def test_a_brief_reason_holds_nobodys_words() -> None:
    """What everybody may read of an agent's failure is our own words, without those of a model or a provider."""
    assert AnswerInvalid("it refused: I can't discuss: your divorce").brief == "it refused"
    assert EndpointRefused("its endpoint answered HTTP 400: flagged: kill", status=400).brief.endswith("HTTP 400")
    assert AnswerInvalid("it answered with nothing").brief == "it answered with nothing"
