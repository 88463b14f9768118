"""The provider key that a user has set for their own calls."""

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import provider_keys as keys
from folkmoot.provider_keys import Kept
from folkmoot.runtime import utcnow
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import KeyAnswer, KeyBody

api = APIBlueprint("provider_keys", __name__, url_prefix="/api/v1/users/me/provider-key")


@api.put("", security=SIGNED_IN, responses={200: KeyAnswer, **problems(400, 401, 403, 413, 415, 422)})
def put_key(body: KeyBody) -> Response:
    """Set the key that one's own queries call a provider with, in place of the server's; kept encrypted."""
    runtime = identity.runtime()
    kept = keys.put(
        runtime.db,
        runtime.settings,
        runtime.roster,
        user_id=identity.account().user_id,
        provider=body.provider,
        key=body.key.get_secret_value(),
        now=utcnow(),
    )
    return _answer(kept)


@api.get("", security=SIGNED_IN, responses={200: KeyAnswer, **problems(401, 403)})
def show_key() -> Response:
    """Whether one has set a key, and its last four characters."""
    runtime = identity.runtime()
    return _answer(keys.kept(runtime.db, runtime.settings, identity.account().user_id))


@api.delete("", security=SIGNED_IN, responses={204: None, **problems(401, 403)})
def delete_key() -> tuple[str, int]:
    """Forget one's key; queries use the server's again."""
    keys.remove(identity.runtime().db, identity.account().user_id)
    return "", 204


def _answer(kept: Kept | None) -> Response:
    runtime = identity.runtime()
    return jsonify(
        KeyAnswer(
            is_set=kept is not None,
            provider=kept.provider if kept else None,
            last_four=kept.last_four if kept else None,
            available=bool(runtime.settings.secret_keys),
            providers=keys.of_roster(runtime.roster),
        ).model_dump()
    )
