"""The Celery app, the names of tasks and queues, and how a hint is published."""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from celery import Celery
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import BatchPublishError, OperationalError  # type: ignore[attr-defined]
from kombu.exceptions import ConnectionError as BrokerError

from folkmoot import broker, traces
from folkmoot.agents import AGGREGATE_QUEUE, ANALYSE_QUEUE, queue_of
from folkmoot.failpoints import Failpoints
from folkmoot.redis_client import Command
from folkmoot.settings import Settings
from folkmoot.sockets import has_something_to_say

ASK = "folkmoot.ask"
CONCLUDE = "folkmoot.conclude"
ANALYSE = "folkmoot.analyse"
DRAW = "folkmoot.draw"
#: Says nothing but that a worker hears its queue.
PROBE = "folkmoot.probe"

#: The broker may give a message to a second worker only after this: far above the hardest bound of any task. The
#: leases and the sweeper recover a dead worker's work long before.
VISIBILITY_TIMEOUT_S = 7200
#: RabbitMQ drops a message that this many workers have died of, or lost their connection with; work that is still to
#: be done is hinted again.
DELIVERIES = 5
#: Seconds between two signs of life that RabbitMQ and a worker give each other; two missed ones end the connection.
BROKER_HEARTBEAT_S = 20
#: A publisher in a request waits no longer for a broker that is away; the outbox sends the hint later.
CONNECT_TIMEOUT_S = 1
SOCKET_TIMEOUT_S = 5.0
PUBLISH_TIMEOUT_S = 1.0
#: After a failed publish none is tried for this long, so that not every request waits for a broker that hangs.
PAUSE_S = 1.0
#: A publisher tries a connection once more at once, and no longer: by itself kombu would sleep for two seconds.
AT_ONCE = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": CONNECT_TIMEOUT_S,
}

#: How kombu tells that something may not have been sent.
FAILED = (OperationalError, BatchPublishError)

log = logging.getLogger(__name__)


def make_app(settings: Settings) -> Celery:
    """A Celery app on the configured broker: no result backend, acknowledgement after the work, one task ahead."""
    broker.register()
    app = Celery("folkmoot", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=settings.task_events,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=settings.gateway_threads,
        broker_connection_timeout=CONNECT_TIMEOUT_S,
        broker_heartbeat=BROKER_HEARTBEAT_S,
        broker_transport_options=_transport_options(settings.broker_url),
        task_publish_retry=False,
    )
    return app


def queue_named(name: str) -> Queue:
    """A queue as whoever comes first declares it; Redis pays no heed to the arguments.

    RabbitMQ holds a queue to the arguments that it was made with: to change one here is to have every queue deleted.
    """
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES,
        "x-consumer-timeout": VISIBILITY_TIMEOUT_S * 1000,
    }
    return Queue(name, exchange=Exchange(""), routing_key=name, queue_arguments=arguments)


def _transport_options(broker_url: str) -> dict[str, object]:
    if broker_url.startswith(("amqp://", "amqps://")):
        return {"confirm_publish": True}
    return {
        # Redis does not keep what a worker has taken until it is done: the hints of a worker that dies are lost, and
        # outbox and leases have them sent again long before a broker would (docs/decisions/0023).
        "ack_emulation": False,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_keepalive": not broker_url.startswith("redis+socket://"),
        "health_check_interval": 10,
    }


class Publisher:
    """Sends hints: ids only, which may come late, twice or never."""

    def __init__(self, app: Celery, failpoints: Failpoints | None = None, *, has_events: bool = False) -> None:
        """Publish through this app's connections; a worker consumes with another app, which waits for its broker.

        Args:
            app: what `make_app` makes.
            failpoints: where tests stop it.
            has_events: whether the broker is the Redis that events are told to.
        """
        app.conf.broker_transport_options = _impatient(app.conf.broker_transport_options)
        self._app = app
        self._failpoints = failpoints or Failpoints()
        self._has_events = has_events
        self._paused_until = 0.0
        #: The queues that each channel has declared; kombu knows it too, but copies a queue each time to find out.
        self._declared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

    def hint(self, job_id: str, task: str, agent_ids: Iterable[str] = ("",)) -> bool:
        """Tell the pools that there is work; False when the broker did not take it: the outbox says it again."""
        if time.monotonic() < self._paused_until:
            return False
        try:
            with traces.span("hint"), self._producer() as producer, _together(producer):
                for agent_id in agent_ids:
                    self._send(producer, *_work(job_id, task, agent_id))
            self.was_sent()
        except (OperationalError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            log.warning("hint %s of job %s not sent, the outbox will send it: %s", task, job_id, error)
            return False
        return True

    def commands(self, job_id: str, task: str, agent_ids: Iterable[str] = ("",)) -> list[Command]:
        """The same hints as commands, for whoever has something to tell the same Redis; none where it is another.

        Whoever has sent them says so (`was_sent`).
        """
        if not self._has_events:
            return []
        with traces.span("hint"):
            return [self._command(*_work(job_id, task, agent_id)) for agent_id in agent_ids]

    def _command(self, task: str, queue: str, *ids: str) -> Command:
        message = self._message(task, ids)
        return broker.push(queue, message.body, {**message.headers, **(traces.sent() or {})}, message.properties)

    def was_sent(self) -> None:
        """Hints have left."""
        self._failpoints.reach("hint.sent")

    def _message(self, task: str, ids: Sequence[str]) -> Any:
        """Celery's own message; `send_task` takes twice as long, for what no hint has."""
        amqp: Any = self._app.amqp
        return amqp.create_task_message(str(uuid.uuid4()), task, ids, argsrepr=" ".join(ids), kwargsrepr="")

    def _send(self, producer: Any, task: str, queue: str, *ids: str) -> None:
        message = self._message(task, ids)
        declared = self._declared.setdefault(producer.channel, set())
        producer.publish(
            message.body,
            exchange="",
            routing_key=queue,
            serializer="json",
            headers={**message.headers, **(traces.sent() or {})},
            declare=[] if queue in declared else [queue_named(queue)],
            confirm_timeout=PUBLISH_TIMEOUT_S,
            **message.properties,
        )
        declared.add(queue)

    def probe(self, queue: str, count: int) -> bool:
        """See that something lies in a queue for its workers to take: what is there already, else this many probes.

        So probes never pile up in a queue that nobody consumes, however long that lasts.

        Returns:
            False when the broker is away.
        """
        if time.monotonic() < self._paused_until:
            return False
        try:
            if self.depth(queue) == 0:
                with self._producer() as producer:
                    for _ in range(count):
                        self._send(producer, PROBE, queue)
        except (OperationalError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            log.warning("no probe sent to %s: %s", queue, error)
            return False
        return True

    def depth(self, queue: str) -> int:
        """How many messages wait in a queue for its workers.

        Raises:
            OperationalError: the broker does not answer.
        """
        with self._producer() as producer:
            # Declared, not only looked at: over AMQP the look at a queue that is not there closes the channel.
            channel: Any = producer.channel
            declared: Any = queue_named(queue).bind(channel).queue_declare()
            return int(declared.message_count)

    @contextmanager
    def _producer(self) -> Iterator[Producer]:
        """A pooled producer, whose connection is let go without a word when it fails: nobody may be there to answer.

        Raises:
            OperationalError: the broker is away, or does not want what was asked of it.
        """
        with self._app.producer_or_acquire() as producer:
            connection = producer.connection
            if _has_been_left(connection):
                connection.collect()
            try:
                yield producer
            except (*FAILED, *_errors_of(connection)) as error:
                connection.collect()
                raise OperationalError(str(error)) from error

    def ping(self) -> None:
        """See that the broker answers.

        Raises:
            OperationalError: it does not.
        """
        with self._app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S) as connection:
            try:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT_S)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                # A broker that knows no such user or virtual host: kombu tells of it in the driver's own words.
                raise OperationalError(str(error)) from error

    def close(self) -> None:
        """Give every pooled connection back."""
        self._app.close()


def _work(job_id: str, task: str, agent_id: str) -> tuple[str, ...]:
    """The task, its queue, and the ids that it takes."""
    if task == "ask":
        return ASK, queue_of(agent_id), job_id, agent_id
    if task == "conclude":
        return CONCLUDE, AGGREGATE_QUEUE, job_id
    return DRAW if task == "draw" else ANALYSE, ANALYSE_QUEUE, job_id


def _errors_of(connection: Any) -> tuple[type[BaseException], ...]:
    """How the transport tells that something was not sent; among the recoverable ones is a message that was refused."""
    return (
        *connection.connection_errors,
        *connection.channel_errors,
        *connection.recoverable_connection_errors,
        *connection.recoverable_channel_errors,
    )


def _together(producer: Any) -> AbstractContextManager[object]:
    """Have what is published inside leave in one round trip, where the transport can do that; Redis' can."""
    batch: AbstractContextManager[object] = producer.batch()
    return batch


def _impatient(options: dict[str, object]) -> dict[str, object]:
    """The options of a connection that a request waits for."""
    if "confirm_publish" in options:
        patience = {"read_timeout": PUBLISH_TIMEOUT_S, "write_timeout": PUBLISH_TIMEOUT_S, "on_blocked": _refuse}
        return {**options, **AT_ONCE, **patience}
    return {**options, **AT_ONCE, "socket_timeout": PUBLISH_TIMEOUT_S}


def _refuse(reason: str) -> NoReturn:
    """RabbitMQ is short of memory or disk, and reads no more from whoever publishes."""
    raise BrokerError(reason)


def _has_been_left(connection: Connection) -> bool:
    """Whether a connection that nobody used has something to say, over AMQP.

    Redis' client sees by itself that its connection is gone.
    """
    socket = getattr(connection.connection, "sock", None) if connection.connected else None
    return socket is not None and has_something_to_say(socket)
