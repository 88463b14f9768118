"""Serves MCP: `python -m services.mcp`, or `folkmoot-mcp` where it is installed."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
