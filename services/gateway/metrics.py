"""The metrics for Prometheus: what this replica did, and how the whole product is.

nginx does not pass them on: Prometheus scrapes each replica inside. What all replicas tell alike (states, queues, the
backlog) is to be read as a maximum over them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import accumulate
from time import perf_counter
from typing import TypeVar, get_args

from flask import Blueprint, Flask, Response, g, request
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from folkmoot.agents import AGGREGATE_QUEUE, ANALYSE_QUEUE, circuits_of, queue_of
from folkmoot.errors import Unavailable
from folkmoot.health import State
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import backlog
from folkmoot.tallies import BUCKETS_S as BOUNDS_S
from folkmoot.tallies import COUNTERS, HISTOGRAMS, Totals
from services.gateway.streams import Streams

#: Seconds; a request that sends no stream takes milliseconds, one that meets an absent part a few seconds.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Of a request that no route has taken, so that nobody can make up labels.
NOWHERE = "none"
#: The stages in which models are asked.
ASKED = ("response", "consensus")

T = TypeVar("T")


def register(app: Flask, runtime: Runtime, streams: Streams) -> None:
    """Measure every request of this app, and serve the figures at /metrics."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(Product(runtime))
    _measure_requests(app, registry)
    open_streams = Gauge("folkmoot_streams_open", "Streams that this replica sends.", registry=registry)
    open_streams.set_function(lambda: streams.open)
    api = Blueprint("metrics", __name__)

    @api.get("/metrics")
    def show() -> Response:
        """All metrics in Prometheus' text format."""
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(api)


def _measure_requests(app: Flask, registry: CollectorRegistry) -> None:
    requests = Counter(
        "folkmoot_requests", "Requests answered, by route.", ["method", "route", "status"], registry=registry
    )
    seconds = Histogram(
        "folkmoot_request_seconds",
        "Time until an answer's head was ready; a stream goes on after it.",
        ["route"],
        buckets=BUCKETS_S,
        registry=registry,
    )

    # What has these labels is the same each time, and looked for at length.
    @cache
    def counted(method: str, route: str, status: int) -> Counter:
        return requests.labels(method, route, str(status))

    @cache
    def timed(route: str) -> Histogram:
        return seconds.labels(route)

    @app.before_request
    def begin() -> None:
        g.began_at = perf_counter()

    @app.after_request
    def count(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else NOWHERE
        method = request.method if request.url_rule else NOWHERE
        counted(method, route, answer.status_code).inc()
        if (began_at := g.get("began_at")) is not None:
            timed(route).observe(perf_counter() - began_at)
        return answer


class Product(Collector):
    """The state of the whole product at the moment of a scrape; what cannot be read now is left out."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterator[Metric]:
        """Nothing: to register costs no look at database and broker."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Look at database, broker and health board."""
        counts = _unless_away(lambda: backlog.count(self._runtime.db))
        depths = _unless_away(self._depths)
        up = GaugeMetricFamily("folkmoot_part_up", "Whether a part answers.", labels=["part"])
        up.add_metric(["database"], counts is not None)
        up.add_metric(["broker"], depths is not None)
        yield up
        if counts is not None:
            yield from _of_backlog(counts)
        if depths is not None:
            waiting = GaugeMetricFamily("folkmoot_queue_messages", "Hints that wait in a queue.", labels=["queue"])
            for queue, depth in depths.items():
                waiting.add_metric([queue], depth)
            yield waiting
        yield from self._of_agents()
        if (circuits := _unless_away(self._circuits)) is not None:
            yield circuits
        if (totals := _unless_away(self._runtime.tallies.read)) is not None:
            yield from _of_totals(totals, self._runtime.roster.seats)

    def _depths(self) -> dict[str, int]:
        queues = [*map(queue_of, self._runtime.roster.seats), AGGREGATE_QUEUE, ANALYSE_QUEUE]
        return {queue: self._runtime.publisher.depth(queue) for queue in queues}

    def _of_agents(self) -> Iterator[Metric]:
        board = self._runtime.health.board(now=utcnow().timestamp())
        state = GaugeMetricFamily("folkmoot_agent_state", "1 for the state it is in.", labels=["agent_id", "state"])
        workers = GaugeMetricFamily("folkmoot_agent_workers", "Workers of the pool that beat.", labels=["agent_id"])
        latency = GaugeMetricFamily(
            "folkmoot_agent_latency_seconds", "Of its newest answers.", labels=["agent_id", "quantile"]
        )
        for agent_id, entry in board.items():
            for one in get_args(State):
                state.add_metric([agent_id, one], entry.state == one)
            workers.add_metric([agent_id], entry.workers_alive)
            for quantile, latency_ms in (("0.5", entry.p50_latency_ms), ("0.95", entry.p95_latency_ms)):
                if latency_ms is not None:
                    latency.add_metric([agent_id, quantile], latency_ms / 1000)
        yield from (state, workers, latency)

    def _circuits(self) -> Metric:
        """Of each endpoint, whether it is left alone for now."""
        is_open = GaugeMetricFamily(
            "folkmoot_circuit_open", "1 while the endpoint is left alone.", labels=["agent_id", "circuit"]
        )
        now = utcnow().timestamp()
        for agent_id, seat in self._runtime.roster.seats.items():
            for circuit in circuits_of(agent_id, seat):
                until = self._runtime.health.breaker.read(circuit).open_until
                is_open.add_metric([agent_id, circuit], until is not None and until > now)
        return is_open


def _of_totals(totals: Totals, agent_ids: Iterable[str]) -> Iterator[Metric]:
    """What all processes have counted."""
    counters = _of_none(agent_ids) | dict(totals.counters)
    for name, (text, labels) in COUNTERS.items():
        counter = CounterMetricFamily(name, text, labels=labels)
        for (counted, values), amount in counters.items():
            if counted == name:
                counter.add_metric(values, amount)
        yield counter
    for name, (text, labels) in HISTOGRAMS.items():
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for (measured, values), counts in totals.buckets.items():
            if measured == name:
                sums = zip([*map(str, BOUNDS_S), "+Inf"], accumulate(counts), strict=True)
                histogram.add_metric(values, list(sums), totals.sums.get((measured, values), 0.0))
        yield histogram


def _of_none(agent_ids: Iterable[str]) -> dict[tuple[str, tuple[str, ...]], float]:
    """What is rare, before it happens: the first of what was not told of as 0 has no rate."""
    failovers = ((agent_id, stage) for agent_id in agent_ids for stage in ASKED)
    lookups = ((stage, outcome) for stage in ASKED for outcome in ("hit", "miss"))
    rare = {"folkmoot_failovers": failovers, "folkmoot_cache_lookups": lookups, "folkmoot_cost_usd": zip(ASKED)}
    return {(name, labels): 0.0 for name, of_name in rare.items() for labels in of_name}


def _of_backlog(counts: backlog.Backlog) -> Iterator[Metric]:
    queries = GaugeMetricFamily("folkmoot_queries_open", "Queries under way.", labels=["status"])
    for status, number in counts.queries.items():
        queries.add_metric([status], number)
    yield queries
    yield GaugeMetricFamily("folkmoot_analyses_pending", "Concluded queries still to be measured.", counts.analyses)
    yield GaugeMetricFamily("folkmoot_work_untaken", "Work whose hint no worker has taken yet.", counts.untaken)


def _unless_away(look: Callable[[], T]) -> T | None:
    with suppress(Unavailable, OperationalError, RedisError, OSError):
        return look()
    return None
