"""Thousands of requests made up from the OpenAPI document, good and bad: every answer is one that it describes."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import Client, new_user
from tests.conftest import scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import ROOT, Stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
#: By whether the cases are sent with a token: how many are made up at the most for each operation and way of asking.
EXAMPLES = {True: 280, False: 60}
#: Cases in both runs together, at the least.
LEAST_CASES = 5000


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack that no other test waits for: thousands of questions are asked of it."""
    with ScriptedModel(SEATS) as model, Stack(scripted_roster(model), {"FOLKMOOT_ANALYSIS": "false"}) as running:
        yield running


@pytest.mark.timeout(600)
def test_every_answer_is_described(own_stack: Stack) -> None:
    """Signed in and not, with every check that Schemathesis has: no 500, no status or shape beside the document's."""
    client = new_user(own_stack.url)
    client.wait_done(client.ask()["job_id"])

    cases = sum(_cases(own_stack, client if is_signed_in else None) for is_signed_in in EXAMPLES)

    assert cases >= LEAST_CASES
    assert "Traceback" not in (logs := own_stack.logs(lines=100_000)), logs[-20_000:]


def _cases(stack: Stack, client: Client | None) -> int:
    """How many cases were tried; each had an answer as described."""
    command = [str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run", "--no-color"]
    command += [f"{stack.url}/api/openapi.json", "--checks", "all", "--request-timeout", "30"]
    command += ["--max-examples", str(EXAMPLES[client is not None]), "--suppress-health-check", "all"]
    if client is not None:
        command += ["--header", f"Authorization: Bearer {client.token}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    found = "\n".join(line[:400] for line in done.stdout[done.stdout.find("= FAILURES =") :].splitlines())
    assert done.returncode == 0, found + done.stderr[-2000:]
    count = re.search(r"(\d+) generated", done.stdout)
    assert count is not None, done.stdout[-8000:]
    return int(count[1])
