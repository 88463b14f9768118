"""The analysis as a program: one JSON object a line comes in, one goes out for each, with the models kept loaded."""

import json
import sys
from typing import Any

from folkmoot.analysis.analyser import Analyser

FORM = (
    'A line must be an object, {"query": "…", "question_type": "…", "responses": [{"agent_id": "…", "text": "…"}]}; '
    "its consensus may be a text, and an agent_id may come once."
)


def main() -> None:
    """Answer each line of the standard input until it ends; a line that cannot be read is answered with an error."""
    analyser = Analyser()
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(analyser, line), ensure_ascii=False), flush=True)


def answer(analyser: Analyser, line: str) -> dict[str, Any]:
    """What is printed for this line."""
    try:
        asked = json.loads(line)
        responses = [(_text(entry["agent_id"]), _text(entry["text"])) for entry in asked["responses"]]
        query, question_type = _text(asked["query"]), _text(asked.get("question_type", "None"))
        consensus = _text(asked["consensus"]) if asked.get("consensus") is not None else None
        roles = {agent: _text(role) for agent, role in asked.get("roles", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {"error": FORM}
    if len({agent for agent, _ in responses}) < len(responses):
        return {"error": FORM}
    return analyser.analyse(query, question_type, responses, consensus, roles).as_json()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    # Half of a pair of code units, which JSON can carry, is no character.
    return value.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    main()
