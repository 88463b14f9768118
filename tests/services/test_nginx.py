"""infra/nginx.conf on the real nginx, laid out as `make up` does, before small real HTTP servers."""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from infra.local import front
from infra.local.folder import Folder
from infra.local.settings import StackSettings
from tests.services.stub_gateway import StubGateway
from tests.stack import ROOT, eventually, free_port

NAMES = ("gateway-1", "gateway-2", "gateway-3")


class Front:
    """A running nginx and where its gateways and its page would listen."""

    def __init__(self, folder: Path) -> None:
        self.folder = Folder(folder, folder / "run")
        self.folder.front.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "nginx.log"
        front.prepare(StackSettings("127.0.0.1", self.port, len(NAMES), folder), self.folder, NAMES)

    def run(self) -> "subprocess.Popen[bytes]":
        """Start nginx as `make up` does."""
        with self.log.open("ab") as log:
            return subprocess.Popen(front.command(self.folder), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask nginx."""
        return requests.get(self.url + path, headers=headers, timeout=10)

    def post(self, path: str = "/api/v1/queries", body: bytes = b"{}") -> requests.Response:
        """Send something to nginx."""
        return requests.post(self.url + path, data=body, timeout=10)


@pytest.fixture
def nginx() -> Iterator[Front]:
    """Nginx in a folder of its own; nobody is behind it yet."""
    # Not tmp_path: the path of a socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="fm-"))
    running = Front(folder)
    process = running.run()
    try:
        eventually(lambda: _listens(running.url) or process.poll() is not None, 10, "nginx listens")
        assert process.poll() is None, running.log.read_text()
        yield running
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def _listens(url: str) -> bool:
    try:
        return bool(requests.get(f"{url}/metrics", timeout=1).status_code)
    except requests.ConnectionError:
        return False


@pytest.fixture
def gateways(nginx: Front) -> Iterator[dict[str, StubGateway]]:
    """Three gateways behind nginx, by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(StubGateway(nginx.folder.socket(name))) for name in NAMES}


def problem(answer: requests.Response, status: int) -> dict[str, object]:
    """The problem document that the answer must be."""
    assert answer.status_code == status and answer.headers["Content-Type"] == "application/problem+json"
    content = answer.json()
    assert set(content) == {"type", "title", "status", "detail"} and content["status"] == status
    assert str(content["detail"]).endswith(".") and str(content["type"]).startswith("urn:folkmoot:problem:")
    return dict(content)


def test_new_work_goes_round(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """New queries are dealt to the gateways in turn, whichever of nginx's own processes takes them."""
    served = Counter(nginx.post().json()["name"] for _ in range(30))

    assert served == dict.fromkeys(gateways, 10)


def test_a_job_sticks_to_one_gateway(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """All that is asked of one job goes to one gateway, and the jobs are spread over all."""
    served: dict[str, set[str]] = {}
    for number in range(20):
        paths = [f"/api/v1/queries/job-{number}{more}" for more in ("", "/cancel", "?a=1", "/export.md", "/")]
        served[f"job-{number}"] = {nginx.get(path).json()["name"] for path in paths}

    assert all(len(names) == 1 for names in served.values()), served
    assert set.union(*served.values()) == set(gateways)


def test_two_dead_gateways_cost_nothing(nginx: Front) -> None:
    """With two of three gateways gone, new work and the reads of every job are served by the third."""
    with StubGateway(nginx.folder.socket(NAMES[1])):
        answers = [nginx.post() for _ in range(9)]
        answers += [nginx.get(f"/api/v1/queries/job-{number}") for number in range(9)]

    assert {answer.status_code for answer in answers} == {200}


def test_cut_post_is_sent_again_under_the_same_id(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """A POST whose gateway dies before answering goes to another, whole, and as the same request."""
    first, *others = gateways.values()
    first.status = None
    for _ in range(3):
        assert nginx.post(body=b'{"query": "?"}').status_code == 200

    assert len(first.seen) == 1, "each of three was tried once in turn"
    again = [seen for other in others for seen in other.seen if seen.headers["X-Request-ID"] in ids(first)]
    assert len(again) == 1 and again[0].body == first.seen[0].body
    assert len({identity for gateway in gateways.values() for identity in ids(gateway)}) == 3


def ids(gateway: StubGateway) -> list[str]:
    """The request ids that came to a gateway."""
    return [seen.headers["X-Request-ID"] for seen in gateway.seen]


def test_unavailable_gateway_is_passed_over_and_not_shut_out(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """An answer 503 of one gateway is replaced by another's; when all say so it is passed on, and ends with them."""
    for gateway in gateways.values():
        gateway.status = 503
    assert [nginx.get("/api/v1/agents").status_code for _ in range(5)] == [503] * 5

    gateways[NAMES[0]].status = 200

    assert [nginx.get("/api/v1/agents").status_code for _ in range(9)] == [200] * 9


@pytest.mark.parametrize("path", ["/api/v1/catalogue", "/v1/models", "/", "/gradio_api/info"])
def test_request_id_of_a_client_is_replaced(nginx: Front, gateways: dict[str, StubGateway], path: str) -> None:
    """Whoever answers sees the id that nginx made and the client gets, and the address that the client used."""
    claims = {"X-Request-ID": "mine", "X-Forwarded-For": "8.8.8.8", "X-Forwarded-Host": "elsewhere"}
    with StubGateway(nginx.folder.socket("ui")) as page:
        answer = nginx.get(path, **claims)

    seen = next(seen for gateway in (page, *gateways.values()) for seen in gateway.seen)
    assert seen.headers["Host"] == seen.headers["X-Forwarded-Host"] == f"127.0.0.1:{nginx.port}"
    assert answer.headers["X-Request-ID"] == seen.headers["X-Request-ID"] != "mine"
    assert len(seen.headers["X-Request-ID"]) == 32
    assert seen.headers["X-Forwarded-For"] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/api/v1/queries/job-1/events", "/v1/chat/events", "/gradio_api/events"])
def test_streams_are_not_held_back(nginx: Front, gateways: dict[str, StubGateway], path: str) -> None:
    """An event arrives while the stream is still open and the next is yet to come."""
    with (
        StubGateway(nginx.folder.socket("ui")) as page,
        requests.get(nginx.url + path, stream=True, timeout=10) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == b"data: one"
        for gateway in (page, *gateways.values()):
            gateway.more.set()
        assert b"data: two" in list(lines)


def test_everything_too_large_is_refused(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """Too large a body, address or header is refused with a sentence, and no gateway ever sees it."""
    problem(nginx.post(body=b"x" * (1 << 21)), 413)
    problem(nginx.get("/api/v1/queries?q=" + "x" * 9000), 414)
    problem(nginx.get("/api/v1/queries", **{"X-Large": "x" * 9000}), 431)

    assert not any(gateway.seen for gateway in gateways.values())


@pytest.mark.parametrize("path", ["/api/v1/queries", "/healthz", "/readyz", "/api/v1/queries/job-1"])
def test_nobody_there_is_said_as_a_problem(nginx: Front, path: str) -> None:
    """Without any gateway the answer is a problem document that says when to try again, with an id of its own."""
    answer = nginx.get(path)

    assert problem(answer, 502)["detail"] == "No gateway could be reached. Try again in a few seconds."
    assert answer.headers["Retry-After"] == "2" and len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nobody_there_is_said_in_openais_shape(nginx: Front) -> None:
    """A client of OpenAI's protocol reads in its own shape that no gateway is there."""
    answer = nginx.get("/v1/models")

    assert answer.status_code == 502 and answer.headers["Retry-After"] == "2"
    assert answer.json()["error"] == {
        "message": "No gateway could be reached. Try again in a few seconds.",
        "type": "server_error",
        "param": None,
        "code": "unavailable",
    }


def test_page_that_is_not_there_yet_is_a_page(nginx: Front) -> None:
    """Whoever opens the address before the page is ready sees so, and sees it open by itself."""
    answer = nginx.get("/")

    assert answer.status_code == 502 and answer.headers["Content-Type"].startswith("text/html")
    assert "not ready yet" in answer.text and "refresh" in answer.text


def test_readiness_is_the_gateways_own_word(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """A gateway that says it is not ready is not passed over, and says why itself."""
    gateways[NAMES[0]].status = 503

    assert Counter(nginx.get("/readyz").status_code for _ in range(6)) == {200: 4, 503: 2}


def test_metrics_are_not_public(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """The gateways' metrics are not to be had from outside."""
    problem(nginx.get("/metrics"), 404)

    assert not any(gateway.seen for gateway in gateways.values())


def test_every_answer_is_guarded(nginx: Front, gateways: dict[str, StubGateway]) -> None:
    """Answers forbid sniffing, foreign frames and foreign hosts, and do not tell nginx's version."""
    with StubGateway(nginx.folder.socket("ui")):
        for path in ("/", "/api/v1/catalogue", "/metrics"):
            headers = nginx.get(path).headers

            assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer" and headers["Server"] == "nginx"
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'self';") and "http" not in policy and "*" not in policy


def test_no_line_is_torn_or_lost() -> None:
    """Lines of both of nginx's workers come whole through one pipe; when it ends none is left in a buffer."""
    folder = Path(tempfile.mkdtemp(prefix="fm-"))
    running = Front(folder)
    # Of its dots the address is relieved, but for the log.
    path = f"/{'./' * 400}metrics"

    def ask_often(_: int) -> list[str]:
        with closing(HTTPConnection("127.0.0.1", running.port, timeout=10)) as connection:
            return [_asked(connection, path) for _ in range(100)]

    with ThreadPoolExecutor(9) as pool:
        # A pipe this small is full at times, and what is larger is let in piecemeal then.
        process = subprocess.Popen(front.command(running.folder), cwd=ROOT, stdout=subprocess.PIPE, pipesize=4096)
        written = pool.submit(process.communicate)
        try:
            eventually(lambda: _listens(running.url), 10, "nginx listens")
            identities = [each for some in pool.map(ask_often, range(8)) for each in some]
        finally:
            process.terminate()
            lines = [json.loads(line) for line in written.result(10)[0].decode().splitlines()]
            shutil.rmtree(folder)

    told = [line["request_id"] for line in lines if line["path"] == path]
    assert len(set(told)) == len(told) == 800 and set(told) == set(identities)


def _asked(connection: HTTPConnection, path: str) -> str:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.headers["X-Request-ID"]


def test_access_log_tells_each_try(nginx: Front) -> None:
    """A line of the access log has the request's id, every gateway tried, their statuses and the times."""
    with StubGateway(nginx.folder.socket(NAMES[0])) as gateway:
        identities = [nginx.get("/api/v1/catalogue").headers["X-Request-ID"] for _ in range(3)]
        assert len(gateway.seen) == 3
    eventually(lambda: all(each in nginx.log.read_text() for each in identities), 5, "the lines are written")

    lines = [json.loads(line) for line in nginx.log.read_text().splitlines() if line.startswith("{")]
    tried = [line for line in lines if line["request_id"] in identities]
    assert len(tried) == 3 and {line["status"] for line in tried} == {200}
    assert any("gateway-2.sock" in line["upstream"] and "502" in line["upstream_status"] for line in tried)
    assert all(float(line["request_s"]) >= 0 and line["response_s"] and line["connect_s"] for line in tried)
