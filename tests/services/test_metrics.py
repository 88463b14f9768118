"""What a gateway tells Prometheus about itself and about the whole product."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from folkmoot.health import Signs
from folkmoot.runtime import Runtime
from folkmoot.settings import Settings
from services.gateway.app import create_app
from tests.conftest import scripted_roster
from tests.scripted_model import ScriptedModel
from tests.store import rows
from tests.store.servers import Valkey, migrate

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A broker that a test may kill."""
    with Valkey() as server:
        yield server


@pytest.fixture
def app(valkey: Valkey, scripted_model: ScriptedModel, tmp_path: Path) -> Iterator[Flask]:
    """A gateway on an empty database and broker."""
    roster = tmp_path / "agents.yaml"
    roster.write_text(yaml.safe_dump(scripted_roster(scripted_model)), encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'folkmoot.db'}"
    migrate(url)
    app = create_app(Settings(database_url=url, broker_url=valkey.broker_url, agents_file=roster))
    yield app
    runtime_of(app).close()


def runtime_of(app: Flask) -> Runtime:
    """The collaborators of a gateway."""
    found: Runtime = app.extensions["folkmoot"]
    return found


def scrape(app: Flask) -> Samples:
    """All samples by name and labels, as Prometheus reads them."""
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def sample(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample, if it is there."""
    return samples.get((name, frozenset(labels.items())))


def test_requests_are_counted_by_route(app: Flask) -> None:
    """A request counts under its route, method and status; made-up addresses and methods make no label."""
    client = app.test_client()
    for path in ("/api/v1/catalogue", "/api/v1/catalogue", "/api/v1/queries/some-job", "/made/up", "/made/up/too"):
        client.get(path)
    client.open("/made/up", method="INVENTED")

    samples = scrape(app)

    def count(route: str, status: str, method: str = "GET") -> float | None:
        return sample(samples, "folkmoot_requests_total", method=method, route=route, status=status)

    assert count("/api/v1/catalogue", "200") == 2
    assert count("/api/v1/queries/<job_id>", "401") == 1
    assert count("none", "404", method="none") == 3
    assert sample(samples, "folkmoot_request_seconds_count", route="/api/v1/catalogue") == 2
    assert not any("made" in str(labels) or "some-job" in str(labels) for _, labels in samples)


def test_work_is_counted_where_it_waits(app: Flask) -> None:
    """A query that was accepted is open, its work is untaken, and its hints lie in their queues."""
    runtime = runtime_of(app)
    empty = scrape(app)
    job_id = rows.accepted(runtime.db, rows.user(runtime.db))
    runtime.publisher.hint(job_id, "ask", ["qwen", "mistral"])
    runtime.publisher.hint(job_id, "ask", ["qwen"])

    samples = scrape(app)

    for name, labels, before, after in (
        ("folkmoot_queries_open", {"status": "accepted"}, 0, 1),
        ("folkmoot_queries_open", {"status": "aggregating"}, 0, 0),
        ("folkmoot_work_untaken", {}, 0, 3),
        ("folkmoot_analyses_pending", {}, 0, 0),
        ("folkmoot_queue_messages", {"queue": "agent.qwen"}, 0, 2),
        ("folkmoot_queue_messages", {"queue": "agent.mistral"}, 0, 1),
        ("folkmoot_queue_messages", {"queue": "aggregate"}, 0, 0),
        ("folkmoot_part_up", {"part": "database"}, 1, 1),
        ("folkmoot_part_up", {"part": "broker"}, 1, 1),
    ):
        assert (sample(empty, name, **labels), sample(samples, name, **labels)) == (before, after), (name, labels)


def test_agents_tell_how_they_are(app: Flask) -> None:
    """Each seat of the board shows the one state that it is in, its workers and its latencies."""
    health, now = runtime_of(app).health, time.time()
    for worker in ("a:1", "a:2"):
        health.beat("qwen", worker, now=now)
    signs = {"qwen": health.signs("qwen", ["qwen"], now=now, probe_error=None), "mistral": Signs({})}
    health.refresh(signs, now=now, started_at=now - 3600)

    samples = scrape(app)

    states = {
        agent_id: [
            state
            for state in ("healthy", "unhealthy", "failed")
            if sample(samples, "folkmoot_agent_state", agent_id=agent_id, state=state)
        ]
        for agent_id in ("qwen", "mistral")
    }
    assert states == {"qwen": ["healthy"], "mistral": ["failed"]}
    assert sample(samples, "folkmoot_agent_workers", agent_id="qwen") == 2
    assert sample(samples, "folkmoot_agent_workers", agent_id="mistral") == 0


def test_absent_broker_is_a_figure_not_an_error(app: Flask, valkey: Valkey) -> None:
    """While the broker is away the scrape says so, and tells what it knows without it."""
    valkey.kill()

    samples = scrape(app)

    assert sample(samples, "folkmoot_part_up", part="broker") == 0
    assert sample(samples, "folkmoot_part_up", part="database") == 1
    assert sample(samples, "folkmoot_queries_open", status="asking") == 0
    assert sample(samples, "folkmoot_queue_messages", queue="aggregate") is None
    valkey.start()
