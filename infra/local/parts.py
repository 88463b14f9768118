"""The parts of the stack: what runs, by which command, and in which order."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from folkmoot.agents import AGGREGATE_QUEUE, ANALYSE_QUEUE, Roster, queue_of
from folkmoot.settings import Settings
from infra.local import front, programs
from infra.local.folder import Folder
from infra.local.settings import StackSettings

Stage = Literal["base", "gateways", "rest"]
STAGES: tuple[Stage, ...] = ("base", "gateways", "rest")


@dataclass(frozen=True)
class Part:
    """One process of the stack, which may have children of its own.

    Attributes:
        stage: the base starts first and ends last; then come the gateways, so that they answer while all the rest,
            which takes longer, is still starting.
        queue: the one it consumes, when it is a worker.
        socket: where it listens, when that is a socket in the run folder.
        writes_log: whether it writes its log by itself, to the file that it is given; of all others supervisord does.
        variables: what it gets beyond the environment that all share.
    """

    name: str
    command: list[str]
    stage: Stage = "rest"
    queue: str | None = None
    socket: Path | None = None
    writes_log: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def of_the_stack(own: StackSettings, folder: Folder, settings: Settings, roster: Roster) -> list[Part]:
    """All parts, in the order in which they start.

    Raises:
        StartError: a program is missing.
    """
    gateways = [_gateway(folder, f"gateway-{number}") for number in range(1, own.gateways + 1)]
    front.prepare(own, folder, [gateway.name for gateway in gateways])
    return [
        *([_broker(folder)] if str(folder.socket("broker")) in settings.redis else []),
        *([_model(folder)] if _is_embedded(roster, settings) else []),
        *gateways,
        Part("nginx", front.command(folder)),
        *(_worker(folder, queue_of(seat)) for seat in roster.seats),
        _worker(folder, AGGREGATE_QUEUE),
        _worker(folder, ANALYSE_QUEUE),
        _writing_its_log(folder, Part("heartbeat", _service("heartbeat"))),
        _ui(folder),
    ]


def _broker(folder: Folder) -> Part:
    socket = folder.socket("broker")
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder.broker),
        "daemonize": "no",
        # What is queued survives a crash but for the last second, which the sweeper sends again.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # Full is an error that is seen; a queue that forgets is not.
        "maxmemory-policy": "noeviction",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Part("broker", [programs.broker(), *words], stage="base", socket=socket)


def _model(folder: Folder) -> Part:
    return Part("model", _service("model"), stage="base", variables=programs.openmp(folder))


def _is_embedded(roster: Roster, settings: Settings) -> bool:
    endpoints = [endpoint for seat in roster.seats.values() for endpoint in (seat, *seat.fallbacks)]
    return any(settings.model_url in endpoint.base_url for endpoint in endpoints)


def _gateway(folder: Folder, name: str) -> Part:
    socket = folder.socket(name)
    command = [sys.executable, "-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "services.gateway.app:create_app()"]
    variables = {"FOLKMOOT_BIND": f"unix:{socket}", "FOLKMOOT_SERVED_BY": name}
    return _writing_its_log(folder, Part(name, command, stage="gateways", socket=socket, variables=variables))


def _worker(folder: Folder, queue: str) -> Part:
    return _writing_its_log(folder, Part(queue, [*_service("worker"), "-Q", queue], queue=queue))


def _writing_its_log(folder: Folder, part: Part) -> Part:
    """The part, which writes lines for each query: through supervisord each would cost two processes a turn."""
    variables = {**part.variables, "FOLKMOOT_LOG_FILE": str(folder.log(part.name))}
    return replace(part, writes_log=True, variables=variables)


def _ui(folder: Folder) -> Part:
    socket = folder.socket("ui")
    return Part("ui", _service("ui"), socket=socket, variables={"FOLKMOOT_UI_BIND": f"unix:{socket}"})


def _service(name: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}"]
