"""OpenTelemetry's side of the traces: makes spans, and sends them to a collector; loaded by `traces`, if at all.

No span holds a text of a query, an answer or an error: only names, ids, states and times.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

#: A collector that is away costs the end of a process this long for each batch that is left, in seconds.
EXPORT_S = 2.0
#: Hexadecimal digits of a trace's id, and of a span's.
TRACE_DIGITS, SPAN_DIGITS = 32, 16

_PROPAGATOR = TraceContextTextMapPropagator()


class Recorder:
    """Makes the spans of one process."""

    def __init__(self, process: str, url: str) -> None:
        """Send them to the collector at this URL, or where OpenTelemetry's own variables say when it is empty."""
        endpoint = f"{url.rstrip('/')}/v1/traces" if url else None
        self._processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_S))
        self._ids = _Ids()
        self._tracer = self._tracer_of(process)
        # nginx makes no spans; its own is told by the gateway that it passed the request to.
        self._nginx = self._tracer_of("nginx")

    def _tracer_of(self, process: str) -> Tracer:
        resource = Resource.create(
            {
                "service.namespace": "folkmoot",
                "service.name": process,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            }
        )
        provider = TracerProvider(resource=resource, id_generator=self._ids)
        provider.add_span_processor(self._processor)
        return provider.get_tracer("folkmoot")

    def span(self, name: str, attributes: Mapping[str, str]) -> AbstractContextManager[None]:
        """A step inside the span of this thread; nothing where there is none, or its trace is not kept."""
        return self._inside(name, attributes) if trace.get_current_span().is_recording() else nullcontext()

    @contextmanager
    def _inside(
        self,
        name: str,
        attributes: Mapping[str, str],
        context: Context | None = None,
        start_time: int | None = None,
    ) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name,
            context,
            attributes=_named(attributes),
            start_time=start_time,
            # What an error says may quote a model, which may quote the question.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def note(self, attributes: Mapping[str, str]) -> None:
        """Put attributes on the span that this thread is in."""
        trace.get_current_span().set_attributes(_named(attributes))

    def carried(self) -> str | None:
        """The span that this thread is in, as `traceparent`."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def sent(self) -> dict[str, str]:
        """The headers of a message that is sent now."""
        return {"sent_ns": str(time.time_ns())}

    def taken(self, sent_ns: str | None) -> tuple[int | None, int]:
        """When a message with this header was sent, where it says so, and now."""
        return (int(sent_ns) if sent_ns is not None and sent_ns.isdecimal() else None), time.time_ns()

    @contextmanager
    def resumed(
        self, traceparent: str, name: str, taken: tuple[int | None, int] | None, attributes: Mapping[str, str]
    ) -> Iterator[None]:
        """Go on with a trace in work that was sent, taken and claimed; the claim ends now."""
        parent = _PROPAGATOR.extract({"traceparent": traceparent})
        sent_ns, taken_ns = taken or (None, time.time_ns())
        # Two machines' clocks may differ by more than a message lay.
        if sent_ns is not None and sent_ns < taken_ns:
            queued = self._tracer.start_span(
                "queued", parent, SpanKind.CONSUMER, attributes=_named(attributes), start_time=sent_ns
            )
            queued.end(taken_ns)
        with self._inside(name, attributes, parent, taken_ns):
            self._tracer.start_span("claim", start_time=taken_ns).end()
            yield

    def arrived(self, method: str, traceparent: str, request_id: str, passed_on: str) -> "RequestSpan":
        """A request that has come now: a span of nginx from when it was passed on, and the gateway's in it."""
        context = _PROPAGATOR.extract({"traceparent": traceparent})
        found = re.fullmatch(r"t=(\d{1,12})\.(\d{3})", passed_on)
        nginx: Span | None = None
        if found:
            passed_on_ns = int(found[1] + found[2]) * 1_000_000
            context, given = self._root(context, request_id)
            with given:
                nginx = self._nginx.start_span("nginx", context, SpanKind.SERVER, start_time=passed_on_ns)
            context = trace.set_span_in_context(nginx)
        own = self._tracer.start_span(
            method,
            context,
            SpanKind.SERVER,
            attributes={"http.request.method": method, "folkmoot.request_id": request_id},
        )
        return RequestSpan(own, nginx)

    def _root(self, context: Context, request_id: str) -> tuple[Context, AbstractContextManager[None]]:
        """Where the span of nginx belongs: at the root, with the ids it has told, unless the client brought a trace."""
        told = trace.get_current_span(context).get_span_context()
        is_own = (
            told.is_valid
            and f"{told.trace_id:032x}" == request_id
            and f"{told.span_id:016x}" == request_id[:SPAN_DIGITS]
        )
        return (Context(), self._ids.given(told.trace_id, told.span_id)) if is_own else (context, nullcontext())


class RequestSpan:
    """A request from its arrival until its answer has left."""

    def __init__(self, own: Span, nginx: Span | None) -> None:
        """The gateway's own span, and that of nginx around it, if it came that way."""
        self._own = own
        self._nginx = nginx

    def around(self) -> AbstractContextManager[Span]:
        """What is done inside belongs to it."""
        return trace.use_span(self._own, record_exception=False, set_status_on_exception=False)

    def answered(self, status: int, route: str) -> None:
        """Say what came of it: the status, and the address with names in place of ids."""
        self._own.update_name(route)
        self._own.set_attributes({"http.response.status_code": status, "http.route": route.partition(" ")[2]})
        if status >= 500:
            self._own.set_status(Status(StatusCode.ERROR))

    def note(self, **attributes: str) -> None:
        """Put attributes on it."""
        self._own.set_attributes(_named(attributes))

    def end(self) -> None:
        """The answer has left."""
        self._own.end()
        if self._nginx is not None:
            self._nginx.end()


class _Ids(RandomIdGenerator):
    """Random ids, but for a span whose ids were told before it was made."""

    def __init__(self) -> None:
        self._told = threading.local()

    @contextmanager
    def given(self, trace_id: int, span_id: int) -> Iterator[None]:
        """Give these to a span that this thread makes inside."""
        self._told.ids = trace_id, span_id
        try:
            yield
        finally:
            self._told.ids = None

    def generate_trace_id(self) -> int:
        """The one told, or a new one."""
        ids: tuple[int, int] | None = getattr(self._told, "ids", None)
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The one told, or a new one."""
        ids: tuple[int, int] | None = getattr(self._told, "ids", None)
        return ids[1] if ids else super().generate_span_id()


def _named(attributes: Mapping[str, str]) -> dict[str, str]:
    return {f"folkmoot.{name}": value for name, value in attributes.items()}
