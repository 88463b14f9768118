"""A query's whole record as one file, to keep or to share."""

from typing import Any

from flask import Response, json, make_response
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import record
from folkmoot.store import queries as store
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import ExportPath

api = APIBlueprint("exports", __name__, url_prefix="/api/v1/queries")

MEDIA = {"md": "text/markdown; charset=utf-8", "json": "application/json"}
RECORD: dict[str | int, Any] = {
    200: {
        "description": "The record.",
        "content": {"text/markdown": {"schema": {"type": "string"}}, "application/json": {"schema": {}}},
    }
}


@api.get("/<job_id>/export.<format>", security=SIGNED_IN, responses={**RECORD, **problems(401, 404, 422)})
def export(path: ExportPath) -> Response:
    """The record of a query: question, responses, consensus, votes and what was measured."""
    query = store.find(identity.runtime().db, path.job_id, user_id=identity.account().user_id)
    text = (
        json.dumps(query.as_json(), indent=2, ensure_ascii=False) if path.format == "json" else record.markdown(query)
    )
    answer = make_response(text + "\n")
    answer.headers["Content-Type"] = MEDIA[path.format]
    answer.headers["Content-Disposition"] = f'attachment; filename="folkmoot-{query.job_id}.{path.format}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
