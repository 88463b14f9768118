"""The broker's transport: kombu's for Redis, that drops what is no message instead of dying of it."""

import json
import logging
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Takes messages from queues of which somebody may have pushed anything."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            log.error("dropped from a queue what was no message: %s", error)
            # What kombu raises when there was nothing to take.
            raise Empty from error


class Transport(redis.Transport):
    """Redis, by these channels."""

    Channel = Channel


def register() -> None:
    """Have this transport used for every Redis address; kombu looks transports up by these names."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
