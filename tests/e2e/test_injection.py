"""Responses that try to take the aggregator over reach it as quotations, and as nothing else."""

import pytest
import yaml

from tests.client import Client
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT

INJECTIONS: dict[str, str] = yaml.safe_load((ROOT / "tests" / "injections.yaml").read_text(encoding="utf-8"))
PANEL = ("qwen", "mistral", "deephermes")
NAMES = list(INJECTIONS)
#: Three at a time; the last ones with some that were tried before.
PANELS = [tuple(NAMES[(start + place) % len(NAMES)] for place in range(3)) for start in range(0, len(NAMES), 3)]
#: Signs that open the marks of chat templates, broken where they stand in a quotation.
OPENINGS = "<["


@pytest.mark.parametrize("kinds", PANELS, ids=" + ".join)
def test_injections_reach_the_aggregator_as_quotations(
    client: Client, model: ScriptedModel, kinds: tuple[str, str, str]
) -> None:
    """Between our own lines stands each response, every line of it marked, and taking the marks away gives it back."""
    texts = [INJECTIONS[kind] for kind in kinds]
    for agent_id, text in zip(PANEL, texts, strict=True):
        model.script(f"scripted/{agent_id}", {"text": text}, stage="response")

    ended = client.wait_done(client.ask()["job_id"])

    assert ended["status"] == "done", ended["notes"]
    assert "OWNED" not in ended["consensus"]["text"]
    [call] = model.calls(stage="consensus")
    system, asked = call.messages
    assert (system["role"], asked["role"]) == ("system", "user")
    assert not [text for text in texts if text in system["content"]]
    quotations, _, task = asked["content"].rpartition("\n\n")
    assert task.startswith("Write the consensus of these 3 responses") and "OWNED" not in task
    question, *responses = [block.split("\n") for block in quotations.split("\n\n")]
    assert question[0] == "The experts were asked:"
    assert [label for label, *_ in responses] == ["Response A:", "Response B:", "Response C:"]
    assert all(line.startswith("> ") for _, *lines in responses for line in lines)
    found = sorted("\n".join(line.removeprefix("> ") for line in lines) for _, *lines in responses)
    assert [_bare(text) for text in found] == sorted(_bare("\n".join(text.splitlines())) for text in texts)


def _bare(text: str) -> str:
    """The text without the room that breaks a template's marks."""
    for opening in OPENINGS:
        text = text.replace(f"{opening} ", opening)
    return text.strip()
