"""How many requests an address may send, before anything else is looked at."""

import ipaddress

from flask import request

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
    most, now = runtime.settings.rate_address_per_minute, utcnow().timestamp()
    runtime.rates.count(f"address:{whose}", "An address may send {} requests a minute", per_minute=most, now=now)


def address() -> str | None:
    """Whence the request comes; of IPv6 the network of a site."""
    try:
        found = ipaddress.ip_address(identity.address())
    except ValueError:
        return None
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
