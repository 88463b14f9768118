"""Users and sessions."""

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import accounts
from folkmoot.runtime import utcnow
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import Credentials, SessionAnswer, UserAnswer

api = APIBlueprint("users", __name__, url_prefix="/api/v1")


@api.post("/users", responses={201: UserAnswer, **problems(400, 409, 413, 415, 422)})
def sign_up(body: Credentials) -> tuple[Response, int]:
    """Make an account."""
    account = accounts.sign_up(
        identity.runtime().db, body.username, body.password, request_id=g.request_id, now=utcnow()
    )
    return jsonify(UserAnswer(username=account.username, is_admin=account.is_admin).model_dump()), 201


@api.post("/sessions", responses={201: SessionAnswer, **problems(400, 401, 413, 415, 422)})
def sign_in(body: Credentials) -> tuple[Response, int]:
    """Begin a session; its token is shown once."""
    runtime = identity.runtime()
    token, expires_at = accounts.sign_in(
        runtime.db, body.username, body.password, now=utcnow(), hours=runtime.settings.session_hours
    )
    return jsonify(SessionAnswer(token=token, expires_at=expires_at).model_dump(mode="json")), 201


@api.get("/sessions/current", security=SIGNED_IN, responses={200: UserAnswer, **problems(401)})
def show_session() -> Response:
    """Whose session the token of this request is."""
    account = identity.account()
    return jsonify(UserAnswer(username=account.username, is_admin=account.is_admin).model_dump())


@api.delete("/sessions/current", security=SIGNED_IN, responses={204: None, **problems(401)})
def sign_out() -> tuple[str, int]:
    """End the session whose token this request carries."""
    accounts.sign_out(identity.runtime().db, identity.token())
    return "", 204
