"""The consumer: Celery's, less what this product has no use for, and proof against what is no message of ours."""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker import consumer

from folkmoot import broker

#: For tasks with a delay, of which there are none, this step makes 28 more quorum queues.
UNUSED_STEP = "celery.worker.consumer.delayed_delivery:DelayedDelivery"

log = logging.getLogger(__name__)


class Consumer(consumer.Consumer):
    """Takes messages from queues into which somebody may have put anything."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc,valid-type]  # typed as an attribute there
        """The steps of a start."""

        default_steps = tuple(step for step in consumer.Consumer.Blueprint.default_steps if step != UNUSED_STEP)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Handle messages as Celery does, and drop those over which its worker would die."""
        handle = super().create_task_handler(*args, **kwargs)

        def handle_anything(message: Any) -> None:
            try:
                handle(message)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                log.error("dropped from a queue what was no message of ours: %r", error)
                message.reject()

        return handle_anything

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Have a message acknowledged.

        Celery wakes its first thread for it. Over Redis it is a note in memory, which the thread that has done the work
        makes itself, unless the first one waits for room to take another message.
        """
        channel = self.task_consumer.channel  # type: ignore[attr-defined]
        if isinstance(channel, broker.Channel) and channel.has_room():
            return p(*args, **kwargs)
        return super().call_soon_ack(p, *args, **kwargs)  # type: ignore[misc]
