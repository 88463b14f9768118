"""One deployment of docker-compose.yml under a name of its own, driven and looked at from outside."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests
import yaml

from tests.compose.engine import Engine, run
from tests.stack import NO_LIMITS, eventually, free_port

#: Seconds for all images from nothing, on a machine that does other things too.
BUILD_S = 1500.0
#: Seconds until a started deployment is healthy, and until a stopped one is gone.
UP_S = 240.0
DOWN_S = 120.0
#: Every service that comes up by itself and stays.
SERVICES = (
    "gateway",
    "heartbeat",
    "model",
    "nginx",
    "redis",
    "ui",
    "worker-aggregate",
    "worker-analyse",
    "worker-deephermes",
    "worker-llama3",
    "worker-mistral",
    "worker-qwen",
)
WORKERS = tuple(name for name in SERVICES if name.startswith("worker-"))


class Deployment:
    """The product in containers; `name` is that of the Compose project and of its images.

    Args:
        engine: where it runs.
        name: nothing else on the engine may be called so; what is left under it from a run that was cut off is removed.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="fm-"))
        # Read by uid 10001 through a mount.
        self.folder.chmod(0o755)
        (self.folder / "secrets").mkdir()
        #: The file that stands for `.env`, and what the shell sets.
        self.env_file = self.folder / "env"
        self.env_file.touch()
        self.settings: dict[str, str] = dict(NO_LIMITS)
        #: Replicas by service; one where nothing is said.
        self.scale: dict[str, int] = {}

    def use_roster(self, roster: Mapping[str, Any]) -> None:
        """Seat other models from the next start on; the embedded one is left out."""
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        (config / "agents.yaml").write_text(yaml.safe_dump(dict(roster), sort_keys=False), encoding="utf-8")
        self.settings |= {"FOLKMOOT_CONFIG_DIR": str(config), "FOLKMOOT_AGENTS_FILE": "config/agents.yaml"}
        self.scale["model"] = 0

    @property
    def url(self) -> str:
        """The one public address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """How Compose's command lines begin here."""
        return [*self.engine.compose, "-p", self.name, "--env-file", str(self.env_file)]

    def variables(self) -> dict[str, str]:
        """The environment of Compose's commands."""
        own = {"FOLKMOOT_PORT": str(self.port), "FOLKMOOT_IMAGE": self.name, "FOLKMOOT_ENV_FILE": str(self.env_file)}
        return {**self.engine.variables, **own, **self.settings}

    def compose(self, *words: str, timeout_s: float = 120) -> str:
        """Run one Compose command on this deployment and return what it printed."""
        return run([*self.command(), *words], self.variables(), timeout_s)

    def build(self) -> None:
        """Build every image."""
        self.compose("build", timeout_s=BUILD_S)

    def up(self, *words: str) -> Self:
        """Start what does not run as it should, as many replicas as `scale` says, and wait until all is healthy."""
        scale = [word for service, count in self.scale.items() for word in ("--scale", f"{service}={count}")]
        self.compose("up", "-d", "--wait", "--no-build", *scale, *words, timeout_s=UP_S)
        return self

    def is_ready(self) -> bool:
        """Whether a gateway answers, and says that database and broker do."""
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=3).status_code == 200
        return False

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", timeout_s=DOWN_S)

    def close(self) -> None:
        """Remove all that was made, images included; layers stay in the engine's cache."""
        self.down()
        if images := self.images():
            self.engine.docker("image", "rm", "--force", "--no-prune", *images)
        shutil.rmtree(self.folder, ignore_errors=True)

    def images(self) -> list[str]:
        """The product's images by name."""
        found = self.engine.docker("images", "--format", "{{.Repository}}").split()
        return sorted(name for name in found if name.startswith(f"{self.name}-"))

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers that run."""
        return self.compose("ps", "-q", "--status", "running", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", container))
        return found[0]

    def address(self, service: str) -> str:
        """The address of a service's one container, which this machine alone reaches."""
        [container] = self.containers(service)
        [network] = self.inspect(container)["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def _use(self, profile: str) -> None:
        used = self.settings.get("COMPOSE_PROFILES", "").split(",")
        self.settings["COMPOSE_PROFILES"] = ",".join(filter(None, [*used, profile]))

    def use_postgres(self) -> None:
        """From the next start on, keep everything in the profile's PostgreSQL, whose secrets are files."""
        self._use("postgres")
        secrets = self.folder / "secrets"
        self.settings |= {
            "POSTGRES_PASSWORD_FILE": str(secrets / "postgres_password"),
            "FOLKMOOT_DATABASE_URL_FILE": str(secrets / "database_url"),
        }

    def use_rabbitmq(self) -> None:
        """From the next start on, have the profile's RabbitMQ keep the queues, its secrets in files."""
        self._use("rabbitmq")
        secrets = self.folder / "secrets"
        self.settings |= {
            "RABBITMQ_USER_FILE": str(secrets / "rabbitmq_user"),
            "FOLKMOOT_BROKER_URL_FILE": str(secrets / "broker_url"),
        }

    def execute(self, container: str, *words: str) -> str:
        """Run a command in a container and return what it printed."""
        return self.engine.docker("exec", container, *words)

    def succeeds(self, container: str, *words: str) -> bool:
        """Whether a command in a container ends with 0."""
        with suppress(AssertionError):
            self.execute(container, *words)
            return True
        return False

    def size(self, image: str) -> int:
        """All layers of an image, in bytes."""
        return int(self.engine.docker("image", "inspect", "--format", "{{.Size}}", image))

    def is_well(self, container: str) -> bool:
        """Whether a container runs, and is healthy where it has a check."""
        state = self.inspect(container)["State"]
        return bool(state["Running"]) and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def kill(self, container: str) -> None:
        """SIGKILL a container's main process from the host, so that its restart policy acts; the others die with it."""
        pid = self.inspect(container)["State"]["Pid"]
        assert container in Path(f"/proc/{pid}/cgroup").read_text(), f"{pid} is no process of {container}"
        os.kill(pid, signal.SIGKILL)

    def await_return(self, container: str, restarts: int, deadline_s: float = 60) -> float:
        """Wait until the engine has started a container again and it is well; returns the seconds that it took."""
        began = time.monotonic()
        eventually(
            lambda: self.inspect(container)["RestartCount"] > restarts and self.is_well(container),
            deadline_s,
            f"{container} is back",
        )
        return time.monotonic() - began

    def said(self, container: str) -> str:
        """All that a container has written; most of it comes over its standard error."""
        return run(["sh", "-c", 'docker logs "$0" 2>&1', container], self.engine.variables, 60)

    def logs(self, lines: int = 15) -> str:
        """How the containers are, and the end of what each said."""
        with suppress(AssertionError):
            state = self.compose("ps", "-a", "--format", "{{.Name}}\t{{.Status}}")
            return state + self.compose("logs", "--tail", str(lines))
        return "no logs"
