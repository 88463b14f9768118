"""Suggestions: has the user asked this before, perhaps in other words."""

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import suggestions
from folkmoot.resources import SuggestionResource
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import SuggestionBody

api = APIBlueprint("suggestions", __name__, url_prefix="/api/v1/suggestions")


@api.post("", security=SIGNED_IN, responses={200: SuggestionResource, **problems(400, 401, 413, 415, 422)})
def suggest(body: SuggestionBody) -> Response:
    """The user's own earlier query that asked the same, if any; nothing is asked or stored."""
    found = suggestions.suggest(identity.runtime(), identity.account().user_id, body.as_ask())
    return jsonify(found.as_json())
