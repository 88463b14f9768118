"""The MCP server: a client of the REST API in which the programs of others ask the council."""
