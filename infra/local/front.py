"""The front: what `make up` lays beside infra/nginx.conf, and how nginx is started."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from infra.local import programs
from infra.local.folder import Folder
from infra.local.settings import StackSettings, bracketed

CONFIGURATION = Path(__file__).resolve().parents[1] / "nginx.conf"

UPSTREAMS = """\
upstream gateway {{
    zone gateway 64k;
{gateways}
    keepalive 16;
}}

upstream gateway_by_job {{
    zone gateway_by_job 64k;
    hash $job_id;
{gateways}
    keepalive 16;
}}

upstream ui {{
    zone ui 64k;
    server unix:{ui};
    keepalive 16;
}}
"""


def prepare(own: StackSettings, folder: Folder, gateways: Iterable[str]) -> None:
    """Write the folder that nginx runs in."""
    shutil.copyfile(CONFIGURATION, folder.front / "nginx.conf")
    # A dead gateway refuses at once on its socket, so leaving it in turn costs nothing, and an answer 503 to one
    # request does not shut it out for the others.
    servers = "\n".join(f"    server unix:{folder.socket(name)} max_fails=0;" for name in gateways)
    upstreams = UPSTREAMS.format(gateways=servers, ui=folder.socket("ui"))
    (folder.front / "upstreams.conf").write_text(upstreams, encoding="utf-8")
    (folder.front / "listen.conf").write_text(f"listen {bracketed(own.host)}:{own.port};\n", encoding="utf-8")


def command(folder: Folder) -> list[str]:
    """The command line of nginx."""
    # Started by root, nginx would serve as nobody, who may not enter the data folder.
    user = ["-g", "user root root;"] if os.geteuid() == 0 else []
    return [programs.nginx(), "-p", f"{folder.front}/", "-c", str(folder.front / "nginx.conf"), *user]
