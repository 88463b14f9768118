"""The loop: every `sweep_s` a sweep and a look at everyone's signs, every `probe_s` a probe of each endpoint."""

import logging
import threading
import time
from collections.abc import Callable

from folkmoot import settings as environment
from folkmoot.errors import AgentError
from folkmoot.runtime import Runtime, utcnow
from folkmoot.sweep import sweep
from services.heartbeat.changes import Changes

#: An endpoint that takes longer to name its models is not well.
PROBE_TIMEOUT_S = 5.0

log = logging.getLogger(__name__)


def run(runtime: Runtime, stopped: threading.Event) -> None:
    """Watch until stopped; an error of one look is logged, and the next look comes all the same."""
    watch = Watch(runtime)
    probing = threading.Thread(target=watch.probe_until, args=(stopped,), name="probes", daemon=True)
    probing.start()
    while True:
        sweep(runtime)
        _guarded("health", watch.refresh)
        if stopped.wait(runtime.settings.sweep_s):
            return


def _guarded(what: str, look: Callable[[], object]) -> None:
    try:
        look()
    except Exception:
        log.exception("%s failed; the next look comes in a moment", what)


class Watch:
    """The newest probe of each seat's endpoint, and the health board made of it and of all other signs."""

    def __init__(self, runtime: Runtime) -> None:
        """Listen from now on: silence is counted from here at the earliest."""
        self._runtime = runtime
        self._started_at = utcnow().timestamp()
        self._probe_errors: dict[str, str | None] = {}
        self._changes = Changes(runtime.db)

    def refresh(self) -> None:
        """Judge every seat by its signs and write the board."""
        now = utcnow().timestamp()
        health = self._runtime.health
        signs = {
            seat: health.signs(seat, now=now, probe_error=self._probe_errors.get(seat))
            for seat in self._runtime.roster.seats
        }
        changed = health.refresh(signs, now=now, started_at=self._started_at)
        for entry in changed:
            log.info("%s is %s%s", entry.agent_id, entry.state, f": {entry.reason}" if entry.reason else "")
        self._changes.record(changed, at=utcnow())

    def probe_until(self, stopped: threading.Event) -> None:
        """Probe the endpoints again and again, each address once for all seats that share it."""
        while True:
            started = time.monotonic()
            _guarded("probe", self.probe)
            if stopped.wait(max(0.0, self._runtime.settings.probe_s - (time.monotonic() - started))):
                return

    def probe(self) -> None:
        """See whether something answers at each seat's endpoint."""
        results: dict[tuple[str, str | None], str | None] = {}
        for agent_id, seat in self._runtime.roster.seats.items():
            address = (seat.base_url, seat.api_key_env)
            if address not in results:
                key = environment.variable(seat.api_key_env) if seat.api_key_env else None
                try:
                    self._runtime.provider.reachable(seat, key, timeout_s=PROBE_TIMEOUT_S)
                    results[address] = None
                except AgentError as error:
                    results[address] = str(error)
            self._probe_errors[agent_id] = results[address]
