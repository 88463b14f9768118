"""Users, their sessions and passwords, and how they leave."""

from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import accounts, departure, tokens
from folkmoot.accounts import Account
from folkmoot.runtime import utcnow
from services.gateway import identity, own_data
from services.gateway.account_schemas import LeaveBody, PasswordAnswer, PasswordBody, SignUpBody
from services.gateway.attempts import Attempts
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import Credentials, SessionAnswer, UserAnswer
from services.gateway.streams import Streams

ARCHIVE: dict[str | int, Any] = {
    200: {
        "description": "The archive, sent while it is written.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def api(attempts: Attempts, streams: Streams) -> APIBlueprint:
    """The addresses of users and sessions; `attempts` counts failed sign-ins, `streams` exports under way."""
    api = APIBlueprint("users", __name__, url_prefix="/api/v1")

    @api.post("/users", responses={201: UserAnswer, **problems(400, 403, 409, 413, 415, 422)})
    def sign_up(body: SignUpBody) -> tuple[Response, int]:
        """Make an account."""
        runtime = identity.runtime()
        account = accounts.sign_up(
            runtime.db,
            body.username,
            body.password,
            request_id=g.request_id,
            now=utcnow(),
            policy=identity.policy(),
            invitation=body.invitation,
        )
        return _shown(account), 201

    @api.post("/sessions", responses={201: SessionAnswer, **problems(400, 401, 413, 415, 422, 429)})
    def sign_in(body: Credentials) -> tuple[Response, int]:
        """Begin a session; its token is shown once."""
        runtime = identity.runtime()
        with attempts.guarded(body.username, identity.address()):
            token, expires_at = accounts.sign_in(
                runtime.db, body.username, body.password, now=utcnow(), hours=runtime.settings.session_hours
            )
        return jsonify(SessionAnswer(token=token, expires_at=expires_at).model_dump(mode="json")), 201

    @api.get("/sessions/current", security=SIGNED_IN, responses={200: UserAnswer, **problems(401)})
    def show_session() -> Response:
        """Whose token this request carries."""
        return _shown(identity.account())

    @api.delete("/sessions/current", security=SIGNED_IN, responses={204: None, **problems(401, 403)})
    def sign_out() -> tuple[str, int]:
        """End the session whose token this request carries."""
        accounts.sign_out(identity.runtime().db, identity.token())
        return "", 204

    @api.put(
        "/users/me/password",
        security=SIGNED_IN,
        responses={200: PasswordAnswer, **problems(400, 401, 403, 413, 415, 422, 429)},
    )
    def change_password(body: PasswordBody) -> Response:
        """Replace the password; all other sessions end, this one and API tokens stay."""
        db, account = identity.runtime().db, identity.account()
        # Nobody but the account's own user comes this far, so nobody else's failures count.
        with attempts.guarded(f"/{account.user_id}", None):
            ended = accounts.change_password(db, account.user_id, body.current, body.new, token=identity.token())
        kept = len(tokens.list_own(db, account.user_id))
        return jsonify(PasswordAnswer(sessions_ended=ended, tokens_kept=kept).model_dump())

    @api.delete(
        "/users/me",
        security=SIGNED_IN,
        responses={204: None, **problems(400, 401, 403, 409, 413, 415, 422, 429)},
    )
    def leave(body: LeaveBody) -> tuple[str, int]:
        """Delete one's account and everything of it, for good; nothing brings it back, and the name is free again.

        The body carries the password. Sessions and API tokens end at once, and what runs is given up.
        """
        runtime, account = identity.runtime(), identity.account()
        with attempts.guarded(f"/{account.user_id}", None):
            accounts.close(runtime.db, account.user_id, body.password, policy=identity.policy())
        departure.finish(runtime, account.user_id)
        attempts.forget(account.username, f"/{account.user_id}")
        return "", 204

    @api.get("/users/me/export", security=SIGNED_IN, responses={**ARCHIVE, **problems(401, 403)})
    def export_own() -> Response:
        """All that is kept of one's own, as a ZIP file: account, queries with all that came of them, charts."""
        runtime, account = identity.runtime(), identity.account()
        end = streams.begin()
        answer = Response(own_data.archive(runtime, account), mimetype="application/zip")
        answer.call_on_close(end)
        name = f"folkmoot-{account.username}-{utcnow():%Y-%m-%d}.zip"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["X-Content-Type-Options"] = "nosniff"
        # Sent on as it is written: it may be larger than what a proxy would keep of it.
        answer.headers["X-Accel-Buffering"] = "no"
        return answer

    return api


def _shown(account: Account) -> Response:
    return jsonify(UserAnswer(username=account.username, is_admin=account.is_admin).model_dump())
