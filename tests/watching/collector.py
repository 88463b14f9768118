"""A collector of traces: takes what OpenTelemetry sends, over the real protocol on a real socket, and shows it."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

MS = 1_000_000


@dataclass(frozen=True)
class Span:
    """A span that was sent; times are nanoseconds since 1970, ids are hexadecimal, a root's `parent` is empty."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    start_ns: int
    end_ns: int
    attributes: dict[str, str]


class Collector:
    """The server, in threads of this process; as a context manager it listens."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where traces are sent to."""
        return f"http://127.0.0.1:{self._port}"

    def listen(self) -> None:
        """Listen, on the same port each time."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuse whoever comes."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        """Listen."""
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def spans(self, trace: str) -> list[Span]:
        """What has come of a trace, in the order of its times."""
        found = (span for body in list(self.bodies) for span in _spans(body) if span.trace == trace)
        return sorted(found, key=lambda span: (span.start_ns, span.end_ns))


def _spans(body: bytes) -> Iterable[Span]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {one.key: one.value.string_value for one in group.resource.attributes}
        for scope in group.scope_spans:
            for one in scope.spans:
                yield Span(
                    about["service.name"],
                    one.name,
                    one.trace_id.hex(),
                    one.span_id.hex(),
                    one.parent_span_id.hex(),
                    one.start_time_unix_nano,
                    one.end_time_unix_nano,
                    {each.key: each.value.string_value for each in one.attributes},
                )


def gaps(spans: list[Span]) -> list[tuple[float, str]]:
    """The times that no step accounts for: milliseconds, and between which two steps.

    Looked at are the trace as a whole, by its innermost spans, and each span by those in it of the same process: what
    one seat loses must not hide behind another's model call.
    """
    parents = {span.parent for span in spans}
    found = _between(
        [span for span in spans if span.id not in parents], spans[0].start_ns, max(s.end_ns for s in spans)
    )
    for outer in spans:
        if inner := [span for span in spans if (span.parent, span.service) == (outer.id, outer.service)]:
            found += _between(inner, outer.start_ns, outer.end_ns)
    return found


def _between(steps: list[Span], start_ns: int, end_ns: int) -> list[tuple[float, str]]:
    reached, last, found = start_ns, "the start", list[tuple[float, str]]()
    for step in steps:
        if step.start_ns > reached:
            found.append(((step.start_ns - reached) / MS, f"{last} → {step.service} {step.name}"))
        if step.end_ns > reached:
            reached, last = step.end_ns, f"{step.service} {step.name}"
    return [*found, ((end_ns - reached) / MS, f"{last} → the end")]
