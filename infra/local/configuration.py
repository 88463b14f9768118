"""The configuration of supervisord, written anew at each start."""

import os
import shlex
from pathlib import Path

from folkmoot import logs
from infra.local.folder import Folder
from infra.local.parts import Part

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ("base", "app")

#: A part gets this long to end; what it was doing is taken up again after the next start.
PART_STOPS_S = 7
#: A part that ends sooner than this has not started; then supervisord waits a little longer before each new try.
STARTED_AFTER_S = 5
TRIES = 3

CONFIGURATION = """\
[supervisord]
nodaemon=true
silent=true
logfile={log}
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisord.pid
{user}

[unix_http_server]
file={run}/supervisord.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[group:base]
priority=10
programs={base}

[group:app]
priority=20
programs={app}
"""

PROGRAM = """
[program:{name}]
command={command}
directory={root}
environment={environment}
autostart={autostart}
autorestart=true
startsecs={startsecs}
startretries={startretries}
stopwaitsecs={stopwaitsecs}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes={log_bytes}
stdout_logfile_backups={old_logs}
"""


def rendered(folder: Folder, stack: list[Part]) -> str:
    """The configuration of supervisord for these parts."""
    members = {group: ",".join(part.name for part in stack if group_of(part) == group) for group in GROUPS}
    head = CONFIGURATION.format(
        log=_escaped(str(folder.log("supervisord"))),
        run=folder.run,
        user="user=root" if os.geteuid() == 0 else "",
        base=members["base"],
        app=members["app"],
    )
    if not members["base"]:
        head = head.replace("[group:base]\npriority=10\nprograms=\n\n", "")
    return head + "".join(_program(folder, part) for part in stack)


def _program(folder: Folder, part: Part) -> str:
    return PROGRAM.format(
        name=part.name,
        command=_escaped(shlex.join(part.command)),
        root=_escaped(str(ROOT)),
        environment=",".join(f'{name}="{_escaped(value)}"' for name, value in part.variables.items()),
        autostart="true" if part.stage == "base" else "false",
        startsecs=STARTED_AFTER_S,
        startretries=TRIES - 1,
        stopwaitsecs=PART_STOPS_S,
        log=_escaped(str(folder.output(part.name) if part.writes_log else folder.log(part.name))),
        log_bytes=logs.FILE_BYTES,
        old_logs=logs.OLD_FILES,
    )


def group_of(part: Part) -> str:
    """Supervisord ends one group after the other, and the members of a group all at once."""
    return "base" if part.stage == "base" else "app"


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
