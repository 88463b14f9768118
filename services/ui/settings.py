"""The UI's settings: read from the environment once, frozen, refused at start when wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A setting is wrong; the text names the variable, its value and what would be accepted."""


@dataclass(frozen=True)
class Settings:
    """Where the UI listens, and where its gateway is; either `socket` or `host` and `port` is set."""

    socket: str | None
    host: str
    port: int
    gateway_url: str
    log_level: str


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings out of the environment's variables.

    Raises:
        SettingsError: a value is wrong.
    """
    socket, host, port = _bind(environment.get("FOLKMOOT_UI_BIND") or "127.0.0.1:7860")
    return Settings(
        socket=socket,
        host=host,
        port=port,
        gateway_url=_url(environment.get("FOLKMOOT_GATEWAY_URL") or "http://127.0.0.1:8080"),
        log_level=_log_level(environment.get("FOLKMOOT_LOG_LEVEL") or "info"),
    )


def _bind(value: str) -> tuple[str | None, str, int]:
    if value.startswith("unix:") and len(value) > len("unix:"):
        return value.removeprefix("unix:"), "", 0
    host, _, port = value.rpartition(":")
    if host and port.isdigit() and 0 < int(port) < 65536:
        return None, host.strip("[]"), int(port)
    raise SettingsError(
        f"FOLKMOOT_UI_BIND is {value!r}: give host:port, such as 127.0.0.1:7860, or unix: and a socket's path."
    )


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme in ("http", "https") and parts.hostname:
        return value.rstrip("/")
    raise SettingsError(
        f"FOLKMOOT_GATEWAY_URL is {value!r}: give the gateway's address, such as http://127.0.0.1:8080."
    )


def _log_level(value: str) -> str:
    if value in LOG_LEVELS:
        return value
    raise SettingsError(f"FOLKMOOT_LOG_LEVEL is {value!r}: give one of {', '.join(LOG_LEVELS)}.")
