"""Runs the command line: `python -m services.cli`, or `folkmoot` where it is installed."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
