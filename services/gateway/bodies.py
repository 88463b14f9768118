"""The bodies of requests: JSON objects, or a refusal that says what is wrong with them."""

from typing import Any

from flask import request

from folkmoot.errors import MalformedRequest


def check() -> None:
    """Read the body of a request that has one; its schema is checked later.

    Raises:
        MalformedRequest: it is not a JSON object.
        UnsupportedMediaType: it is not announced as JSON.
    """
    if request.endpoint is None or not (request.method in ("POST", "PUT", "DELETE") and request.endpoint in WITH_BODY):
        return
    if not isinstance(_content(), dict):
        raise MalformedRequest("The body must be a JSON object, such as {…}.")


#: Endpoints whose requests carry a body.
WITH_BODY = {
    "users.sign_up",
    "users.sign_in",
    "users.change_password",
    "users.leave",
    "provider_keys.put_key",
    "tokens.create",
    "invitations.create",
    "queries.submit",
    "completions.complete",
}


def _content() -> Any:
    try:
        return request.get_json()
    except RecursionError as error:
        raise MalformedRequest("The body is nested too deeply to be read.") from error
