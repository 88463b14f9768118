"""Answers that are resources, as JSON."""

from flask import Response

from folkmoot.resources import Resource


def of(resource: Resource, status: int = 200, **headers: str) -> Response:
    """A resource as the answer, written by pydantic at once; `jsonify` would take the values one by one."""
    return Response(resource.as_text() + "\n", status, headers, mimetype="application/json")
