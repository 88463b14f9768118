"""The peer to be measured beside Folkmoot: `mom-llm`, a council in one process, installed as it is published.

It wants Python 3.12. On 3.11 its two functions with type parameters are written as 3.11 can read them; nothing else of
it is changed, and nothing of it is kept here.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import aiohttp
import requests
import yaml

from bench.councils import AGGREGATOR, QUESTION, SEATS, Council
from bench.stub import Stub
from tests.stack import ROOT, eventually, free_port

#: Its packages are not ours.
ENVIRONMENT = ROOT / "build" / "bench-env"
TYPE_PARAMETERS = re.compile(r"(def \w+)\[\w+\]\(")


def install() -> None:
    """Install what is locked, once."""
    python = ENVIRONMENT / "bin" / "python"
    lock, done = ROOT / "requirements" / "bench.txt", ENVIRONMENT / "installed"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    options = ["--quiet", "--no-deps", "--require-hashes", "--ignore-requires-python", "-r", str(lock)]
    subprocess.run([str(python), "-m", "pip", "--disable-pip-version-check", "install", *options], check=True)
    if sys.version_info < (3, 12):
        for module in (ENVIRONMENT / "lib").glob("python*/site-packages/mom/**/*.py"):
            # Annotations are not evaluated there, so that no type variable is missed.
            module.write_text(TYPE_PARAMETERS.sub(r"\1(", module.read_text(encoding="utf-8")), encoding="utf-8")
    done.touch()


class Peer(Council):
    """`mom-llm` as installed from the package index, its cache off, asked as its clients ask it."""

    name = "mom-llm"

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._port = free_port()
        self._folder = ROOT / "build" / "peer"

    def __enter__(self) -> Self:
        """Install it where it is not there yet, and start it."""
        install()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        (self._folder / "config.yaml").write_text(yaml.safe_dump(self._configuration()), encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "MOM_API_TOKEN": "peer",  # nosec B105 # it listens for this bench alone
            "STUB_API_KEY": "password",
            "OPENAI_API_BASE": self._stub.url,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        self._log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [ENVIRONMENT / "bin" / "mom", "serve", "--config", self._folder / "config.yaml", "--port", str(self._port)],
            cwd=self._folder,
            env=environment,
            stdout=self._log,
            stderr=self._log,
        )
        eventually(self._answers, 60, "the peer answers")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End its process."""
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    async def ask(self, session: aiohttp.ClientSession, number: int) -> float:
        """Ask for one completion."""
        body = {"model": "council", "messages": [{"role": "user", "content": f"{QUESTION} ({number})"}]}
        began = time.perf_counter()
        url = f"http://127.0.0.1:{self._port}/v1/chat/completions"
        async with session.post(url, json=body, headers={"Authorization": "Bearer peer"}) as answer:
            assert answer.status == 200, await answer.text()
            assert (await answer.json())["choices"][0]["message"]["content"]
        return time.perf_counter() - began

    def _configuration(self) -> dict[str, Any]:
        return {
            "version": 2,
            "llms": {name: {"model": f"openai/{name}", "api_key_env": "STUB_API_KEY"} for name in (*SEATS, AGGREGATOR)},
            "ensembles": {
                "council": {"members": [{"llm": seat} for seat in SEATS], "synthesizer": {"llm": AGGREGATOR}}
            },
            "cache": {"enabled": False},
        }

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError((self._folder / "log").read_text(encoding="utf-8")[-2000:])
        try:
            return requests.get(f"http://127.0.0.1:{self._port}/health", timeout=2).ok
        except requests.ConnectionError:
            return False
