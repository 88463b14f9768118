"""The blocks of commands in docs/operations.md, run as they are."""

import re
import shlex

from tests.compose.deployment import UP_S, Deployment
from tests.compose.engine import run
from tests.stack import ROOT


def commands(beginning: str) -> str:
    """The one block of commands that begins so."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [block] = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if block.startswith(beginning)]
    return str(block)


def perform(deployment: Deployment, script: str) -> None:
    """Run commands of the documentation on this deployment, its files in the deployment's folder."""
    script = script.replace("docker compose", shlex.join(deployment.command()))
    for name in ("folkmoot-backup", "secrets"):
        script = script.replace(name, str(deployment.folder / name))
    run(["bash", "-euc", script], deployment.variables(), UP_S)
