"""The checks that a start waits for: for each part, whether it does what it is there for."""

import http.client
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from folkmoot.agents import pool_of
from folkmoot.health import Health
from folkmoot.settings import Settings
from infra.local.parts import Part
from infra.local.settings import StackSettings
from infra.local.sockets import UnixConnection

Check = Callable[[], bool]

#: A part that is there answers at once; a check is made again and again anyway.
ANSWER_S = 2.0


def of_the_stack(own: StackSettings, settings: Settings, stack: list[Part]) -> dict[str, Check]:
    """A check for each part, and one for the stack as a whole, by name."""
    health = Health(Redis.from_url(settings.redis, decode_responses=True, socket_timeout=ANSWER_S), settings)
    begun = time.time()
    checks = {part.name: _of_a_part(part, own, settings, health, begun) for part in stack}
    return {**checks, "readyz": lambda: _answers(own.reached_at, own.port, "/readyz")}


def _of_a_part(part: Part, own: StackSettings, settings: Settings, health: Health, begun: float) -> Check:
    if part.queue is not None:
        pool = pool_of(part.queue)
        return lambda: _beats(health, pool, begun)
    if part.name == "heartbeat":
        return lambda: bool(health.board(now=time.time()))
    if part.name == "model":
        model = urlsplit(settings.model_url)
        return lambda: _answers(model.hostname or "", model.port or 80, "/health")
    if part.name == "nginx":
        return lambda: _listens(own.reached_at, own.port)
    path = part.socket
    assert path is not None
    if part.name == "broker":
        return path.exists
    return lambda: _answers_at(path, "/healthz" if part.name != "ui" else "/")


def _beats(health: Health, pool: str, since: float) -> bool:
    with suppress(RedisError, OSError):
        beats = health.signs(pool, (), now=time.time(), probe_error=None).beats
        return any(at >= since for at in beats.values())
    return False


def _answers(host: str, port: int, path: str) -> bool:
    return _is_ok(http.client.HTTPConnection(host, port, timeout=ANSWER_S), path)


def _answers_at(socket_path: Path, path: str) -> bool:
    return _is_ok(UnixConnection(socket_path, ANSWER_S), path)


def _is_ok(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=ANSWER_S):
        return True
    return False
