"""The least that Flask can do for a `GET`: one route whose answer lies ready, behind the same nginx."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import requests
from flask import Flask, Response, jsonify

from infra.local import front
from infra.local.folder import Folder
from infra.local.settings import read
from tests.stack import ROOT, free_port

#: About as long as a query with four responses of sixty words and its consensus.
ANSWER: dict[str, Any] = {"job_id": "bare", "responses": [{"text": "word " * 60} for _ in range(5)]}
GATEWAYS = ("gateway-1", "gateway-2")


def create_app() -> Flask:
    """The application: no token, no limit, no database."""
    app = Flask("bare")

    @app.get("/api/v1/queries/<job_id>")
    def show_query(job_id: str) -> Response:
        return jsonify(ANSWER | {"job_id": job_id})

    return app


class Bare:
    """Two gunicorns as the gateways are, and an nginx as the product's is, in front of that; a context manager."""

    def __enter__(self) -> Self:
        """Start, and return once it answers."""
        self._folder = TemporaryDirectory(prefix="bare-")
        run = Path(self._folder.name)
        folder, own = Folder(run, run), replace(read({"FOLKMOOT_DATA_DIR": str(run)}), port=free_port())
        folder.front.mkdir()
        front.prepare(own, folder, GATEWAYS)
        self.url = own.url
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "bench.bare:create_app()"]
        binds = [f"unix:{folder.socket(name)}" for name in GATEWAYS]
        quiet = os.environ | {"FOLKMOOT_LOG_LEVEL": "warning"}
        self._processes = [subprocess.Popen([*gunicorn, "-b", bind], cwd=ROOT, env=quiet) for bind in binds]
        nginx = subprocess.Popen(front.command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._processes.append(nginx)
        ends = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < ends, "the bare handler does not answer"
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        try:
            return all(requests.get(f"{self.url}/api/v1/queries/1", timeout=2).ok for _ in GATEWAYS)
        except requests.RequestException:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(20)
        self._folder.cleanup()
