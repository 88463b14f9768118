"""What browsers send on behalf of other sites is refused: the cookie alone proves nobody's will."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

REFUSAL = JSONResponse({"detail": "This request came from another site."}, status_code=403)
#: Methods that change nothing.
READING = ("GET", "HEAD", "OPTIONS")


class SameOrigin:
    """Answers 403 to what changes something and names another origin; clients that are no browsers name none."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        foreign = scope["type"] == "http" and scope["method"] not in READING and not _is_own(Headers(scope=scope))
        await (REFUSAL if foreign else self._app)(scope, receive, send)


def _is_own(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
