"""The log lines of one query."""

import json
import subprocess

from tests.client import Client
from tests.stack import Stack, eventually

#: Who says what, in the order it happens; the agents' lines come in any order among themselves.
STORY = [
    ("gateway", "accepted"),
    ("agent", "asks, attempt 1"),
    ("agent", "response stored: ok"),
    ("aggregate", "concludes from 3 responses"),
    ("aggregate", "consensus stored: by llama3"),
    ("analyse", "measures"),
    ("analyse", "analysis stored: ready"),
]


def test_one_job_id_greps_to_one_story(stack: Stack, client: Client) -> None:
    """The lines of all processes that a grep finds, sorted, tell the way of a query from gateway to analysis."""
    job_id = client.ask("Should a story be told in order?")["job_id"]
    client.wait_settled(job_id)

    lines = eventually(lambda: told(stack, job_id, "analysis stored"), 10, "the last line is written")

    found = [(line["process"].partition(".")[0], line.get("message", "")) for line in lines]
    steps = [step for step in STORY for said in found if said[0] == step[0] and said[1].startswith(step[1])]
    assert [steps.count(step) for step in STORY] == [1, 3, 3, 1, 1, 1, 1], found
    places = [
        [place for place, said in enumerate(found) if said[0] == process and said[1].startswith(words)]
        for process, words in STORY
    ]
    # An agent may be asked after another has answered; every other step waits for all of the one before.
    assert min(places[1]) > places[0][0]
    assert max(places[2]) < places[3][0]
    assert [each[0] for each in places[3:]] == sorted(each[0] for each in places[3:])
    accepted = next(line for line in lines if line["process"] == "nginx" and line["method"] == "POST")
    own = [line for line in lines if line["process"] != "nginx"]
    assert {line["request_id"] for line in own if line["message"] != "accepted"} == {accepted["request_id"]}
    assert {line["agent_id"] for line in own if line["process"].startswith("agent.")} == {
        "qwen",
        "mistral",
        "deephermes",
    }
    assert "Should a story" not in json.dumps(lines)


def told(stack: Stack, job_id: str, last: str) -> list[dict[str, str]]:
    """The lines that a grep for the job finds, sorted as text; none before the last one is there."""
    logs = [str(path) for path in (stack.data / "logs").glob("*.log")]
    grep = subprocess.run(["/bin/grep", "-h", job_id, *logs], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in sorted(grep.stdout.splitlines())]
    return lines if any(last in line.get("message", "") for line in lines) else []
