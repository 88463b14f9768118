"""infra/nginx.conf as containers lay it out: gateways are found by name, and followed as they come and go."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests

from infra.local import programs
from tests.services.name_server import NameServer
from tests.services.stub_gateway import StubReplica
from tests.stack import ROOT, eventually, free_port

LEAVING, STAYING, COMING = "127.0.0.2", "127.0.0.3", "127.0.0.4"
#: Upstreams whose names nginx looks up in turn: two of gateways, and the page's.
UPSTREAMS = 3


@pytest.fixture
def names() -> Iterator[NameServer]:
    """Who tells nginx where the gateways are."""
    with NameServer(LEAVING, STAYING) as server:
        yield server


@pytest.fixture
def replicas() -> Iterator[dict[str, StubReplica]]:
    """A gateway at each address, all on one port."""
    port = free_port()
    with ExitStack() as stack:
        yield {each: stack.enter_context(StubReplica(each, port)) for each in (LEAVING, STAYING, COMING)}


@pytest.fixture
def url(names: NameServer, replicas: dict[str, StubReplica]) -> Iterator[str]:
    """The address of an nginx that knows the two first."""
    folder = Path(tempfile.mkdtemp(prefix="fm-"))
    shutil.copyfile(ROOT / "infra/nginx.conf", folder / "nginx.conf")
    port = free_port()
    (folder / "listen.conf").write_text(f"listen 127.0.0.1:{port};\n", encoding="utf-8")
    upstreams = (ROOT / "infra/containers/upstreams.conf").read_text(encoding="utf-8")
    ours = {
        "127.0.0.11": f"127.0.0.1:{names.port}",
        "gateway:8000": f"gateway.test:{replicas[STAYING].server_address[1]}",
        "ui:7860": "ui.test:7860",
        "127.0.0.1:8079": f"127.0.0.1:{free_port()}",
    }
    for theirs, our in ours.items():
        assert theirs in upstreams
        upstreams = upstreams.replace(theirs, our)
    (folder / "upstreams.conf").write_text(upstreams, encoding="utf-8")
    process = subprocess.Popen([programs.nginx(), "-p", f"{folder}/", "-c", str(folder / "nginx.conf")], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: {served(address) for _ in range(4)} == {LEAVING, STAYING}, 10, "nginx knows both gateways")
        yield address
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def served(url: str, path: str = "/api/v1/queries") -> str:
    """Who answers a request; empty when nobody does, yet."""
    try:
        answer = requests.post(url + path, data=b"{}", timeout=30)
    except requests.ConnectionError:
        return ""
    return str(answer.json()["name"]) if answer.ok else f"{answer.status_code}"


def tell(names: NameServer, *addresses: str) -> None:
    """Wait until nginx has been told of these addresses, for each of its upstreams."""
    names.addresses = addresses
    before = names.asked
    eventually(lambda: names.asked > before + UPSTREAMS, 15, "nginx has looked the names up again")


@pytest.mark.parametrize("path", ["/api/v1/queries", "/api/v1/queries/job-1/cancel"])
def test_requests_outlive_the_gateways_they_came_with(
    url: str, names: NameServer, replicas: dict[str, StubReplica], path: str
) -> None:
    """A request whose gateway dies after the list of gateways has changed is served by one that is there now."""
    leaving, staying, _ = replicas.values()
    for replica in (leaving, staying):
        replica.ready.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(partial(served, url, path)) for _ in range(8)]
        eventually(lambda: len(leaving.seen) + len(staying.seen) >= 8, 10, "all wait for an answer")
        tell(names, COMING)
        for replica in (leaving, staying):
            replica.status = None
            replica.ready.set()
        answers = [each.result() for each in asked]

    assert answers == [COMING] * 8


def test_nginx_follows_who_comes_and_goes(url: str, names: NameServer) -> None:
    """Without a reload, who came gets work, and who left gets none."""
    tell(names, STAYING, COMING)

    assert {served(url) for _ in range(8)} == {STAYING, COMING}
