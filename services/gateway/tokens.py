"""A user's own API tokens: made, listed and revoked, which takes a session."""

from dataclasses import asdict

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import tokens
from folkmoot.runtime import utcnow
from services.gateway import identity
from services.gateway.account_schemas import NewTokenAnswer, TokenAnswer, TokenBody, TokenPath, TokensAnswer, row_id
from services.gateway.documents import SIGNED_IN, problems

api = APIBlueprint("tokens", __name__, url_prefix="/api/v1/tokens")


@api.post("", security=SIGNED_IN, responses={201: NewTokenAnswer, **problems(400, 401, 403, 413, 415, 422)})
def create(body: TokenBody) -> tuple[Response, int]:
    """Make an API token; it is shown once."""
    text, token = tokens.create(
        identity.runtime().db,
        identity.account().user_id,
        body.name,
        body.scopes,
        now=utcnow(),
        days=body.expires_in_days,
    )
    return jsonify(NewTokenAnswer(token=text, **asdict(token)).model_dump(mode="json")), 201


@api.get("", security=SIGNED_IN, responses={200: TokensAnswer, **problems(401, 403)})
def list_own() -> Response:
    """The signed-in user's API tokens, the newest first."""
    found = tokens.list_own(identity.runtime().db, identity.account().user_id)
    answer = TokensAnswer(tokens=[TokenAnswer.model_validate(token) for token in found])
    return jsonify(answer.model_dump(mode="json"))


@api.delete("/<token_id>", security=SIGNED_IN, responses={204: None, **problems(401, 403, 404)})
def revoke(path: TokenPath) -> tuple[str, int]:
    """Revoke an API token; it is dead at once."""
    tokens.revoke(identity.runtime().db, identity.account().user_id, row_id(path.token_id))
    return "", 204
