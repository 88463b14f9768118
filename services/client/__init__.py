"""The REST API as its clients see it: what the page, the command line and the MCP server have in common."""
