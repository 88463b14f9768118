"""The command line installs by itself."""

import os
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import requests
import rich

from tests.stack import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"import hatchling.build; hatchling.build.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT / "services" / "cli", check=True, timeout=60)
    (built,) = folder.glob("folkmoot_cli-*.whl")
    return built


def test_needs_requests_and_rich_alone(wheel: Path) -> None:
    """Nothing of the server is required or carried along, and MCP only by its extra."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (message_from_bytes(archive.read(name)) for name in names if name.endswith("METADATA"))

    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [re.split(r"[<>=]", line)[0] for line in needed] == ["requests", "rich"]
    assert {name.split("/")[1] for name in names if name.startswith("folkmoot_cli/")} == {
        "__init__.py",
        "client",
        "cli",
        "mcp",
    }
    assert all(name.startswith("folkmoot_cli") for name in names)


def test_runs_with_its_requirements_alone(wheel: Path, tmp_path: Path) -> None:
    """Where only its own requirements can be imported, every command tells its help."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    needed = (
        "requests",
        "rich",
        "urllib3",
        "idna",
        "certifi",
        "charset_normalizer",
        "markdown_it",
        "mdurl",
        "pygments",
    )
    for module in (requests, rich):
        assert module.__file__
        site = Path(module.__file__).parents[1]
    for name in needed:
        (tmp_path / name).symlink_to(site / name)
    start = "import sys; from folkmoot_cli.cli.main import main; sys.exit(main())"

    # Without site-packages: what is not linked above is not there.
    told = subprocess.run(
        [sys.executable, "-S", "-c", start, "ask", "--help"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert "exit status:" in told.stdout
