"""Role or model, from the records of several queries to the shares."""

import json
from pathlib import Path
from typing import Any

import pytest

from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.role_or_model import design, main, measure

FOR, AGAINST = "Nuclear power is a safe source of electricity.", "Nuclear power is not a safe source of electricity."


def record(*dealt: tuple[str, str, str], query: str = "What of nuclear power?") -> dict[str, Any]:
    """A query's record in which (seat, role, text) answered, and one seat did not."""
    answers = [{"agent_id": seat, "role": role, "text": text, "status": "ok"} for seat, role, text in dealt]
    silent = {"agent_id": "llama3", "role": "Rawlsian", "text": None, "status": "timed_out"}
    return {"query": query, "question_type": "None", "responses": [*answers, silent]}


def records(*texts: str) -> list[dict[str, Any]]:
    """Two queries with the roles exchanged; texts of (qwen as A, mistral as B), (qwen as B, mistral as A)."""
    return [
        record(("qwen", "Utilitarian", texts[0]), ("mistral", "Libertarian", texts[1])),
        record(("qwen", "Libertarian", texts[2]), ("mistral", "Utilitarian", texts[3])),
    ]


@pytest.mark.parametrize(
    ("texts", "explains"),
    [((FOR, AGAINST, AGAINST, FOR), "role"), ((FOR, AGAINST, FOR, AGAINST), "model")],
    ids=["the role speaks", "the model speaks"],
)
def test_what_makes_the_difference_explains_it(analyser: Analyser, texts: tuple[str, ...], explains: str) -> None:
    """Responses that follow the role are the role's, and those that stay with the seat are the model's."""
    found = measure(analyser, *design(records(*texts)))

    assert getattr(found, explains) > 0.9
    assert found.role + found.model + found.rest == pytest.approx(1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([*records(*"abcd"), *records(*"abcd")], "twice on the same seat"),
        (records(*"abcd")[:1], "missing: Libertarian on qwen, Utilitarian on mistral"),
        ([records(*"abcd")[0], record(query="Another?")], "one question"),
        ([{}], "export.json"),
        ([{"query": "?", "question_type": "None", "responses": [None]}], "export.json"),
    ],
)
def test_what_is_no_factorial_is_refused(wrong: list[dict[str, Any]], says: str) -> None:
    """A combination that is missing or came twice, or another question, is named."""
    with pytest.raises(ValueError, match=says):
        design(wrong)


def test_the_program_reads_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of exported queries give one line of shares; what cannot be read, a sentence and the status 2."""
    paths = [tmp_path / f"{number}.json" for number in range(2)]
    for path, one in zip(paths, records(FOR, AGAINST, AGAINST, FOR), strict=True):
        path.write_text(json.dumps(one), encoding="utf-8")

    assert main([str(path) for path in paths]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["role"] > 0.9 and found["responses"] == 4
    for wrong in ([], [str(tmp_path / "none.json")], [str(paths[0])]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1
