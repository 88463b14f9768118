"""How many requests an address may send, before anything else is looked at."""

import ipaddress
import math

from flask import request

from folkmoot.errors import LimitReached
from folkmoot.runtime import utcnow
from services.gateway import identity

#: What asks whether the gateway lives and is well is always answered.
EXEMPT = {"system.healthz", "system.readyz", "metrics.show"}


def check() -> None:
    """Count the request.

    Raises:
        LimitReached: its address has sent too many.
    """
    whose = address()
    if request.endpoint in EXEMPT or whose is None:
        return
    runtime = identity.runtime()
    most = runtime.settings.rate_address_per_minute
    wait_s = runtime.rates.wait_s(f"address:{whose}", per_minute=most, now=utcnow().timestamp())
    if wait_s:
        raise LimitReached(
            f"An address may send {most} requests a minute, and yours has just done so. "
            f"Try again in {math.ceil(wait_s)} s.",
            retry_after_s=wait_s,
        )


def address() -> str | None:
    """Whence the request comes, as nginx says, which overwrites what clients claim; of IPv6 the network of a site."""
    try:
        found = ipaddress.ip_address(request.headers.get("X-Real-IP") or request.remote_addr or "")
    except ValueError:
        return None
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
