"""While users keep asking: replicas come and go, containers are killed, every service is restarted."""

import json
import time

import pytest
import requests

from tests.compose.deployment import WORKERS, Deployment
from tests.compose.load import Load
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import eventually

pytestmark = pytest.mark.timeout(600)

#: Queries in flight while things are killed and scaled, and while everything is restarted.
AT_ONCE = 12
ROLLING = 50
#: New replicas have work within this.
TAKEN_S = 10
#: Longer than three health checks in a row, which is when a container counts as unhealthy.
OUTAGE_S = 40
#: Seconds that the load goes on after something was done to it.
AFTER_S = 5
#: Seconds between two kills: long enough for the next victim to have work again.
BETWEEN_S = 2


def hostnames(deployment: Deployment, service: str) -> set[str]:
    """What a service's containers call themselves: a gateway signs its answers so."""
    return {deployment.inspect(one)["Config"]["Hostname"] for one in deployment.containers(service)}


def has_work(deployment: Deployment, container: str) -> bool:
    """Whether a worker has taken a question since it started."""
    return "asks, attempt" in deployment.said(container)


def test_replicas_come_and_go(deployment: Deployment) -> None:
    """New replicas take work within ten seconds without a reload, and leave without costing a request or a query."""
    before = set(deployment.containers("worker-qwen"))
    with Load(deployment.url, AT_ONCE) as load:
        deployment.scale |= {"worker-qwen": 4, "gateway": 3, "ui": 2}
        deployment.up("--no-recreate")
        workers, gateways = set(deployment.containers("worker-qwen")), hostnames(deployment, "gateway")
        assert len(workers) == 4 and len(gateways) == 3
        eventually(lambda: gateways <= load.replicas(), TAKEN_S, "all gateways answer")
        eventually(
            lambda: all(has_work(deployment, one) for one in workers - before), TAKEN_S, "all new workers have work"
        )
        deployment.scale |= {"worker-qwen": 1, "gateway": 1, "ui": 1}
        deployment.up("--no-recreate")
        assert len(deployment.containers("worker-qwen")) == len(deployment.containers("gateway")) == 1
        time.sleep(AFTER_S)
    print(load.check())


def test_two_of_three_gateways_die(deployment: Deployment) -> None:
    """SIGKILL of two gateways of three costs no request; streams resume; both are started again."""
    deployment.scale["gateway"] = 3
    deployment.up("--no-recreate")
    victims = deployment.containers("gateway")[:2]
    with Load(deployment.url, AT_ONCE) as load:
        for victim in victims:
            deployment.kill(victim)
        took = [deployment.await_return(victim, 0) for victim in victims]
        time.sleep(AFTER_S)
    print(load.check(), took)


def test_any_other_process_dies(deployment: Deployment) -> None:
    """SIGKILL of each pool in turn, and of heartbeat, loses no query; the engine starts each again."""
    victims = {service: deployment.containers(service)[0] for service in (*WORKERS, "heartbeat")}
    took = {}
    with Load(deployment.url, AT_ONCE) as load:
        for service, victim in victims.items():
            deployment.kill(victim)
            took[service] = deployment.await_return(victim, 0)
            time.sleep(BETWEEN_S)
    print(load.check(), took)


def test_pages_stick_to_their_replica(deployment: Deployment) -> None:
    """With two UI replicas each visitor stays with one, by cookie; when it dies the other takes over."""
    deployment.scale["ui"] = 2
    deployment.up("--no-recreate")
    addresses = {address(deployment, one): one for one in deployment.containers("ui")}
    eventually(lambda: {page(deployment, requests.Session()) for _ in range(4)} == set(addresses), 15, "both serve")

    with requests.Session() as visitor:
        [theirs] = {page(deployment, visitor) for _ in range(6)}
        deployment.kill(addresses[theirs])
        assert page(deployment, visitor) != theirs
    deployment.await_return(addresses[theirs], 0)


def page(deployment: Deployment, visitor: requests.Session) -> str:
    """Fetch the page, which must be the UI's; returns the address of the replica that nginx took it from at last."""
    answer = visitor.get(f"{deployment.url}/", timeout=30)
    assert answer.status_code == 200 and "gradio" in answer.text
    [nginx] = deployment.containers("nginx")
    request_id = answer.headers["X-Request-ID"]

    def logged() -> str:
        lines = [line for line in deployment.said(nginx).splitlines() if request_id in line]
        return str(json.loads(lines[0])["upstream"].split(", ")[-1]) if lines else ""

    return eventually(logged, 5, "the request is in nginx's log")


def address(deployment: Deployment, container: str) -> str:
    """Where nginx finds a UI replica."""
    [network] = deployment.inspect(container)["NetworkSettings"]["Networks"].values()
    return f"{network['IPAddress']}:7860"


def test_redis_dies(deployment: Deployment) -> None:
    """SIGKILL of Redis loses no query; what it had to refuse meanwhile can be sent again; no gateway is unhealthy."""
    [victim] = deployment.containers("redis")
    with Load(deployment.url, AT_ONCE, patient=True) as load:
        deployment.kill(victim)
        took = deployment.await_return(victim, 0)
        assert all(deployment.is_well(one) for one in deployment.containers("gateway"))
        time.sleep(AFTER_S)
    print(load.check(), took)


def test_a_long_outage_of_redis(deployment: Deployment) -> None:
    """While Redis is away for longer than a health check takes, gateways stay healthy; afterwards all goes on."""
    [redis] = deployment.containers("redis")
    deployment.engine.docker("stop", redis)
    time.sleep(OUTAGE_S)
    assert all(deployment.is_well(one) for one in deployment.containers("gateway"))
    deployment.engine.docker("start", redis)
    eventually(deployment.is_ready, 30, "database and broker answer again")
    with Load(deployment.url, AT_ONCE) as load:
        time.sleep(AFTER_S)
    print(load.check())


def restart(deployment: Deployment, container: str) -> None:
    """Restart a container, and wait until it is well."""
    deployment.engine.docker("restart", "--time", "30", container)
    eventually(lambda: deployment.is_well(container), 60, "it is well again")


def test_everything_is_restarted_in_turn(deployment: Deployment, host_model: ScriptedModel) -> None:
    """With fifty queries in flight, each container is restarted after the other, and all queries end well."""
    for seat in SEATS:
        # Long answers, so that fifty stay in flight without keeping both cores of a small machine busy.
        host_model.script(f"scripted/{seat}", {"token_delay_s": 0.1})
    services = ("gateway", *WORKERS, "heartbeat", "ui", "redis", "nginx")
    with Load(deployment.url, ROLLING, patient=True) as load:
        for container in [one for service in services for one in deployment.containers(service)]:
            restart(deployment, container)
    print(load.check())
