"""Whether this process lives, and whether it can serve."""

from collections.abc import Callable

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from kombu.exceptions import OperationalError

from folkmoot.errors import Unavailable
from services.gateway import identity
from services.gateway.schemas import HealthAnswer, ReadyAnswer

api = APIBlueprint("system", __name__)


@api.get("/healthz", responses={200: HealthAnswer})
def healthz() -> Response:
    """This process lives; nothing else is asked."""
    return jsonify(HealthAnswer().model_dump())


@api.get("/readyz", responses={200: ReadyAnswer, 503: ReadyAnswer})
def readyz() -> tuple[Response, int]:
    """Whether database and broker answer, and which does not."""
    runtime = identity.runtime()
    database, broker = _state(runtime.db.ping), _state(runtime.publisher.ping)
    ready = database == broker == "ok"
    answer = ReadyAnswer(status="ok" if ready else "unavailable", database=database, broker=broker)
    return jsonify(answer.model_dump()), 200 if ready else 503


def _state(ping: Callable[[], None]) -> str:
    try:
        ping()
    except (Unavailable, OperationalError, OSError):
        return "does not answer"
    return "ok"
