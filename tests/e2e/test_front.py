"""What nginx and the gateways promise together: ids, replicas, stickiness, what is public and what is not."""

from collections import Counter
from typing import Any

import pytest
import requests

from tests.client import Client
from tests.stack import Running, eventually

pytestmark = pytest.mark.timeout(60)


def test_every_answer_names_its_request_and_its_replica(client: Client, stack: Running) -> None:
    """Each answer of a gateway, good or bad, carries a request id of its own and the replica's name."""
    job_id = client.ask()["job_id"]
    answers = [
        client.call("GET", path)
        for path in (
            "/catalogue",
            "/queries",
            f"/queries/{job_id}",
            "/queries/none",
            "/nowhere",
            "/agents",
            "//v1/models",
        )
    ]
    answers += [client.call("POST", "/queries", data="{"), Client(client.url).call("GET", "/queries")]

    assert {answer.headers["X-Served-By"] for answer in answers} <= stack.gateways()
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == len(answers)


def test_request_id_is_given_by_the_front(client: Client, stack: Running) -> None:
    """A request id sent by a client is replaced, and the one given stands in the access log."""
    answer = client.call("GET", "/catalogue", headers={"X-Request-ID": "mine"})

    given = answer.headers["X-Request-ID"]
    assert given != "mine" and len(given) >= 16
    eventually(lambda: given in stack.logs(lines=100_000), 5, "the request id is in a log")


def test_reads_of_a_job_stay_on_one_replica(client: Client, stack: Running) -> None:
    """All reads of one job are served by one replica, and the jobs are spread over all replicas."""
    served: dict[str, set[str]] = {}
    for number in range(8):
        job_id = client.ask(f"Question {number}?")["job_id"]
        served[job_id] = {client.call("GET", f"/queries/{job_id}").headers["X-Served-By"] for _ in range(6)}

    assert all(len(replicas) == 1 for replicas in served.values()), served
    assert set.union(*served.values()) == stack.gateways()


def test_new_queries_are_spread_evenly(client: Client, stack: Running) -> None:
    """New queries go round the replicas, within 20% of even."""
    replicas = Counter(client.submit(query=f"Question {n}?").headers["X-Served-By"] for n in range(20))

    assert set(replicas) == stack.gateways() and min(replicas.values()) >= 8, replicas


def test_killed_gateway_costs_no_request_and_comes_back(client: Client, stack: Running) -> None:
    """A gateway ended by SIGKILL is replaced by the other at once, and is started again."""
    job_id = client.ask()["job_id"]

    victim = min(stack.gateways())
    stack.kill(victim)
    answers = [client.call("GET", f"/queries/{job_id}").status_code for _ in range(20)]
    answers += [client.submit(query=f"Question {number}?").status_code for number in range(10)]

    assert Counter(answers) == {200: 20, 202: 10}
    eventually(lambda: client.call("GET", "/queries").headers["X-Served-By"] == victim, 30, "it is back")


def test_catalogue_needs_no_token(client: Client) -> None:
    """Anybody may read what there is to choose from, in the names that the contract fixes."""
    catalogue = Client(client.url).catalogue()

    assert set(names(catalogue["domains"])) == {
        "Custom",
        "Education",
        "Healthcare",
        "Policy",
        "Science/Technology",
        "Environmental",
    }
    assert set(names(catalogue["question_types"])) == {"None", "Open-ended", "Yes/No", "Multiple Choice"}
    assert set(names(catalogue["roles"])) == {
        "None",
        "Utilitarian",
        "Deontologist",
        "Virtue Ethicist",
        "Libertarian",
        "Rawlsian",
        "Precautionary",
    }
    kinds = Counter((example["domain"], example["question_type"]) for example in catalogue["examples"])
    assert len(kinds) == 18 and set(kinds.values()) == {1}
    seats = {agent["agent_id"]: agent["is_aggregator"] for agent in catalogue["agents"]}
    assert seats == {"qwen": False, "llama3": True, "mistral": False, "deephermes": False}
    assert catalogue["agents"][0]["model"] == "scripted/qwen"
    assert 8000 in catalogue["limits"].values()


def names(items: list[Any]) -> list[str]:
    """The names in a list of names, or of objects that have one."""
    return [item["name"] if isinstance(item, dict) else str(item) for item in items]


def test_agents_tell_how_they_are(client: Client) -> None:
    """Each seat has its model, its state, a fresh heartbeat and at least one living worker."""
    agents = client.agents()

    assert set(agents) == {"qwen", "llama3", "mistral", "deephermes"}
    for agent_id, agent in agents.items():
        assert agent["model"] == f"scripted/{agent_id}" and agent["state"] == "healthy", agent
        assert agent["workers_alive"] >= 1 and agent["consecutive_errors"] == 0 and agent["last_heartbeat"], agent
        assert {"since", "next_probe", "p50_latency_ms", "p95_latency_ms"} <= set(agent)


def test_heartbeats_go_on_by_themselves(client: Client) -> None:
    """The last heartbeat of a seat moves while nobody asks it anything."""
    before = client.agents()["qwen"]["last_heartbeat"]

    eventually(lambda: client.agents()["qwen"]["last_heartbeat"] > before, 10, "another heartbeat")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/openapi.json", "/api/docs", "/api/v1/catalogue"])
def test_public_addresses(stack: Running, path: str) -> None:
    """Health, readiness, docs and the catalogue answer anybody."""
    assert requests.get(stack.url + path, timeout=10).status_code == 200


def test_openapi_describes_the_contract(stack: Running) -> None:
    """The description names every call that the contract names, so that a client can be made from it."""
    paths = requests.get(f"{stack.url}/api/openapi.json", timeout=10).json()["paths"]

    described = {(method.upper(), path.replace("<", "{").replace(">", "}")) for path in paths for method in paths[path]}
    assert {
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/current"),
        ("GET", "/api/v1/catalogue"),
        ("POST", "/api/v1/queries"),
        ("GET", "/api/v1/queries"),
        ("GET", "/api/v1/queries/{job_id}"),
        ("GET", "/api/v1/queries/{job_id}/events"),
        ("POST", "/api/v1/queries/{job_id}/cancel"),
        ("DELETE", "/api/v1/queries/{job_id}"),
        ("GET", "/api/v1/agents"),
        ("GET", "/api/v1/agents/incidents"),
        ("POST", "/api/v1/agents/{agent_id}/reset"),
    } <= described


def test_metrics_are_not_public(stack: Running) -> None:
    """The metrics are nobody's business unless somebody opens them on purpose."""
    assert requests.get(f"{stack.url}/metrics", timeout=10).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/", "/api/v1/catalogue", "/api/v1/nowhere"])
def test_security_headers(stack: Running, path: str) -> None:
    """Every page and answer forbids content sniffing and foreign frames, and tells no version."""
    headers = requests.get(stack.url + path, timeout=10).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Frame-Options" in headers or "frame-ancestors" in headers.get("Content-Security-Policy", "")
    assert not any(sign.isdigit() for sign in headers.get("Server", ""))


def test_ui_is_at_the_root(stack: Running) -> None:
    """The web page is served at the public address."""
    page = eventually(lambda: requests.get(stack.url, timeout=10), 30, "the page is served")

    assert page.headers["Content-Type"].startswith("text/html") and "Folkmoot" in page.text
