"""The analysis as a program: one line in, one line out, by the contract."""

import json
import os
import subprocess
import sys

import pytest

from folkmoot.analysis.__main__ import answer
from folkmoot.analysis.analyser import Analyser
from folkmoot.analysis.weights import TOKENIZER, Weights
from folkmoot.errors import WeightsDamaged

LINE = {
    "query": "Is it safe?",
    "question_type": "Yes/No",
    "responses": [{"agent_id": "a", "text": "Yes. It is a safe method."}, {"agent_id": "b", "text": "No, it is not."}],
}


def test_every_line_gets_its_line() -> None:
    """A process answers each line in order, one that it cannot read with a sentence, and keeps on."""
    lines = [json.dumps(LINE), "nonsense", json.dumps(LINE)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-m", "folkmoot.analysis"],
        input="\n".join(lines), capture_output=True, text=True, check=True, env=environment, encoding="utf-8",
    )  # fmt: skip
    first, second, third = [json.loads(line) for line in run.stdout.splitlines()]

    assert first == third
    assert set(second) == {"error"}
    assert first["votes"]["by_agent"] == {"a": "Yes", "b": "No"}
    assert first["relations"][0]["relation"] == "contradict"
    assert {"similarity", "score", "claims", "relations", "votes", "sentiment", "tones", "emotions", "features"} < set(
        first
    )


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"query": 1, "responses": []}',
        '{"query": "", "responses": [{"agent_id": "a"}]}',
        '{"query": "", "responses": [{"agent_id": "a", "text": ""}, {"agent_id": "a", "text": ""}]}',
        '{"query": "", "responses": [], "consensus": 1}',
    ],
)
def test_a_line_of_another_form_is_refused(analyser: Analyser, line: str) -> None:
    """What is wrong is said with what would be right."""
    assert "responses" in answer(analyser, line)["error"]


def test_half_a_character_is_read(analyser: Analyser) -> None:
    """JSON may carry half of a surrogate pair; it is read as a character that nobody knows."""
    found = answer(analyser, '{"query": "", "responses": [{"agent_id": "a", "text": "\\ud800 hello there you"}]}')

    assert found["score"] is None


def test_other_weights_are_not_loaded() -> None:
    """A file whose digest is another one than was measured is refused, and a missing one too."""
    assert TOKENIZER.checked()
    for wrong in (Weights(TOKENIZER.path, "0" * 64), Weights(TOKENIZER.path.with_name("none"), TOKENIZER.sha256)):
        with pytest.raises(WeightsDamaged, match="install"):
            wrong.checked()
