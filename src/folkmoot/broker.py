"""The broker's transport: kombu's for Redis, that drops what is no message, and keeps the client that it talks with."""

import base64
import json
import logging
import uuid
from collections.abc import Mapping
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis import Redis

from folkmoot.redis_client import Command

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Takes messages from queues of which somebody may have pushed anything."""

    _kept: Redis | None = None

    def _create_client(self, asynchronous: bool = False) -> Redis:
        """One client for all that is sent; kombu's makes one each time, which takes longer than to send.

        What waits for messages has a client of its own, since that one holds on to its connection.
        """
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc, no-any-return]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept

    def has_room(self) -> bool:
        """Whether another message is waited for, and would be with one more at work than now."""
        room: int | None = self.qos.can_consume_max_estimate()
        return room is None or room > 1

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


def push(queue: str, body: Any, headers: Mapping[str, Any], properties: Mapping[str, Any]) -> Command:
    """The command that kombu sends to publish a message, which takes it two dozen calls; without any of its options.

    Args:
        queue: by its name.
        body: what Celery makes of a task and its arguments.
        headers: Celery's, and more.
        properties: Celery's.
    """
    envelope = {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            **properties,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return "LPUSH", queue, json.dumps(envelope)
