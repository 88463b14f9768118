"""The loop: every `sweep_s` a sweep and a look at everyone's signs."""

import logging
import threading
from collections.abc import Callable

from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

from folkmoot import liveness
from folkmoot.agents import circuits_of
from folkmoot.runtime import Runtime, utcnow
from folkmoot.sweep import sweep
from services.heartbeat.changes import Changes
from services.heartbeat.probing import Probing

log = logging.getLogger(__name__)


def run(runtime: Runtime, stopped: threading.Event) -> None:
    """Watch until stopped; an error of one look is logged, and the next look comes all the same."""
    with Probing(runtime) as probing:
        watch = Watch(runtime, probing)
        while True:
            sweep(runtime)
            _guarded("health", watch.refresh)
            liveness.show(runtime.settings.alive_file)
            if stopped.wait(runtime.settings.sweep_s):
                return


def _guarded(what: str, look: Callable[[], object]) -> None:
    try:
        look()
    except (NoConnection, NoAnswer) as error:
        log.warning("%s failed, for Redis does not answer: %s; the next look comes in a moment", what, error)
    except Exception:
        log.exception("%s failed; the next look comes in a moment", what)


class Watch:
    """The health board, made of all signs: heartbeats, circuits, and the newest probe of each endpoint."""

    def __init__(self, runtime: Runtime, probing: Probing) -> None:
        """Listen from now on: silence is counted from here at the earliest."""
        self._runtime = runtime
        self._probing = probing
        self._started_at = utcnow().timestamp()
        self._changes = Changes(runtime.db)

    def refresh(self) -> None:
        """Judge every seat by its signs, write the board, and have tried again what has rested long enough."""
        now = utcnow().timestamp()
        health = self._runtime.health
        signs = {
            agent_id: health.signs(
                agent_id, circuits_of(agent_id, seat), now=now, probe_error=self._probing.error_of(seat)
            )
            for agent_id, seat in self._runtime.roster.seats.items()
        }
        changed = health.refresh(signs, now=now, started_at=self._started_at)
        for entry in changed:
            log.info("%s is %s%s", entry.agent_id, entry.state, f": {entry.reason}" if entry.reason else "")
        self._probing.look_after(signs, now=now)
        self._changes.record(changed, at=utcnow())
