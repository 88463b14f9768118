"""The product in containers, seen as the end-to-end tests see a stack: by its address and its processes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.compose.deployment import Deployment
from tests.stack import Running


class ContainedStack(Running):
    """A deployment that runs; its processes are this machine's too, seen and killed from outside of containers."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    @property
    def url(self) -> str:
        """The one public address."""
        return self.deployment.url

    def redis_url(self) -> str:
        """Redis by its container's address, which only this machine reaches."""
        return f"redis://{self.deployment.address('redis')}:6379/0"

    def logs(self, lines: int = 12) -> str:
        """How the containers are, and the end of what each said."""
        return self.deployment.logs(lines)

    def members(self, everyone: Mapping[tuple[int, int], int]) -> set[int]:
        """All in a control group of one of the deployment's containers."""
        project = f"label=com.docker.compose.project={self.deployment.name}"
        containers = self.deployment.engine.docker("ps", "-q", "--no-trunc", "--filter", project).split()
        members = set()
        for pid, _ in everyone:
            with suppress(OSError):
                group = Path(f"/proc/{pid}/cgroup").read_text()
                if any(container in group for container in containers):
                    members.add(pid)
        return members
