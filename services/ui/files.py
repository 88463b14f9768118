"""What the browser loads by itself, charts and exports: fetched from the gateway with the token of the cookie."""

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.client.rest import Gateway, GatewayError, NotYet, SignedOut, Unreachable
from services.ui.session import token_of

Chart = Literal["heatmap", "sentiment", "emotion", "radar", "claims"]
#: Headers of the gateway's answer that belong to the file.
KEPT = ("Content-Type", "Content-Disposition", "Content-Security-Policy", "X-Content-Type-Options")
#: A browser may keep a file only while it asks again each time, for the next user of it may be another.
CACHING = "private, no-cache"


def routes(gateway: Gateway) -> APIRouter:
    """The addresses of files."""
    router = APIRouter()

    @router.get("/account/export")
    def everything(request: Request) -> Response:
        try:
            pieces, headers = gateway.export(token_of(request))
        except GatewayError as error:
            return PlainTextResponse(str(error), _status(error), {"Cache-Control": "no-store"})
        kept = {header: headers[header] for header in KEPT if header in headers}
        # nginx sends it on as it comes.
        return StreamingResponse(pieces, headers=kept | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @router.get("/jobs/{job_id}/charts/{name}.{format_}")
    def chart(job_id: str, name: Chart, format_: Literal["png", "svg"], request: Request) -> Response:
        return _file(gateway, request, job_id, f"charts/{name}.{format_}")

    @router.get("/jobs/{job_id}/export.{format_}")
    def export(job_id: str, format_: Literal["md", "json"], request: Request) -> Response:
        return _file(gateway, request, job_id, f"export.{format_}")

    return router


def _file(gateway: Gateway, request: Request, job_id: str, name: str) -> Response:
    try:
        content, headers = gateway.file(token_of(request), job_id, name)
    except GatewayError as error:
        return PlainTextResponse(str(error), _status(error), {"Cache-Control": "no-store"})
    kept = {header: headers[header] for header in KEPT if header in headers}
    return Response(content, headers=kept | {"Cache-Control": CACHING, "Vary": "Cookie"})


def _status(error: GatewayError) -> int:
    if isinstance(error, SignedOut):
        return 401
    if isinstance(error, NotYet):
        return 409
    return 503 if isinstance(error, Unreachable) else 404
