"""A query's events as Server-Sent Events."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from folkmoot import replay
from folkmoot.errors import InvalidRequest
from folkmoot.events import Event
from folkmoot.runtime import Runtime
from folkmoot.store import queries as store
from folkmoot.tail import Heard
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
    """What is there together leaves in one piece; with the first comes a line that says that the stream is open."""
    batches = replay.batches(runtime, job_id, after=after, is_wanted=is_wanted)
    yield ": open\n\n" + _framed(next(batches, []))
    for events in batches:
        yield _framed(events) or ": keep-alive\n\n"


def _framed(events: Iterable[Event]) -> str:
    return "".join(f"id: {event.id}\nevent: {event.type}\ndata: {_written(event)}\n\n" for event in events)


def _written(event: Event) -> str:
    # As it stands in Redis already, where it comes from there.
    return event.text if isinstance(event, Heard) else json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
