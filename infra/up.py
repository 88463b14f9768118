"""Start all of Folkmoot on this machine, without Docker, and end all of it at Ctrl-C: what `make up` runs."""

import sys
from pathlib import Path

# Run as a file, not as a module, so Python does not look for `infra` in the repository's root by itself.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from infra.local.stack import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
