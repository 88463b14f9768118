"""A query's way, read from the gateway: what is stored, then its events, and what is stored again at its end."""

from collections.abc import Callable, Iterator

from .job import ENDED, Job
from .rest import Gateway, Json, Unreachable
from .stream import INTERRUPTED, Event


def follow(gateway: Gateway, token: str, job_id: str, stopped: Callable[[], bool]) -> Iterator[Json | Event]:
    """Stored resources of a query and the events between them, until it has ended and its analysis too.

    Args:
        stopped: asked between pieces of the stream; true ends it early.
    Raises:
        GatewayError: the query cannot be read, or no longer.
    """
    resource = gateway.query(token, job_id)
    yield resource
    if Job(resource).settled:
        return
    for event in gateway.follow(token, job_id, stopped):
        yield event
        # The events tell how it goes; the notes, and whether it is degraded, stand in the stored query.
        if _tells_the_end(event):
            yield gateway.query(token, job_id)
        elif event is INTERRUPTED and (resource := _meanwhile(gateway, token, job_id)):
            yield resource
            if Job(resource).settled:
                return


def _meanwhile(gateway: Gateway, token: str, job_id: str) -> Json:
    """The query itself while its stream is away, for it may have come forward or ended; nothing if it is away too."""
    try:
        return gateway.query(token, job_id)
    except Unreachable:
        return {}


def _tells_the_end(event: Event) -> bool:
    return event.name == "end" or (event.name == "status" and event.data["status"] in ENDED)
