"""The example of docs/analysis.md is what the product really says."""

import pytest

from folkmoot.analysis.analyser import Analyser

SAFE = "Nuclear power is a safe source of electricity."
UNSAFE = "Nuclear power is not a safe source of electricity."
BOTH = "New plants take about ten years to build."


def test_similar_responses_are_contested(analyser: Analyser) -> None:
    """Two responses that deny each other are nearly the same by cosine, and contested by what they claim."""
    responses = [("qwen", f"{SAFE} {BOTH}"), ("mistral", f"{UNSAFE} {BOTH}")]
    found = analyser.analyse("Is nuclear power safe?", "Open-ended", responses).as_json()

    assert found["similarity"][0][1] == pytest.approx(0.97, abs=0.01)
    assert found["score"] == {"agreed": 50, "contested": 50, "unique": 0, "label": "contested"}
    assert found["relations"][0]["relation"] == "contradict"
    assert found["relations"][0]["p_contradict"] == pytest.approx(0.968, abs=0.01)
    conflict = found["report"]["conflicts"][0]
    assert (conflict["one"]["text"], conflict["other"]["text"]) == (SAFE, UNSAFE)
