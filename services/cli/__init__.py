"""The command line: a client of the REST API in a terminal."""
