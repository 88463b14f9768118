"""Serves the UI: `python -m services.ui`."""

import os
import sys

import uvicorn

from services.ui.settings import Settings, SettingsError, load

#: Open pages hold a connection each; at the end they get this long, in seconds.
SHUTDOWN_S = 2


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    # Gradio takes seconds to import; a wrong setting is told before that.
    from services.ui.app import create_app  # noqa: PLC0415

    server = uvicorn.Server(_configured(create_app(settings), settings))
    server.run()


def _configured(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        uds=settings.socket,
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        # Behind nginx always: its word on scheme and address is taken, and nothing is decided by them.
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


if __name__ == "__main__":
    main()
