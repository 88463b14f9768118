"""Starts a worker: `python -m services.worker -Q agent.qwen`."""

import argparse
import sys

from folkmoot import settings as environment
from folkmoot import traces
from folkmoot.agents import AGGREGATE_QUEUE, ANALYSE_QUEUE, load_roster, queue_of
from folkmoot.dispatch import make_app
from folkmoot.errors import SettingsError
from services.worker.pool import run


def main() -> int:
    """Consume the queue until SIGTERM; 2 when the settings or the queue are wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.worker", description="Consume one queue.")
    parser.add_argument("-Q", "--queue", required=True, help="agent.<seat>, aggregate or analyse")
    queue = parser.parse_args().queue
    try:
        settings = environment.load()
        roster = load_roster(settings)
        known = [*(queue_of(seat) for seat in roster.seats), AGGREGATE_QUEUE, ANALYSE_QUEUE]
        if queue not in known:
            raise SettingsError(f"There is no queue {queue!r}. Choose from: {', '.join(known)}.")
        traces.begin(queue, settings.traces_url)
    except SettingsError as error:
        print(f"folkmoot worker: {error}", file=sys.stderr)
        return 2
    run(settings, make_app(settings), queue)
    return 0


if __name__ == "__main__":
    sys.exit(main())
