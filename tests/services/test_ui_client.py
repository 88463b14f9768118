"""The UI without a browser: its client and a gateway that misbehaves, what it shows, how it starts and ends."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.client.job import Job
from services.client.rest import Gateway, Refused, SignedOut, Unreachable
from services.client.stream import Event, parse_events
from services.client.watch import watch
from services.ui import render
from services.ui.form import CHOOSE, DEAL, ROWS, Filled, body
from services.ui.memory import EMPTY_DRAFT
from services.ui.settings import SettingsError, load
from tests.stack import ROOT, eventually

#: Seconds in which the UI must have ended after SIGTERM.
STOP_S = 5.0

Json = dict[str, Any]
#: What the scripted gateway does with a request, given how many came before it.
Reply = Callable[["Handler", int], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the script for its method and path."""

    protocol_version = "HTTP/1.1"
    server: "ScriptedGateway"

    def do_GET(self) -> None:
        """Answer a read."""
        self.server.answer(self)

    def do_POST(self) -> None:
        """Answer a submission."""
        self.server.answer(self)

    def do_PUT(self) -> None:
        """Answer a replacement."""
        self.server.answer(self)

    def do_DELETE(self) -> None:
        """Answer a removal."""
        self.server.answer(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def send(self, status: int, content: Json | None = None, kind: str = "application/json") -> None:
        """A whole answer."""
        payload = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Set-Cookie", "who=somebody")
        self.end_headers()
        self.wfile.write(payload)

    def stream(self, events: list[Event]) -> None:
        """Events, and then the connection is cut."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            frame = f"id: {event.id}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.close_connection = True


class ScriptedGateway(ThreadingHTTPServer):
    """A gateway on a real socket that does as it is told, and remembers the headers of what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, handler: Handler) -> None:
        """Remember the request, and do what was said for it."""
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        call = f"{handler.command} {handler.path}"
        before = [earlier for earlier, _ in self.asked].count(call)
        self.asked.append((call, dict(handler.headers.items())))
        self.replies[call](handler, before)


@pytest.fixture
def scripted() -> Iterator[ScriptedGateway]:
    """A scripted gateway, listening."""
    with ScriptedGateway() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def event(number: int, name: str, **data: Any) -> Event:
    """An event of a stream."""
    return Event(str(number), name, data)


def resource(**changes: Any) -> Json:
    """A query with one agent, just accepted."""
    seat: Json = {"agent_id": "qwen", "model": "m", "role": "None", "status": "pending", "text": None, "error": None}
    seat |= {"latency_ms": None, "cached": False, "attempts": 0}
    seat |= {"prompt_tokens": None, "completion_tokens": None}
    times = {"created_at": "2030-01-01T00:00:00Z", "deadline_at": "2030-01-01T00:01:00Z", "finished_at": None}
    query = {"job_id": "j1", "status": "asking", "query": "Why?", "domain": "Policy", "question_type": "None"}
    more: Json = {"aggregator": {"requested": "llama3", "used": None, "failed_over": False}, "consensus": None}
    more["analysis"] = {"status": "skipped", "reason": "none", "report": None, "charts": []}
    return {**query, **times, **more, "responses": [seat], "degraded": False, "notes": [], **changes}


def follow(gateway: Gateway) -> list[Event]:
    """Every event of a job, without the word that the stream was interrupted."""
    return [each for each in gateway.follow("token", "j1", lambda: False) if each.name != "interrupted"]


@pytest.mark.parametrize(("cost_usd", "told"), [("0.00012", " · $0.00012"), ("0", " · $0"), (None, "")])
def test_cost_is_told_where_it_is_known(cost_usd: str | None, told: str) -> None:
    """A seat's line, and the consensus', tell the cost after the tokens, and nothing of one that is unknown."""
    figures = {"prompt_tokens": 7, "completion_tokens": 9, "latency_ms": 5, "cost_usd": cost_usd}
    seat = {**resource()["responses"][0], **figures, "status": "ok", "text": "Yes."}
    written = {**figures, "text": "Yes.", "agent_id": "llama3", "model": "m"}
    job = Job(resource(status="done", finished_at="2030-01-01T00:00:09Z", responses=[seat], consensus=written))

    assert f"<span>7 tokens read, 9 written{told}</span>" in render.board(job)
    assert f"7 tokens read, 9 written{told}</p>" in render.answer(job)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_the_bytes_are_cut(size: int) -> None:
    """An event is the same whether it comes in one piece or byte by byte, also inside a letter."""
    first = ': open\n\nid: 1\nevent: status\ndata: {"status": "asking"}\n\n'
    second = 'id: 2\r\nevent: x\r\ndata: {"t":\r\ndata: "é"}\r\n\r\n'
    raw = (first + second).encode()

    events = list(parse_events(raw[start : start + size] for start in range(0, len(raw), size)))

    assert events == [event(1, "status", status="asking"), event(2, "x", t="é")]


def test_broken_stream_is_resumed_where_it_broke(scripted: ScriptedGateway) -> None:
    """After a cut the client asks again with the last id it saw, and gives each event once."""
    events = [event(number, "response.delta", text=str(number)) for number in range(1, 4)] + [event(4, "end")]
    parts = [events[:2], [], events[2:]]
    scripted.replies["GET /api/v1/queries/j1/events"] = lambda handler, before: handler.stream(parts[before])

    seen = follow(Gateway(scripted.url))

    assert seen == events
    assert [headers.get("Last-Event-ID") for _, headers in scripted.asked] == [None, "2", "2"]


def test_stream_is_resumed_while_no_gateway_is_ready(scripted: ScriptedGateway) -> None:
    """Error pages of the proxy in the middle of a stream are waited out."""

    def reply(handler: Handler, before: int) -> None:
        if before == 0:
            handler.stream([event(1, "status", status="asking")])
        elif before == 1:
            handler.send(502, kind="text/html")
        else:
            handler.stream([event(2, "end")])

    scripted.replies["GET /api/v1/queries/j1/events"] = reply

    assert [each.name for each in follow(Gateway(scripted.url))] == ["status", "end"]


def test_stream_that_was_seen_to_its_end_is_over(scripted: ScriptedGateway) -> None:
    """204 means that nothing will come; the client does not ask for ever."""
    scripted.replies["GET /api/v1/queries/j1/events"] = lambda handler, _: handler.send(204)

    assert [each.name for each in follow(Gateway(scripted.url))] == ["end"]


def test_refusal_is_the_gateways_own_sentence(scripted: ScriptedGateway) -> None:
    """What the user reads are the sentences about the fields, or the detail when there are none."""
    fields = [{"field": "query", "detail": "Write something."}, {"field": "domain", "detail": "Choose one."}]
    problems: list[Json] = [{"title": "T", "detail": "D", "errors": fields}, {"title": "T", "detail": "D."}]
    kind = "application/problem+json"
    scripted.replies["POST /api/v1/queries"] = lambda handler, before: handler.send(422, problems[before], kind)
    gateway = Gateway(scripted.url)

    with pytest.raises(Refused, match=r"^Write something\. Choose one\.$"):
        gateway.ask("token", {}, "key")
    with pytest.raises(Refused, match=r"^D\.$"):
        gateway.ask("token", {}, "key")


def test_wrong_password_is_not_an_ended_session(scripted: ScriptedGateway) -> None:
    """401 ends the session of a signed-in user, and is a plain refusal while signing in."""
    scripted.replies["POST /api/v1/sessions"] = lambda handler, _: handler.send(401, {"detail": "Wrong."})
    scripted.replies["GET /api/v1/queries/j1"] = lambda handler, _: handler.send(401, {"detail": "Sign in."})
    gateway = Gateway(scripted.url)

    with pytest.raises(Refused, match=r"^Wrong\.$"):
        gateway.sign_in("ada", "secret")
    with pytest.raises(SignedOut, match=r"^Sign in\.$"):
        gateway.query("dead", "j1")


def test_absent_gateway_is_told_in_words() -> None:
    """Nobody listening becomes a sentence that names neither addresses nor exceptions."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        gateway = Gateway(f"http://127.0.0.1:{unused.getsockname()[1]}")

        with pytest.raises(Unreachable) as caught:
            gateway.catalogue()

    assert str(caught.value) == "The Folkmoot gateway cannot be reached just now; try again shortly."


def test_question_is_sent_once_more_under_the_same_key(scripted: ScriptedGateway) -> None:
    """A submission that nobody answered is repeated with its idempotency key, so that it cannot count twice."""
    answers = [(502, None), (202, resource())]
    scripted.replies["POST /api/v1/queries"] = lambda handler, before: handler.send(*answers[before])

    asked = Gateway(scripted.url).ask("token", {"query": "Why?"}, "key-1")

    assert asked["job_id"] == "j1"
    assert [headers["Idempotency-Key"] for _, headers in scripted.asked] == ["key-1", "key-1"]


def test_client_carries_nothing_from_one_user_to_the_next(scripted: ScriptedGateway) -> None:
    """A shared client keeps no cookie of an answer, and each call bears its own token only."""
    scripted.replies["GET /api/v1/queries/j1"] = lambda handler, _: handler.send(200, resource())
    gateway = Gateway(scripted.url)

    for token in ("one", "two"):
        gateway.query(token, "j1")

    assert [headers["Authorization"] for _, headers in scripted.asked] == ["Bearer one", "Bearer two"]
    assert not any("Cookie" in headers for _, headers in scripted.asked)


def test_job_id_cannot_lead_elsewhere(scripted: ScriptedGateway) -> None:
    """What a browser sends as a job_id stays one part of the path."""
    scripted.replies["GET /api/v1/queries/..%2Fagents%3Fx"] = lambda handler, _: handler.send(404, {"detail": "No."})

    with pytest.raises(Refused):
        Gateway(scripted.url).query("token", "../agents?x")


def test_replay_does_not_repeat_what_is_known() -> None:
    """A replay from the beginning leaves a finished response and a later stage as they are."""
    done = resource(status="aggregating")
    done["responses"][0] |= {"status": "ok", "text": "Whole."}
    job = Job(done)

    job.apply(event(1, "status", status="asking"))
    job.apply(event(2, "response.delta", agent_id="qwen", attempt=1, text="Wh"))

    assert job.status == "aggregating"
    assert job.responses == {}


def test_reset_voids_an_attempt() -> None:
    """The text of a failed attempt goes, and its late pieces do not come back."""
    job = Job(resource())
    job.apply(event(1, "response.delta", agent_id="qwen", attempt=1, text="half a "))
    job.apply(event(2, "reset", agent_id="qwen", attempt=1, stage="response"))
    job.apply(event(3, "response.delta", agent_id="qwen", attempt=2, text="new"))
    job.apply(event(4, "response.delta", agent_id="qwen", attempt=1, text="late"))

    assert job.responses["qwen"].text == "new"


def test_failed_consensus_leaves_nothing_behind() -> None:
    """When the aggregator fails over, the screen starts with the next one's words."""
    job = Job(resource(status="aggregating"))
    job.apply(event(1, "consensus.delta", agent_id="llama3", attempt=1, text="half"))
    job.apply(event(2, "reset", agent_id="llama3", attempt=1, stage="consensus"))
    job.apply(event(3, "consensus.delta", agent_id="mistral", attempt=2, text="All "))
    job.apply(event(4, "consensus.delta", agent_id="mistral", attempt=2, text="agree."))

    shown = render.answer(job)

    assert "All agree." in shown
    assert "half" not in shown
    assert "mistral is writing in place of llama3" in shown


HOSTILE = (
    '<img src=x onerror="steal()"> <script>steal()</script> ![pixel](http://elsewhere.example/p.png) '
    "[go](javascript:steal()) <a href='http://elsewhere.example'>x</a> [fine](https://elsewhere.example/)\n\n"
    "<iframe src='http://elsewhere.example'></iframe>\n\n<style>body{display:none}</style>\n\n"
    "[ref]: javascript:steal()\n\n[ref] & `<b>`"
)


class Tags(HTMLParser):
    """What a browser makes of HTML: its tags with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a piece of text."""
        self.text += data


def test_text_of_a_model_brings_no_markup_of_its_own() -> None:
    """HTML in a response is shown as text; images and script addresses are not made at all."""
    found = Tags()
    found.feed(render.markdown(HOSTILE))

    assert {tag for tag, _ in found.seen} <= {"div", "p", "a", "code"}
    links = [attributes for tag, attributes in found.seen if tag == "a"]
    assert [link["href"] for link in links] == ["http://elsewhere.example/p.png", "https://elsewhere.example/"]
    assert all(link["rel"] == "noopener noreferrer nofollow" for link in links)
    assert '<img src=x onerror="steal()">' in found.text


def test_everything_from_outside_is_escaped() -> None:
    """A question, an error, a role, a model's name and a note cannot bring markup either."""
    query = resource(query="<b>q</b>", notes=["<b>n</b>"], degraded=True, domain="<b>d</b>")
    query["responses"][0] |= {"model": "<b>m</b>", "role": "<b>r</b>", "status": "failed", "error": "<b>e</b>"}
    job = Job(query)

    shown = render.heading(job) + render.board(job) + render.notice("<b>s</b>") + render.signed_in_as("<b>u</b>")

    assert "<b>" not in shown
    assert all(f"&lt;b&gt;{letter}&lt;" in shown for letter in "qndmresu")


def test_reason_of_a_seat_that_did_not_answer_is_shown() -> None:
    """The real error stands in the seat's column, and the answer says at its top that it is degraded."""
    query = resource(status="done", degraded=True, notes=["qwen: the endpoint answered 500"])
    query["responses"][0] |= {"status": "failed", "error": "the endpoint answered 500"}
    job = Job(query)

    assert "the endpoint answered 500" in render.board(job)
    assert render.heading(job).startswith('<div class="fm-notice warn" role="alert"><strong>This answer is degraded')


def filled(dealing: str) -> Filled:
    """The form as a user left it, but for the panel."""
    seats = [{"agent_id": "qwen"}, {"agent_id": "llama3"}]
    catalogue = {"agents": seats, "roles": ["None", "Utilitarian", "Rawlsian"]}
    return Filled("Why?", EMPTY_DRAFT, "Policy", "None", dealing, "llama3", 45, catalogue)


def test_chosen_roles_go_with_their_agents() -> None:
    """Each agent ticked is sent with the role beside it, and nobody else is."""
    rows = [True, False, *[False] * (ROWS - 2), "Rawlsian", "Utilitarian", *[None] * (ROWS - 2)]

    sent = body(filled(CHOOSE), rows)

    assert (sent["agents"], sent["roles"]) == (["qwen"], {"qwen": "Rawlsian"})


def test_dealt_roles_are_left_to_the_gateway() -> None:
    """To deal, the roles there are go as a list; which agent gets which is decided once, by the gateway."""
    rows = [True, True, *[False] * (ROWS - 2), *["None"] * ROWS]

    assert body(filled(DEAL), rows)["roles"] == ["Utilitarian", "Rawlsian"]


def test_watching_shows_the_stored_query_at_its_end(scripted: ScriptedGateway) -> None:
    """Watching goes by the events while they come, and ends with what the gateway has stored."""
    delta = event(1, "response.delta", agent_id="qwen", attempt=1, text="Because")
    stored = [resource(), resource(status="done", notes=["a note"]), resource(status="done", notes=["a note"])]
    scripted.replies["GET /api/v1/queries/j1"] = lambda handler, before: handler.send(200, stored[before])
    scripted.replies["GET /api/v1/queries/j1/events"] = lambda handler, _: handler.stream(
        [delta, event(2, "status", status="done"), event(3, "end", status="done")]
    )

    async def last() -> Job:
        return [job async for job in watch(Gateway(scripted.url), "token", "j1")][-1]

    job = asyncio.run(last())

    assert (job.status, job.resource["notes"]) == ("done", ["a note"])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FOLKMOOT_UI_BIND", "7860"),
        ("FOLKMOOT_UI_BIND", "unix:"),
        ("FOLKMOOT_UI_BIND", "localhost:99999"),
        ("FOLKMOOT_GATEWAY_URL", "gateway:8080"),
        ("FOLKMOOT_LOG_LEVEL", "loud"),
    ],
)
def test_wrong_setting_is_named(variable: str, value: str) -> None:
    """A bad value is refused with the variable, the value and what would be accepted."""
    with pytest.raises(SettingsError, match=rf"^{variable} is '{value}': give ") as caught:
        load({variable: value})

    assert str(caught.value).endswith(".")


def test_process_refuses_a_wrong_setting_at_start() -> None:
    """The process ends at once with the sentence, and without a stack trace."""
    environment = os.environ | {"FOLKMOOT_UI_BIND": "nowhere"}

    command = [sys.executable, "-m", "services.ui"]
    ended = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert ended.stderr.startswith("FOLKMOOT_UI_BIND is 'nowhere': give host:port")
    assert "Traceback" not in ended.stderr


@contextmanager
def running_ui(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The UI on a unix socket, serving its page, with no gateway behind it."""
    environment = os.environ | {"FOLKMOOT_UI_BIND": f"unix:{path}", "FOLKMOOT_GATEWAY_URL": "http://127.0.0.1:9"}
    process = subprocess.Popen([sys.executable, "-m", "services.ui"], cwd=ROOT, env=environment)
    try:
        eventually(path.exists, 60, "the socket is there")
        eventually(lambda: get(path, "/"), 30, "the page is served")
        yield process
    finally:
        process.kill()
        process.wait()


def test_page_is_for_the_host_that_nginx_names_and_for_nothing_else(tmp_path: Path) -> None:
    """The page calls back to the public address, and Gradio's doors for files and other hosts are shut."""
    path = tmp_path / "ui.sock"

    with running_ui(path):
        page = get(path, "/")
        closed = [get(path, f"/gradio_api/{door}") for door in ("upload", "file=pyproject.toml", "proxy=http://x")]

    assert '"root":"http://moot.example:8080"' in page
    assert all(answer.startswith("HTTP/1.1 404 ") for answer in closed)


def test_process_ends_quickly_with_pages_open(tmp_path: Path) -> None:
    """SIGTERM ends the process in time although a browser still has its page open."""
    path = tmp_path / "ui.sock"

    with running_ui(path) as process, open_stream(path, "/gradio_api/heartbeat/open-page") as stream:
        assert stream.recv(1024).startswith(b"HTTP/1.1 200 ")
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)

    assert process.returncode in (0, -signal.SIGTERM)


def get(path: Path, target: str) -> str:
    """A page over a unix socket, asked for as nginx does; empty while nobody listens."""
    try:
        with open_stream(path, target, close=True) as stream:
            return b"".join(iter(lambda: stream.recv(65536), b"")).decode(errors="replace")
    except ConnectionError:
        return ""


def open_stream(path: Path, target: str, close: bool = False) -> socket.socket:
    """A connection on which a page has been asked for."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(20)
    stream.connect(str(path))
    forwarded = "Host: moot.example:8080\r\nX-Forwarded-Host: moot.example:8080\r\nX-Forwarded-Proto: http\r\n"
    ending = "Connection: close\r\n" if close else ""
    stream.sendall(f"GET {target} HTTP/1.1\r\n{forwarded}{ending}\r\n".encode())
    return stream
