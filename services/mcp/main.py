"""Starts the MCP server on standard input and output, or on streamable HTTP."""

import argparse
import os
import sys
from collections.abc import Sequence

from ..client.logins import SERVER, LoginError, Logins, server_of
from ..client.rest import Gateway
from .identity import Identity

#: Names by which a browser's page could reach a server on this machine; a page under another name is refused.
LOCAL = ("127.0.0.1", "localhost", "[::1]")


def main(words: Sequence[str] | None = None) -> int:
    """Serve until the client hangs up, or until a signal."""
    said = _parser().parse_args(words)
    try:
        server = server_of(said.server or os.environ.get("FOLKMOOT_URL") or SERVER)
    except LoginError as error:
        sys.stderr.write(f"folkmoot-mcp: {error}\n")
        return 2
    try:
        from .running import run  # noqa: PLC0415
    except ModuleNotFoundError:
        sys.stderr.write("folkmoot-mcp: the extra `mcp` is not installed; install folkmoot-cli[mcp].\n")
        return 1
    over_http = said.transport == "http"
    identity = Identity(server, Logins(os.environ), shared=said.shared_login or not over_http)
    address = (said.host, said.port) if over_http else None
    run(Gateway(server), identity, address, {*LOCAL, said.host, *said.allow_host})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="folkmoot-mcp", description="Let MCP clients ask the council.")
    parser.add_argument("--server", metavar="URL", help=f"the gateway; default: FOLKMOOT_URL, or {SERVER}")
    parser.add_argument("--transport", choices=["stdio", "http"], default="stdio")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen, with http; default: %(default)s")
    parser.add_argument("--port", type=int, default=8090, help="default: %(default)s")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name under which clients reach it over http; can be given again",
    )
    parser.add_argument(
        "--shared-login",
        action="store_true",
        help="with http: whoever sends no token of their own asks with FOLKMOOT_TOKEN or the login of `folkmoot login`",
    )
    return parser
