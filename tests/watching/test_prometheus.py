"""The dashboard and the alerts, asked of a real Prometheus that scrapes a real stack."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.client import Client
from tests.stack import ROOT, Stack, eventually, free_port
from tests.watching.gateway import OverSocket, sockets

MONITORING = ROOT / "infra" / "monitoring"

pytestmark = pytest.mark.timeout(180)


@contextmanager
def relay(path: Path) -> Iterator[str]:
    """An address for a gateway that listens at a path."""

    class Relay(BaseHTTPRequestHandler):
        """Passes a scrape on."""

        def do_GET(self) -> None:
            """Ask the gateway."""
            with closing(OverSocket(path)) as connection:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with the product's own rules, on the gateways of the stack; its address."""
    program = shutil.which("prometheus")
    assert program, "Debian's package prometheus is not installed"
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(MONITORING / "alerts.yml", folder)
    content = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    content["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = content["scrape_configs"]
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as relays:
        targets = [relays.enter_context(relay(path)) for path in sockets(stack)]
        content["scrape_configs"] = [{"job_name": job["job_name"], "static_configs": [{"targets": targets}]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log) as process,
        ):
            try:
                eventually(lambda: is_ready(address), 30, "Prometheus is ready")
                yield f"http://{address}"
            finally:
                process.terminate()


def is_ready(address: str) -> bool:
    """Whether it answers."""
    try:
        return requests.get(f"http://{address}/-/ready", timeout=2).ok
    except requests.RequestException:
        return False


def ask(prometheus: str, expression: str) -> list[dict[str, Any]]:
    """The samples that an expression gives now."""
    answer = requests.get(f"{prometheus}/api/v1/query", params={"query": expression}, timeout=10).json()
    assert answer["status"] == "success", (expression, answer)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def test_every_panel_of_the_dashboard_shows_something(prometheus: str, client: Client) -> None:
    """Each expression of the dashboard is understood by Prometheus, and has samples once queries went through."""
    for _ in range(2):
        client.wait_settled(client.ask("Should a dashboard show something?")["job_id"])
    panels = json.loads((MONITORING / "grafana" / "folkmoot.json").read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(expressions) > 20

    for expression in expressions:
        eventually(lambda asked=expression: ask(prometheus, asked), 20, f"{expression} gives samples")  # type: ignore[misc]


def test_every_alert_is_judged_and_none_is_raised(prometheus: str, client: Client) -> None:
    """Prometheus loads each rule, evaluates it without an error, and finds nothing wrong with a stack in good order."""

    def judged() -> list[dict[str, Any]]:
        groups = requests.get(f"{prometheus}/api/v1/rules", timeout=10).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return rules if all(rule["health"] == "ok" for rule in rules) else []

    rules = eventually(judged, 20, "every rule is judged")

    written = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    assert {rule["name"] for rule in rules} == {rule["alert"] for group in written for rule in group["rules"]}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []
