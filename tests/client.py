"""A client of the REST gateway that shares no code with the product: a check of what it sends."""

import codecs
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import requests

from tests.stack import eventually

#: Statuses in which a query has ended.
ENDED = ("done", "failed", "cancelled")
PASSWORD = "correct horse battery staple"


class Event(NamedTuple):
    """One server-sent event, with its data read as JSON."""

    id: str
    event: str
    data: Any


class Client:
    """One user's view of a stack.

    Args:
        url: the public address.
        token: of a session, when there is one already.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.token = token
        self._session = requests.Session()

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Any request; `path` follows `/api/v1`, or the public address when it begins with two slashes."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", None) or {}
        address = self.url + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        return self._session.request(method, address, headers=headers, timeout=more.pop("timeout", 30), **more)

    def sign_up(self, username: str, password: str = PASSWORD) -> dict[str, Any]:
        """Make an account."""
        return _json(self.call("POST", "/users", json={"username": username, "password": password}), 201)

    def sign_in(self, username: str, password: str = PASSWORD) -> "Client":
        """Open a session and use its token from now on."""
        answer = self.call("POST", "/sessions", json={"username": username, "password": password})
        self.token = str(_json(answer, 201)["token"])
        return self

    def sign_out(self) -> None:
        """End the session; the token stays, to show that it is dead."""
        assert self.call("DELETE", "/sessions/current").status_code == 204

    def catalogue(self) -> dict[str, Any]:
        """What there is to choose from."""
        return _json(self.call("GET", "/catalogue"))

    def submit(self, headers: dict[str, str] | None = None, **body: Any) -> requests.Response:
        """Send a query, whatever comes of it."""
        return self.call("POST", "/queries", json=body, headers=headers)

    def ask(self, query: str = "Should voting be compulsory?", **body: Any) -> dict[str, Any]:
        """Send a query that must be accepted; returns the query resource."""
        return _json(self.submit(query=query, **body), 202)

    def query(self, job_id: str) -> dict[str, Any]:
        """The query resource as it is now."""
        return _json(self.call("GET", f"/queries/{job_id}"))

    def wait_done(self, job_id: str, deadline_s: float = 30) -> dict[str, Any]:
        """Wait until the query has ended, whichever way, and return it."""

        def ended() -> dict[str, Any] | None:
            query = self.query(job_id)
            return query if query["status"] in ENDED else None

        found = eventually(ended, deadline_s, f"query {job_id} ends")
        assert found is not None
        return found

    def wait_settled(self, job_id: str, deadline_s: float = 60) -> dict[str, Any]:
        """Wait until the query has ended, and its analysis too, behind those before it: its record changes no more."""
        self.wait_done(job_id, deadline_s)

        def settled() -> dict[str, Any] | None:
            query = self.query(job_id)
            return query if query["analysis"]["status"] != "pending" else None

        found = eventually(settled, deadline_s, f"the analysis of {job_id} ends")
        assert found is not None
        return found

    def history(self, **parameters: Any) -> dict[str, Any]:
        """A page of the user's own queries."""
        return _json(self.call("GET", "/queries", params=parameters))

    def agents(self) -> dict[str, dict[str, Any]]:
        """The seats and how they are, by agent_id."""
        return {agent["agent_id"]: agent for agent in _json(self.call("GET", "/agents"))["agents"]}

    def states(self) -> dict[str, str]:
        """Each seat's state, by agent_id."""
        return {agent_id: agent["state"] for agent_id, agent in self.agents().items()}

    def incidents(self, **parameters: Any) -> dict[str, Any]:
        """A page of what happened to the seats."""
        return _json(self.call("GET", "/agents/incidents", params=parameters))

    def reset_agent(self, agent_id: str) -> requests.Response:
        """Ask for an agent's reset, which an admin may."""
        return self.call("POST", f"/agents/{agent_id}/reset")

    def cancel(self, job_id: str) -> requests.Response:
        """Ask for a query to be given up."""
        return self.call("POST", f"/queries/{job_id}/cancel")

    def give_up(self) -> None:
        """Cancel every query that still runs, as far as the session allows."""
        page = self.call("GET", "/queries", params={"limit": 100})
        for query in page.json().get("queries", []):
            if query["status"] not in ENDED:
                self.cancel(query["job_id"])

    def delete(self, job_id: str) -> requests.Response:
        """Remove a query from the history."""
        return self.call("DELETE", f"/queries/{job_id}")

    def events(
        self,
        job_id: str,
        last_event_id: str | None = None,
        timeout_s: float = 30,
        comments: list[str] | None = None,
    ) -> Iterator[Event]:
        """Follow a query's events until the stream closes; comment lines go to `comments`."""
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        answer = self.call("GET", f"/queries/{job_id}/events", headers=headers, stream=True, timeout=timeout_s)
        with answer:
            assert answer.status_code == 200, answer.text
            assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.headers
            yield from parse_events(answer.iter_content(None), comments)


def first_user(url: str) -> Client:
    """The first user of a stack, signed up and in, who is its admin."""
    client = Client(url)
    client.sign_up("first")
    return client.sign_in("first")


def new_user(url: str) -> Client:
    """Make an account under a new name and sign in."""
    name, client = f"user-{uuid.uuid4().hex[:12]}", Client(url)
    client.sign_up(name)
    return client.sign_in(name)


def place(event: Event) -> tuple[int, ...]:
    """What an event's id sorts by: the numbers in it."""
    return tuple(int(number) for number in re.findall(r"\d+", event.id))


def folded(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """What somebody who only adds deltas up, and obeys resets, has in the end: (stage, agent_id) to text."""
    texts: dict[tuple[str, str], dict[int, str]] = {}
    for event in events:
        stage, _, delta = event.event.partition(".")
        if delta == "delta":
            attempts = texts.setdefault((stage, event.data["agent_id"]), {})
            number = event.data["attempt"]
            attempts[number] = attempts.get(number, "") + event.data["text"]
        if event.event == "reset":
            texts.get((event.data["stage"], event.data["agent_id"]), {}).pop(event.data["attempt"], None)
    assert all(len(attempts) < 2 for attempts in texts.values()), f"two attempts of one agent stand: {texts}"
    return {key: text for key, attempts in texts.items() for text in attempts.values()}


def parse_events(chunks: Iterator[bytes], comments: list[str] | None = None) -> Iterator[Event]:
    """Server-sent events as the WHATWG standard reads them, each as soon as its blank line has come."""
    decoder, rest = codecs.getincrementaldecoder("utf-8")(), ""
    last_id, name, data = "", "", list[str]()
    for chunk in chunks:
        *lines, rest = re.split(r"\r\n|\n|\r(?!$)", rest + decoder.decode(chunk))
        for line in lines:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                yield Event(last_id, name or "message", json.loads("\n".join(data)))
            if not line:
                name, data = "", []
            elif not field and comments is not None:
                comments.append(value)
            elif field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id":
                last_id = value


def _json(answer: requests.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
    content: dict[str, Any] = answer.json()
    return content
