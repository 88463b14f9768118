"""The stack's own settings: where it listens, where its data are, how many gateways it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: More replicas than this on one machine is a slip of the finger.
MOST_GATEWAYS = 64


class StartError(Exception):
    """The stack cannot start or go on; the text says why, and what to do."""


@dataclass(frozen=True)
class StackSettings:
    """What `make up` alone needs to know; everything else is `folkmoot.settings`."""

    host: str
    port: int
    gateways: int
    data_dir: Path

    @property
    def reached_at(self) -> str:
        """The host under which this machine reaches its own public address."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # nosec B104 # where to connect

    @property
    def url(self) -> str:
        """The public address as this machine reaches it."""
        return f"http://{bracketed(self.reached_at)}:{self.port}"


def read(variables: Mapping[str, str]) -> StackSettings:
    """Read them from the environment's variables.

    Raises:
        StartError: a value is wrong; the text names the variable, the value and what would be accepted.
    """
    return StackSettings(
        host=variables.get("FOLKMOOT_HOST") or "127.0.0.1",
        port=_whole(variables, "FOLKMOOT_PORT", 8080, least=0, most=65535),
        gateways=_whole(variables, "FOLKMOOT_GATEWAYS", 2, least=1, most=MOST_GATEWAYS),
        data_dir=Path(variables.get("FOLKMOOT_DATA_DIR") or "data").expanduser().absolute(),
    )


def _whole(variables: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    value = variables.get(name) or str(default)
    if value.isascii() and value.isdigit() and least <= int(value) <= most:
        return int(value)
    raise StartError(f"{name} is {value!r}: it must be a whole number from {least} to {most}.")


def bracketed(host: str) -> str:
    """The host as it stands in an address: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host
