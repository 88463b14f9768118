"""The Celery app, the names of tasks and queues, and how a hint is published."""

import logging
import time
from collections.abc import Iterable

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

from folkmoot import broker
from folkmoot.agents import AGGREGATE_QUEUE, ANALYSE_QUEUE, queue_of
from folkmoot.failpoints import Failpoints
from folkmoot.settings import Settings

ASK = "folkmoot.ask"
CONCLUDE = "folkmoot.conclude"
ANALYSE = "folkmoot.analyse"
#: Says nothing but that a worker hears its queue.
PROBE = "folkmoot.probe"

#: The broker may give a message to a second worker only after this: far above the hardest bound of any task. The
#: leases and the sweeper recover a dead worker's work long before.
VISIBILITY_TIMEOUT_S = 7200
#: A publisher in a request waits no longer for a broker that is away; the outbox sends the hint later.
CONNECT_TIMEOUT_S = 1
SOCKET_TIMEOUT_S = 5.0
PUBLISH_TIMEOUT_S = 1.0
#: After a failed publish none is tried for this long, so that not every request waits for a broker that hangs.
PAUSE_S = 1.0
#: A publisher tries a connection once more at once, and no longer: by itself kombu would sleep for two seconds.
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

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
        broker_transport_options=_transport_options(settings.broker_url),
        task_publish_retry=False,
    )
    return app


def _transport_options(broker_url: str) -> dict[str, object]:
    if broker_url.startswith(("amqp://", "amqps://")):
        return {"confirm_publish": True}
    return {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_keepalive": not broker_url.startswith("redis+socket://"),
        "health_check_interval": 10,
    }


class Publisher:
    """Sends hints: ids only, which may come late, twice or never."""

    def __init__(self, app: Celery, failpoints: Failpoints | None = None) -> None:
        """Publish through this app's connections; a worker consumes with another app, which waits for its broker."""
        options = {**app.conf.broker_transport_options, **AT_ONCE}
        if "socket_timeout" in options:
            options["socket_timeout"] = PUBLISH_TIMEOUT_S
        app.conf.broker_transport_options = options
        self._app = app
        self._failpoints = failpoints or Failpoints()
        self._paused_until = 0.0

    def hint(self, job_id: str, task: str, agent_ids: Iterable[str] = ("",)) -> bool:
        """Tell the pools that there is work; False when the broker did not take it: the outbox says it again."""
        if time.monotonic() < self._paused_until:
            return False
        try:
            for agent_id in agent_ids:
                self._send(job_id, task, agent_id)
                self._failpoints.reach("hint.sent")
        except (OperationalError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            log.warning("hint %s of job %s not sent, the outbox will send it: %s", task, job_id, error)
            return False
        return True

    def _send(self, job_id: str, task: str, agent_id: str) -> None:
        if task == "ask":
            self._app.send_task(ASK, args=(job_id, agent_id), queue=queue_of(agent_id), retry=False)
        elif task == "conclude":
            self._app.send_task(CONCLUDE, args=(job_id,), queue=AGGREGATE_QUEUE, retry=False)
        else:
            self._app.send_task(ANALYSE, args=(job_id,), queue=ANALYSE_QUEUE, retry=False)

    def probe(self, queue: str, count: int) -> bool:
        """See that something lies in a queue for its workers to take: what is there already, else this many probes.

        So probes never pile up in a queue that nobody consumes, however long that lasts.

        Returns:
            False when the broker is away.
        """
        if time.monotonic() < self._paused_until:
            return False
        try:
            for _ in range(count if self.depth(queue) == 0 else 0):
                self._app.send_task(PROBE, queue=queue, retry=False)
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
        with self._app.producer_or_acquire() as producer:
            try:
                return int(producer.channel.queue_declare(queue, passive=True).message_count)
            except ChannelError:
                # Redis has no empty lists.
                return 0
            except producer.connection.connection_errors as error:
                raise OperationalError(str(error)) from error

    def ping(self) -> None:
        """See that the broker answers.

        Raises:
            OperationalError: it does not.
        """
        with self._app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT_S)

    def close(self) -> None:
        """Give every pooled connection back."""
        self._app.close()
