"""Endpoints asked apart from any query: a probe of each now and then, and a trial of one that has rested."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from folkmoot import calls
from folkmoot.agents import Endpoint, Seat, circuits_of
from folkmoot.errors import AgentError, EndpointRefused, Interrupted
from folkmoot.health import Signs
from folkmoot.runtime import Runtime, utcnow
from folkmoot.wire import Request

#: An endpoint that takes longer to name its models is not well.
PROBE_TIMEOUT_S = 5.0
#: An endpoint whose probe failed is probed again after this, in seconds.
PROBE_AGAIN_S = 5.0
#: What a trial may take, in seconds: its answer is a word.
TRIAL_TIMEOUT_S = 15.0
TRIAL_TOKENS = 8
TRIAL = "This is a test of the connection. Answer with the one word: yes."
#: Endpoints asked at the same time.
THREADS = 8

#: Where a seat's endpoint lies, and the variable that holds its key.
Address = tuple[str, str | None]

log = logging.getLogger(__name__)


class Probing:
    """What is asked of the endpoints, in threads of its own, and what the newest probe of each address gave.

    A closed circuit is probed (a list of models costs nothing). An open one is left alone until its pause is over;
    then one small completion is its trial, of which a whole answer closes it.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Ask nothing yet."""
        self._errors: dict[Address, str | None] = {}
        self._runtime = runtime
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe")
        self._under_way: dict[str, Future[None]] = {}
        self._probe_at: dict[Address, float] = {}

    def __enter__(self) -> Self:
        """Nothing is to be prepared."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask nothing more."""
        self._runtime.provider.interrupt()
        self._threads.shutdown(cancel_futures=True)

    def look_after(self, signs: Mapping[str, Signs], *, now: float) -> None:
        """Begin every probe and every trial that is due; none waits for another."""
        for agent_id, seat in self._runtime.roster.seats.items():
            for (name, endpoint), circuit in zip(
                circuits_of(agent_id, seat).items(), signs[agent_id].circuits, strict=True
            ):
                if circuit.open_until is None:
                    if name == agent_id and now >= self._probe_at.get(_address(seat), 0):
                        self._begin(seat.base_url, partial(self._probe, seat))
                elif now >= circuit.open_until:
                    self._begin(name, partial(self._try, name, seat, endpoint))

    def error_of(self, seat: Seat) -> str | None:
        """Why the newest probe of a seat's address failed; None when it did not."""
        return self._errors.get(_address(seat))

    def _begin(self, what: str, act: Callable[[], None]) -> None:
        earlier = self._under_way.get(what)
        if earlier is None or earlier.done():
            self._under_way[what] = self._threads.submit(_guarded, what, act)

    def _probe(self, seat: Seat) -> None:
        """See whether something answers at the seat's address, once for all seats that share it."""
        try:
            self._runtime.provider.reachable(seat, calls.key(seat.api_key_env), timeout_s=PROBE_TIMEOUT_S)
            error = None
        except AgentError as failure:
            error = str(failure)
        self._errors[_address(seat)] = error
        wait_s = self._runtime.settings.probe_s
        self._probe_at[_address(seat)] = utcnow().timestamp() + (
            wait_s if error is None else min(wait_s, PROBE_AGAIN_S)
        )

    def _try(self, circuit: str, seat: Seat, endpoint: Endpoint) -> None:
        """Let the endpoint answer with a word, if nobody else is trying it."""
        breaker = self._runtime.health.breaker
        permit = breaker.permit(circuit, now=utcnow().timestamp(), hold_s=TRIAL_TIMEOUT_S + 1)
        if permit is None or not permit.is_trial:
            return
        self._runtime.failpoints.reach("trial.begun")
        try:
            self._ask(seat, endpoint)
        except Interrupted:
            breaker.release(permit)
        except AgentError as error:
            retry_after_s = error.retry_after_s if isinstance(error, EndpointRefused) else None
            breaker.erred(permit, error.brief, now=utcnow().timestamp(), retry_after_s=retry_after_s)
        else:
            breaker.succeeded(permit)

    def _ask(self, seat: Seat, endpoint: Endpoint) -> None:
        wake = threading.Event()
        request = Request(
            endpoint=endpoint,
            messages=[{"role": "user", "content": TRIAL}],
            temperature=seat.temperature,
            max_tokens=TRIAL_TOKENS,
            api_key=calls.key(endpoint.api_key_env),
        )
        call = self._runtime.provider.start(request, timeout_s=TRIAL_TIMEOUT_S, wake=wake)
        while call.completion is None:
            wake.wait()
            wake.clear()
            call.take()


def _address(seat: Seat) -> Address:
    return seat.base_url, seat.api_key_env


def _guarded(what: str, act: Callable[[], None]) -> None:
    try:
        act()
    except Interrupted:
        log.debug("%s was not asked to the end: the process is ending", what)
    except Exception:
        log.exception("asking %s failed; the next time comes in a moment", what)
