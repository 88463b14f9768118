"""Traces: what happens to a query, as spans of one story over all processes; made only where a collector is named.

Without one nothing that makes spans is even imported, and each function here is a look at a None.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING

from folkmoot.errors import SettingsError
from folkmoot.settings import variable

if TYPE_CHECKING:
    from folkmoot.spans import Recorder, RequestSpan

#: OpenTelemetry's own names for where a collector is; `spans` leaves it to its exporter to read them.
STANDARD = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
#: What is told where nothing is recorded.
NOTHING: AbstractContextManager[None] = nullcontext()


class _Process:
    """What this process records its spans with."""

    recorder: "Recorder | None" = None


#: When the work of this thread was sent and when it was taken, in nanoseconds since 1970; the first who asks has it.
_taken: ContextVar[tuple[int | None, int] | None] = ContextVar("taken", default=None)


def begin(process: str, url: str) -> None:
    """Record from now on, when this URL or OpenTelemetry's own variables name a collector.

    Raises:
        SettingsError: one is named, and what speaks to it is not installed.
    """
    if not url and not any(variable(name) for name in STANDARD):
        return
    try:
        from folkmoot.spans import Recorder  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            "FOLKMOOT_TRACES_URL names a collector, but the extra `tracing` is not installed: "
            "pip install --require-hashes -r requirements/tracing.txt"
        ) from error
    _Process.recorder = Recorder(process, url)


def is_on() -> bool:
    """Whether this process records."""
    return _Process.recorder is not None


def span(name: str, **attributes: str) -> AbstractContextManager[None]:
    """A step of what this thread is in; nothing where no span is around it, so that no trace begins in the middle."""
    recorder = _Process.recorder
    return NOTHING if recorder is None else recorder.span(name, attributes)


def note(**attributes: str) -> None:
    """Put attributes on the span that this thread is in."""
    if _Process.recorder is not None:
        _Process.recorder.note(attributes)


def carried() -> str | None:
    """The span that this thread is in, as W3C's `traceparent`: what another process goes on from."""
    return None if _Process.recorder is None else _Process.recorder.carried()


def sent() -> dict[str, str] | None:
    """The headers of a message that is sent now, by which its taker knows how long it lay."""
    return None if _Process.recorder is None else _Process.recorder.sent()


def take(headers: str | None) -> None:
    """Remember that this thread takes a message now, which was sent then, as `sent` has it."""
    if _Process.recorder is not None:
        _taken.set(_Process.recorder.taken(headers))


@contextmanager
def resumed(traceparent: str | None, name: str, **attributes: str) -> Iterator[None]:
    """Go on with a query's trace in work that was taken and claimed; both are told as steps that lie behind."""
    recorder = _Process.recorder
    if recorder is None or traceparent is None:
        yield
        return
    taken = _taken.get()
    _taken.set(None)
    with recorder.resumed(traceparent, name, taken, attributes):
        yield


def arrived(method: str, traceparent: str, request_id: str, passed_on: str) -> "RequestSpan":
    """A request that comes now, with what nginx says of it.

    Args:
        method: of HTTP.
        traceparent: the client's, else one that nginx has made of the request id.
        request_id: nginx's.
        passed_on: when nginx passed it on, as `t=` and seconds since 1970.
    """
    assert _Process.recorder is not None
    return _Process.recorder.arrived(method, traceparent, request_id, passed_on)
