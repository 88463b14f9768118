"""Starts the heartbeat service: `python -m services.heartbeat`."""

import signal
import sys
import threading
from types import FrameType

from folkmoot import logs, traces
from folkmoot import settings as environment
from folkmoot.errors import SettingsError
from folkmoot.runtime import build
from services.heartbeat.loop import run


def main() -> int:
    """Keep watch until SIGTERM or SIGINT; 2 when the settings are wrong."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        settings = environment.load()
        runtime = build(settings)
        # It makes no spans, and says when it sent a hint once more.
        traces.begin("heartbeat", settings.traces_url)
    except SettingsError as error:
        print(f"folkmoot heartbeat: {error}", file=sys.stderr)
        return 2
    logs.set_up("heartbeat", settings.log_level, settings.log_file)
    run(runtime, stopped)
    runtime.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
