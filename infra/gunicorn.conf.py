"""gunicorn for one gateway replica: one process of threads, so that a replica is scaled and killed as one."""

import os
from pathlib import Path

from folkmoot import logs

bind = os.environ.get("FOLKMOOT_BIND", "127.0.0.1:8000")
# gthread, but for how an answer leaves it.
worker_class = "services.gateway.server.Worker"
# A file goes the way of every other body.
sendfile = False
workers = 1
threads = int(os.environ.get("FOLKMOOT_GATEWAY_THREADS") or 128)

# Longer than nginx keeps an idle upstream connection (60 s), so that nginx is the one to close it: a request
# never meets a connection that gunicorn is just closing.
keepalive = 75
# A stream of events may be open for as long as a query runs; past this it is cut, and its reader resumes elsewhere.
graceful_timeout = 5
# The thread that beats is not the one that answers, so this only catches a process that is stuck as a whole.
timeout = 30

# The root file system may be read-only: the heartbeat file goes to memory, and nothing to $HOME.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nosec B108 # gunicorn makes the name
control_socket_disable = True

# Only nginx reaches a gateway, over a private socket or network.
forwarded_allow_ips = "*"
limit_request_line = 8190

# nginx writes the access log; what goes wrong here goes to stderr. So do the lines of gunicorn's first process, also
# where the worker has a file of its own (`create_app`): of two processes one alone may put it aside.
accesslog = None
logger_class = "services.gateway.server.QuietLogger"
loglevel = os.environ.get("FOLKMOOT_LOG_LEVEL") or "info"
_lines = logs.configuration("gateway", loglevel)
# What gunicorn would have its own handlers for goes the way of every other line.
logconfig_dict = {**_lines, "loggers": {"gunicorn.error": {"propagate": True}, "gunicorn.access": {"propagate": False}}}
