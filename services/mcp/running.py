"""Runs the server on one of its transports."""

from collections.abc import Collection

from mcp.server.transport_security import TransportSecuritySettings

from ..client.rest import Gateway
from .identity import Identity
from .server import serve


def run(gateway: Gateway, identity: Identity, address: tuple[str, int] | None, names: Collection[str]) -> None:
    """Serve until the client hangs up, or until a signal.

    Args:
        address: where to listen for streamable HTTP; None serves standard input and output.
        names: under which callers may address it over HTTP; a page that reached it under another is refused.
    """
    mcp = serve(gateway, identity)
    if address is None:
        mcp.run("stdio")
        return
    schemes, ports = ("http", "https"), ("", ":*")
    security = TransportSecuritySettings(
        allowed_hosts=[f"{name}{port}" for name in names for port in ports],
        allowed_origins=[f"{scheme}://{name}{port}" for scheme in schemes for name in names for port in ports],
    )
    host, port = address
    mcp.run("streamable-http", host=host, port=port, transport_security=security)
