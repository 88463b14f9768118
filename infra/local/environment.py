"""The environment that every part inherits: what the user set, and the addresses of this run for the rest."""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from infra.local.folder import Folder
from infra.local.settings import StackSettings, StartError

#: Below the ports that the kernel hands to outgoing connections, so that none of those takes it between restarts.
FREE_PORTS = range(20000, 32000)
REDIS_SCHEMES = ("redis://", "rediss://", "redis+socket://")


def with_file(path: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, and those of a `.env` file that are not set yet: lines of KEY=VALUE, `#` for remarks.

    Raises:
        StartError: a line is something else.
    """
    found: dict[str, str] = {}
    if path.is_file():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                key, value = _assignment(line, f"{path.name}, line {number}")
                found[key] = value
    return {**found, **variables}


def _assignment(line: str, where: str) -> tuple[str, str]:
    key, equals, value = line.strip().removeprefix("export ").partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key.isidentifier():
        raise StartError(f"{where} is {line.strip()!r}: it must look like KEY=VALUE.")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return key, value[1:-1]
    return key, value.partition(" #")[0].rstrip()


def on_a_free_port(own: StackSettings) -> StackSettings:
    """The settings with a public port that is free: the one chosen, or any where 0 was chosen.

    Raises:
        StartError: it is taken, or the host is none of this machine's.
    """
    try:
        family = socket.getaddrinfo(own.host, own.port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((own.host, own.port), family=family) as probe:
            return replace(own, port=int(probe.getsockname()[1]))
    except PermissionError as error:
        raise StartError(
            f"FOLKMOOT_PORT is {own.port}: this user may not listen on it; choose one above 1023."
        ) from error
    except OSError as error:
        raise StartError(
            f"{own.host}:{own.port} cannot be listened on: {os.strerror(error.errno or 0)}. "
            "Set FOLKMOOT_PORT to a free port, for example FOLKMOOT_PORT=8090."
        ) from error


def of_the_stack(own: StackSettings, folder: Folder, variables: Mapping[str, str]) -> dict[str, str]:
    """All variables that the parts start with; what the user chose stands."""
    chosen = {name: value for name, value in variables.items() if value or not name.startswith("FOLKMOOT_")}
    return {
        "PYTHONUNBUFFERED": "1",
        "FOLKMOOT_DATABASE_URL": f"sqlite:///{folder.data / 'folkmoot.db'}",
        "FOLKMOOT_MODEL_URL": f"http://127.0.0.1:{_free_port()}/v1",
        **chosen,
        **_broker(folder, chosen),
        "FOLKMOOT_DATA_DIR": str(folder.data),
        "FOLKMOOT_PORT": str(own.port),
        "FOLKMOOT_GATEWAY_URL": own.url,
    }


def needs_own_broker(variables: Mapping[str, str]) -> bool:
    """Whether the user left queues, or what is kept beside them in Redis, to the stack."""
    broker = variables.get("FOLKMOOT_BROKER_URL", "")
    if not broker:
        return not variables.get("FOLKMOOT_REDIS_URL")
    return not broker.startswith(REDIS_SCHEMES) and not variables.get("FOLKMOOT_REDIS_URL")


def _broker(folder: Folder, chosen: Mapping[str, str]) -> dict[str, str]:
    path = quote(str(folder.socket("broker")))
    if needs_own_broker(chosen):
        own = {"FOLKMOOT_REDIS_URL": f"unix://{path}?db=0"}
        if not chosen.get("FOLKMOOT_BROKER_URL"):
            own["FOLKMOOT_BROKER_URL"] = f"redis+socket://{path}?virtual_host=0"
        return own
    if not chosen.get("FOLKMOOT_BROKER_URL"):
        # Redis that holds the health store and the event streams can hold the queues too.
        redis = chosen["FOLKMOOT_REDIS_URL"]
        return {"FOLKMOOT_BROKER_URL": redis.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")}
    return {}


def _free_port() -> int:
    for port in random.sample(FREE_PORTS, 100):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise StartError("No free port was found for the embedded model; set FOLKMOOT_MODEL_URL.")
