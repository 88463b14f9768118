"""How large the images are, and how long each service takes from its container's start until it is well.

Run as `python -m bench.containers [repetitions]`, as root, with Debian's docker.io and debootstrap; prints tables, and
writes them to bench/results/containers.json.
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compose.deployment import SERVICES, Deployment
from tests.compose.engine import Engine, engine
from tests.stack import eventually

RESULTS = Path(__file__).with_name("results")
MOST_S = 60.0


def main() -> None:
    """Build, start, and start each service again so often; show own sizes and medians."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with engine() as ready, _deployment(ready) as deployment:
        own_mb = {image: _own_mb(deployment, image) for image in deployment.images()}
        deployment.up()
        started_s = {service: _start_s(deployment, service, repetitions) for service in SERVICES}
    for image, megabytes in own_mb.items():
        print(f"{image.removeprefix('folkmoot-bench-'):20} {megabytes:8.1f} MB")
    for service, seconds in started_s.items():
        print(f"{service:20} {seconds:8.1f} s")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "containers.json").write_text(json.dumps({"own_mb": own_mb, "start_s": started_s}, indent=2) + "\n")


@contextmanager
def _deployment(ready: Engine) -> Iterator[Deployment]:
    deployment = Deployment(ready, "folkmoot-bench")
    deployment.build()
    try:
        yield deployment
    finally:
        deployment.close()


def _own_mb(deployment: Deployment, image: str) -> float:
    base = deployment.engine.variables["NGINX_IMAGE" if image.endswith("-nginx") else "PYTHON_IMAGE"]
    return (deployment.size(image) - deployment.size(base)) / 1e6


def _start_s(deployment: Deployment, service: str, repetitions: int) -> float:
    [container] = deployment.containers(service)
    check = deployment.inspect(container)["Config"]["Healthcheck"]["Test"]
    words = check[1:] if check[0] == "CMD" else ["sh", "-c", check[1]]

    def start() -> float:
        deployment.engine.docker("stop", container)
        began = time.monotonic()
        deployment.engine.docker("start", container)
        # The service's own check, asked without pause instead of every few seconds.
        eventually(lambda: deployment.succeeds(container, *words), MOST_S, f"{service} is well")
        return time.monotonic() - began

    return statistics.median(start() for _ in range(repetitions))


if __name__ == "__main__":
    main()
