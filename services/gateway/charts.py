"""The charts of an analysis, as pictures."""

from typing import Any

from flask import Response, make_response, request
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import drawing
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import ChartPath

api = APIBlueprint("charts", __name__, url_prefix="/api/v1/queries")

MEDIA = {"png": "image/png", "svg": "image/svg+xml"}
#: A chart never changes: whoever has it need not ask again for a day. It is the user's own, so no proxy may keep it.
CACHING = "private, max-age=86400, immutable"
#: An SVG that is opened by itself is a document: this one may load and run nothing.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'"
PICTURE: dict[str | int, Any] = {
    200: {
        "description": "The picture.",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()},
    }
}


@api.get("/<job_id>/charts/<name>.<format>", security=SIGNED_IN, responses={**PICTURE, **problems(401, 404, 409, 422)})
def show_chart(path: ChartPath) -> Response:
    """A chart of the query's analysis; its words are in the query's own `analysis.charts`."""
    runtime, user_id = identity.runtime(), identity.account().user_id
    content = drawing.show(runtime, user_id, path.job_id, name=path.name, format_=path.format)
    answer = make_response(content)
    answer.headers["Content-Type"] = MEDIA[path.format]
    answer.headers["Cache-Control"] = CACHING
    answer.headers["Vary"] = "Authorization"
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
