"""Serves the UI: `python -m services.ui`."""

import asyncio
import inspect
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from pythonjsonlogger.core import RESERVED_ATTRS

from services.ui.settings import Settings, SettingsError, load

#: What is being answered at the end gets this long, in seconds; then open pages, whose streams have no end, are left.
FINISH_S = 1.0
#: What even then does not end is cut off, in seconds from the start of the ending.
SHUTDOWN_S = 4


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    # Gradio takes seconds to import; a wrong setting is told before that.
    with _without_stubs():
        from services.ui.app import create_app  # noqa: PLC0415

    server = Server(_configured(create_app(settings), settings))
    server.run()


@contextmanager
def _without_stubs() -> Iterator[None]:
    """Keep Gradio from parsing each component's source to write a stub file for editors beside it.

    It does so at every import, which is a third of its time, into a folder that may not be writable; a component
    whose source is in no file is passed over.
    """

    def in_no_file(object: object) -> str:  # noqa: ARG001
        raise OSError("no stub is wanted")

    getfile = inspect.getfile
    inspect.getfile = in_no_file
    try:
        yield
    finally:
        inspect.getfile = getfile


class Server(uvicorn.Server):
    """A server that hangs up on streams when it ends, as if their readers had left."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, hang up on the rest, end."""
        asyncio.get_running_loop().call_later(FINISH_S, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.close()


def _lines(level: str) -> dict[str, Any]:
    """The same lines as every other process': a JSON object each, the time first."""
    line = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "defaults": {"time": ""},
        "timestamp": "time",
        "fmt": ["levelname", "name", "message"],
        "rename_fields": {"levelname": "level", "name": "logger"},
        "static_fields": {"process": "ui"},
        "reserved_attrs": [*RESERVED_ATTRS, "color_message"],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }


def _configured(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        uds=settings.socket,
        host=settings.host,
        port=settings.port,
        log_config=_lines(settings.log_level),
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        # Behind nginx always: its word on scheme and address is taken, and nothing is decided by them.
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


if __name__ == "__main__":
    main()
