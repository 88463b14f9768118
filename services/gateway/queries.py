"""Queries: ask, look, list, cancel, delete."""

from flask import Response, g, request, url_for
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import submission
from folkmoot.errors import InvalidRequest
from folkmoot.resources import QueryPage, QueryResource
from folkmoot.store import history
from folkmoot.store import queries as store
from services.gateway import answers, identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import DeleteQuery, JobPath, PageQuery, QueryBody

api = APIBlueprint("queries", __name__, url_prefix="/api/v1/queries")

#: Longest key that a client may choose.
KEY_CHARS = 128


@api.post("", security=SIGNED_IN, responses={202: QueryResource, **problems(400, 401, 403, 413, 415, 422)})
def submit(body: QueryBody) -> Response:
    """Ask the council. The header Idempotency-Key makes a repeated request the same query."""
    query, _ = submission.submit(
        identity.runtime(),
        identity.account().user_id,
        body.as_ask(),
        idempotency_key=idempotency_key(),
        request_id=g.request_id,
    )
    location = url_for("queries.show_query", job_id=query.job_id)
    return answers.of(query, 202, Location=location)


def idempotency_key() -> str:
    """The client's key, else the id that nginx gave the request, which is one for all its tries."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return f"request:{g.request_id}"
    if not 1 <= len(key) <= KEY_CHARS or not key.isprintable():
        raise InvalidRequest({"Idempotency-Key": f"The key must have 1 to {KEY_CHARS} printable characters."})
    return f"client:{key}"


@api.get("", security=SIGNED_IN, responses={200: QueryPage, **problems(401, 422)})
def list_queries(query: PageQuery) -> Response:
    """The signed-in user's own queries, newest first."""
    page = history.page(
        identity.runtime().db,
        identity.account().user_id,
        limit=query.limit,
        before=None if query.cursor is None else int(query.cursor),
        search=query.q,
        standing=query.status,
        domain=query.domain,
    )
    return answers.of(page)


@api.get("/<job_id>", security=SIGNED_IN, responses={200: QueryResource, **problems(401, 404)})
def show_query(path: JobPath) -> Response:
    """A query with all that has come of it so far."""
    query = store.find(identity.runtime().db, path.job_id, user_id=identity.account().user_id)
    return answers.of(query)


@api.post("/<job_id>/cancel", security=SIGNED_IN, responses={202: QueryResource, **problems(401, 403, 404)})
def cancel(path: JobPath) -> Response:
    """End a query that is still open; one that has ended stays as it ended."""
    query = submission.cancel(identity.runtime(), identity.account().user_id, path.job_id)
    return answers.of(query, 202)


@api.delete("/<job_id>", security=SIGNED_IN, responses={204: None, **problems(401, 403, 404, 422)})
def delete(path: JobPath, query: DeleteQuery) -> tuple[str, int]:
    """Delete a query with its responses and analysis: at once, or after `undo_s`, hidden meanwhile."""
    submission.delete(identity.runtime(), identity.account().user_id, path.job_id, undo_s=query.undo_s)
    return "", 204


@api.post("/<job_id>/restore", security=SIGNED_IN, responses={200: QueryResource, **problems(401, 403, 404)})
def restore(path: JobPath) -> Response:
    """Bring back a query that was deleted with `undo_s`, while that time lasts."""
    query = submission.restore(identity.runtime(), identity.account().user_id, path.job_id)
    return answers.of(query)
