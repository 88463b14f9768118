"""Each request as a span, from when nginx passed it on until its answer has left."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.wsgi import ClosingIterator

from folkmoot import traces

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from folkmoot.spans import RequestSpan

#: What asks every few seconds whether all is well.
QUIET = ("/healthz", "/readyz", "/metrics")
SPAN = "folkmoot.span"


def register(app: Flask) -> None:
    """Trace this app's requests, where traces are on."""
    if not traces.is_on():
        return
    app.wsgi_app = _Traced(app.wsgi_app)  # type: ignore[method-assign]

    @app.after_request
    def tell_answer(answer: Response) -> Response:
        span: RequestSpan | None = request.environ.get(SPAN)
        if span is not None:
            # Never the address as it came: it is anybody's to make up.
            span.answered(answer.status_code, f"{request.method} {request.url_rule or 'none'}")
            if job_id := (request.view_args or {}).get("job_id"):
                span.note(job_id=job_id)
        return answer


class _Traced:
    """A WSGI application whose requests are spans; a stream's lasts as long as the stream."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] in QUIET:
            return self._app(environ, start_response)
        span = environ[SPAN] = traces.arrived(environ["REQUEST_METHOD"], *_told(environ))
        try:
            with span.around():
                body = self._app(environ, start_response)
        except BaseException:
            span.end()
            raise
        return ClosingIterator(body, span.end)


def _told(environ: dict[str, Any]) -> tuple[str, str, str]:
    return (
        environ.get("HTTP_TRACEPARENT", ""),
        environ.get("HTTP_X_REQUEST_ID", ""),
        environ.get("HTTP_X_REQUEST_START", ""),
    )
