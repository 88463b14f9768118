"""A query's events as Server-Sent Events."""

import json
import re
from collections.abc import Callable, Iterator

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import replay
from folkmoot.errors import InvalidRequest
from folkmoot.events import Event
from folkmoot.runtime import Runtime
from folkmoot.store import queries as store
from services.gateway import identity
from services.gateway.documents import SIGNED_IN, problems
from services.gateway.schemas import EventsQuery, JobPath
from services.gateway.streams import Streams, reader


def api(runtime: Runtime, streams: Streams) -> APIBlueprint:
    """The routes; each stream counts among this replica's `streams`."""
    blueprint = APIBlueprint("events", __name__, url_prefix="/api/v1/queries")

    @blueprint.get(
        "/<job_id>/events",
        security=SIGNED_IN,
        responses={200: {"content": {"text/event-stream": {}}}, 204: None, **problems(401, 404, 422)},
    )
    def follow(path: JobPath, query: EventsQuery) -> Response:
        """Everything that happens to a query, as it happens; resumes after Last-Event-ID, also when it has ended.

        204 says that the end was seen already, so that a browser does not connect again.
        """
        store.owned(runtime.db, path.job_id, user_id=identity.account().user_id)
        after = _after(request.headers.get("Last-Event-ID") or query.last_event_id)
        if after and replay.is_over(runtime, path.job_id, after=after):
            return Response(status=204)
        end = streams.begin()
        answer = Response(_lines(runtime, path.job_id, after, reader(request.environ)), mimetype="text/event-stream")
        answer.call_on_close(end)
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["X-Accel-Buffering"] = "no"
        return answer

    return blueprint


def _after(last_event_id: str | None) -> int:
    if not last_event_id:
        return 0
    if not re.fullmatch(r"[0-9]{1,20}", last_event_id):
        raise InvalidRequest({"Last-Event-ID": "The id must be one that an event of this query carried."})
    return int(last_event_id)


def _lines(runtime: Runtime, job_id: str, after: int, is_wanted: Callable[[], bool]) -> Iterator[str]:
    # A first line at once, so that the client knows the stream is open.
    yield ": open\n\n"
    for event in replay.follow(runtime, job_id, after=after, is_wanted=is_wanted):
        yield ": keep-alive\n\n" if event is None else _framed(event)


def _framed(event: Event) -> str:
    return f"id: {event.id}\nevent: {event.type}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"
