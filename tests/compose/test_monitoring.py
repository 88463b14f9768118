"""The profile `monitoring` on a running deployment: what Prometheus gathers, judges and shows, and what Flower sees."""

import json
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.client import new_user
from tests.compose.deployment import WORKERS, Deployment
from tests.stack import ROOT, eventually

pytestmark = pytest.mark.timeout(600)

#: A few scrapes, and the shortest range that a panel asks for has two of them.
GATHERED_S = 60


@pytest.fixture(scope="module")
def watched(deployment: Deployment) -> Deployment:
    """The deployment with the profile, but for Grafana, of which no image can be made here; two gateways, a query."""
    deployment.settings |= {"COMPOSE_PROFILES": "monitoring", "FOLKMOOT_TASK_EVENTS": "true"}
    deployment.compose("build", "flower", timeout_s=600)
    deployment.scale["grafana"] = 0
    deployment.up()
    eventually(deployment.is_ready, 30, "database and broker answer")
    user = new_user(deployment.url)
    assert user.wait_done(user.ask()["job_id"], 60)["status"] == "done"
    return deployment


def prometheus(watched: Deployment, path: str, **parameters: str) -> Any:
    """What Prometheus answers, from inside of the network."""
    answer = requests.get(f"http://{watched.address('prometheus')}:9090/api/v1/{path}", parameters, timeout=10)
    content = answer.json()
    assert content["status"] == "success", content
    return content["data"]


def test_every_replica_is_scraped(watched: Deployment) -> None:
    """Each gateway is a target of its own that answers."""

    def up() -> bool:
        targets = prometheus(watched, "targets")["activeTargets"]
        return len(targets) == 2 and all(target["health"] == "up" for target in targets)

    eventually(up, GATHERED_S, "both gateways are scraped")


def test_every_panel_shows_something(watched: Deployment) -> None:
    """Each query of the dashboard is valid, and answers with figures once there was a query."""
    dashboard = json.loads((ROOT / "infra/monitoring/grafana/folkmoot.json").read_text())
    asked = {target["expr"]: panel["title"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert len(asked) >= 14

    def empty() -> list[str]:
        return [title for expr, title in asked.items() if not prometheus(watched, "query", query=expr)["result"]]

    with suppress(AssertionError):
        eventually(lambda: not empty(), GATHERED_S, "every panel has figures")
    assert empty() == []


def test_no_alert_without_a_reason(watched: Deployment) -> None:
    """All rules are loaded and sound, and none fires on a deployment in good order; each is explained."""
    [group] = prometheus(watched, "rules")["groups"]
    manual = (ROOT / "docs/operations.md").read_text()

    assert {rule["state"] for rule in group["rules"]} <= {"inactive", "pending"}, group
    assert not [rule["lastError"] for rule in group["rules"] if rule.get("lastError")]
    assert all(f"`{rule['name']}`" in manual for rule in group["rules"])


def test_an_alert_for_a_dead_pool(watched: Deployment) -> None:
    """A pool that is gone makes its alert pending, and nobody else's."""
    watched.scale["worker-mistral"] = 0
    watched.up("--no-recreate")

    def pending() -> set[str]:
        [group] = prometheus(watched, "rules")["groups"]
        return {alert["labels"].get("agent_id", "") for rule in group["rules"] for alert in rule["alerts"]}

    eventually(lambda: pending() == {"mistral"}, 120, "the alert is pending")


def test_flower_sees_the_pools(watched: Deployment) -> None:
    """With task events switched on, Flower lists the workers of every pool that runs."""
    port = watched.compose("port", "flower", "5555").strip().rpartition(":")[2]

    def pools() -> set[str]:
        content = requests.get(f"http://127.0.0.1:{port}/workers", {"json": "1"}, timeout=10).json()
        return {worker["hostname"].partition("-")[0] for worker in content["data"]}

    expected = {name.replace("worker-", "") for name in WORKERS} - {"mistral"}
    eventually(lambda: expected <= {name.removeprefix("agent.") for name in pools()}, GATHERED_S, "all pools are seen")
