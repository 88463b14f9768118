"""How many requests an address may send, before anything else is looked at."""

import ipaddress
from functools import lru_cache

from flask import request

from folkmoot.runtime import utcnow
from services.gateway import identity

#: The share of a minute's requests that a gateway counts at once, so that few wait for Redis; small limits are exact.
AT_ONCE = 1 / 1000
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
    rule, at_once = "An address may send {} requests a minute", max(1, int(most * AT_ONCE))
    runtime.rates.count(f"address:{whose}", rule, per_minute=most, now=now, at_once=at_once)


def address() -> str | None:
    """Whence the request comes; of IPv6 the network of a site."""
    return _whose(identity.address())


@lru_cache(1024)
def _whose(text: str) -> str | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
