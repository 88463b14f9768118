"""Install locked packages, and then the project itself, into the environment this runs in, telling how far it is."""

import subprocess
import sys
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
#: Enough of pip's output to see why an installation failed.
LAST_LINES = 20
TELL_EVERY_S = 5.0
#: How pip's lines about a package that it has begin.
COMES = ("Collecting ", "Processing ", "Requirement already satisfied")


def main(locks: list[str]) -> int:
    """Install the locks as they are, then the project in place; 1 when pip fails."""
    locked = sum(_packages(ROOT / lock) for lock in locks)
    print(f"Installing {locked} packages from {' and '.join(locks)} (the first time takes a few minutes)", flush=True)
    options = [word for lock in locks for word in ("-r", lock)]
    # The locks hold all that is needed: nothing is resolved anew.
    if not _run([*PIP, "--no-deps", *options], locked):
        return 1
    return 0 if _run([*PIP, "--no-deps", "--no-build-isolation", "--editable", "."], 0) else 1


def _packages(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())


def _run(command: list[str], expected: int) -> bool:
    """Run pip, telling every few seconds how far it is; its own last words where it fails."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    come, told = 0, time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            last.append(line.rstrip())
            # Some are locked for other systems or other versions of Python only.
            expected -= line.startswith("Ignoring ")
            come += line.startswith(COMES)
            if expected > 0 and time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                print(f"  {come} of {expected} are here", flush=True)
            if line.startswith("Installing collected") and expected > 0:
                print("  unpacking", flush=True)
    if pip.returncode != 0:
        print("\n".join(["The installation failed; pip's last words:", *last]), file=sys.stderr, flush=True)
    return pip.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
