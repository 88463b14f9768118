"""The documents about the API itself: the OpenAPI document and the page that shows it."""

from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect
from flask_openapi3.openapi import OpenAPI

from services.gateway.problems import Problem

DESCRIPTION = (
    "Ask several language models the same question at once, and get one answer that says where they agree, where they "
    "do not and why. Sign up, sign in, and send the token as `Authorization: Bearer <token>`."
)
SECURITY: dict[str, Any] = {"token": {"type": "http", "scheme": "bearer"}}
#: What an operation that wants a token says in the document.
SIGNED_IN: list[dict[str, list[Any]]] = [{"token": []}]

api = Blueprint("documents", __name__)


@api.get("/api/openapi.json")
def document() -> Response:
    """The OpenAPI document of this gateway."""
    return jsonify(current_app.extensions["folkmoot-document"]())


@api.get("/api/docs")
def page() -> Any:
    """The page that shows the document; all its parts come from this gateway."""
    return redirect("/api/docs/swagger")


def register(app: OpenAPI) -> None:
    """Serve the documents, made when first asked for: by then every route is known."""
    app.extensions["folkmoot-document"] = cache(lambda: _tidied(app.api_doc))
    app.register_blueprint(api)


def problems(*statuses: int) -> dict[str | int, Any]:
    """The refusals of an operation, for its documentation."""
    return {
        status: {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        for status in all_refusals(*statuses)
    }


def all_refusals(*statuses: int) -> list[int]:
    """These and the ones that any operation may give."""
    return sorted({400, 414, *statuses, 429, 503})


def _tidied(content: dict[str, Any]) -> dict[str, Any]:
    """The document with the problem's own schema, and without the refusal that the library adds to every operation."""
    schemas = content["components"]["schemas"]
    schemas.pop("ValidationErrorModel", None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema
    for path in content["paths"].values():
        for operation in path.values():
            operation["responses"] = {
                status: answer
                for status, answer in operation["responses"].items()
                if "ValidationErrorModel" not in str(answer)
            }
    return content
