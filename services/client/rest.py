"""The gateway as its clients see it: one method a call, its errors as sentences, its event stream unbroken."""

import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from .stream import INTERRUPTED, Event, parse_events, until

Json = dict[str, Any]

#: Seconds to connect and to wait for an answer; a gateway that takes longer counts as away.
TIMEOUT_S = (3.0, 15.0)
#: The stream sends a comment every 15 s at least; silence for longer means that it is dead.
STREAM_TIMEOUT_S = (3.0, 40.0)
#: Waits between attempts to get a broken stream back; the last one repeats.
BACKOFF_S = (0.2, 0.5, 1.0, 2.0)
#: Attempts without a single event before the stream is given up, about two minutes.
STREAM_ATTEMPTS = 60


class GatewayError(Exception):
    """The gateway did not do what was asked; the text is a sentence for the user.

    Attributes:
        status: of the gateway's answer; None when there was none.
        retry_after_s: when the gateway says that it is worth trying again.
        fields: what is wrong with each field of what was sent, in pairs of its name and a sentence.
    """

    status: int | None = None
    retry_after_s: float | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Unreachable(GatewayError):
    """No gateway answered."""


class SignedOut(GatewayError):
    """The session has ended, or there was none."""


class Refused(GatewayError):
    """The gateway answered, and said no."""


class NotYet(Refused):
    """What is asked for is being made."""


class Gateway:
    """A client of the REST gateway; safe to share between threads and users, for it remembers nobody."""

    def __init__(self, url: str) -> None:
        """Keep the address; nothing is asked of the gateway yet."""
        self._url = url
        self._http = _http()

    def sign_up(self, username: str, password: str) -> None:
        """Make an account."""
        self._call("POST", "/api/v1/users", body={"username": username, "password": password})

    def sign_in(self, username: str, password: str) -> Json:
        """Open a session and return its `token`, and when it `expires_at`."""
        # A wrong password is answered with 401 too, and is no session that has ended.
        try:
            return self._call("POST", "/api/v1/sessions", body={"username": username, "password": password})
        except SignedOut as error:
            refused = Refused(str(error))
            refused.status = error.status
            raise refused from error

    def whose(self, token: str) -> Json:
        """The session's `username`, and whether it `is_admin`."""
        return self._call("GET", "/api/v1/sessions/current", token)

    def sign_out(self, token: str) -> None:
        """End the session everywhere."""
        self._call("DELETE", "/api/v1/sessions/current", token)

    def change_password(self, token: str, current: str, new: str) -> Json:
        """Replace the password; returns `sessions_ended` and `tokens_kept`."""
        return self._call("PUT", "/api/v1/users/me/password", token, body={"current": current, "new": new})

    def leave(self, token: str, password: str) -> None:
        """Delete the account and everything of it."""
        self._call("DELETE", "/api/v1/users/me", token, body={"password": password})

    def export(self, token: str) -> tuple[Iterator[bytes], Mapping[str, str]]:
        """Everything of the user's as a file, piece by piece, with the headers of its answer."""
        path = "/api/v1/users/me/export"
        response = self._send("GET", path, token, headers={}, timeout=STREAM_TIMEOUT_S, stream=True)
        return response.iter_content(chunk_size=65_536), response.headers

    def provider_key(self, token: str) -> Json:
        """Whether a key of one's own `is_set`, for which `provider`, and which `providers` there are."""
        return self._call("GET", "/api/v1/users/me/provider-key", token)

    def set_provider_key(self, token: str, provider: str, key: str) -> Json:
        """Keep a key of one's own."""
        return self._call("PUT", "/api/v1/users/me/provider-key", token, body={"provider": provider, "key": key})

    def remove_provider_key(self, token: str) -> None:
        """Forget it."""
        self._call("DELETE", "/api/v1/users/me/provider-key", token)

    def usage_of_users(self, token: str) -> Json:
        """What each of the `users` has used today, which an admin may see."""
        return self._call("GET", "/api/v1/usage/users", token)

    def tokens(self, token: str) -> list[Json]:
        """The user's own API tokens."""
        return list(self._call("GET", "/api/v1/tokens", token)["tokens"])

    def create_token(self, token: str, body: Json) -> str:
        """Make an API token; its text is never to be had again."""
        return str(self._call("POST", "/api/v1/tokens", token, body=body)["token"])

    def revoke(self, token: str, token_id: str) -> None:
        """Revoke an API token."""
        self._call("DELETE", f"/api/v1/tokens/{quote(token_id, safe='')}", token)

    def invitations(self, token: str) -> list[Json]:
        """The invitations there are, which an admin may see."""
        return list(self._call("GET", "/api/v1/invitations", token)["invitations"])

    def invite(self, token: str) -> str:
        """Make an invitation; its text is never to be had again."""
        return str(self._call("POST", "/api/v1/invitations", token, body={})["invitation"])

    def withdraw(self, token: str, invitation_id: str) -> None:
        """Withdraw an invitation."""
        self._call("DELETE", f"/api/v1/invitations/{quote(invitation_id, safe='')}", token)

    def catalogue(self) -> Json:
        """All that a question can be asked with."""
        return self._call("GET", "/api/v1/catalogue")

    def seats(self) -> list[str]:
        """The agent_id of every seat, in the roster's order."""
        return [agent["agent_id"] for agent in self.catalogue()["agents"]]

    def ask(self, token: str, body: Json, key: str) -> Json:
        """Submit a query; sent once more when nobody answered, which the idempotency key makes safe."""
        try:
            return self._call("POST", "/api/v1/queries", token, body=body, headers={"Idempotency-Key": key})
        except Unreachable:
            return self._call("POST", "/api/v1/queries", token, body=body, headers={"Idempotency-Key": key})

    def suggestion(self, token: str, body: Json) -> Json | None:
        """The user's own earlier query that asked the same: its `job_id`, `query` and when it was `asked_at`."""
        found: Json | None = self._call("POST", "/api/v1/suggestions", token, body=body)["suggestion"]
        return found

    def query(self, token: str, job_id: str) -> Json:
        """A query with all that has come of it so far."""
        return self._call("GET", f"/api/v1/queries/{quote(job_id, safe='')}", token)

    def history(self, token: str, limit: int, **filters: str) -> Json:
        """A page of the user's own `queries`, newest first, and its `next_cursor`.

        Args:
            filters: `q`, `status`, `domain`, and the `cursor` that the page before gave.
        """
        return self._call("GET", f"/api/v1/queries?{urlencode({'limit': limit} | filters)}", token)

    def delete(self, token: str, job_id: str, undo_s: float) -> None:
        """Delete a query; for `undo_s` seconds `restore` brings it back."""
        self._call("DELETE", f"/api/v1/queries/{quote(job_id, safe='')}?undo_s={undo_s:g}", token)

    def restore(self, token: str, job_id: str) -> None:
        """Bring back a query that was deleted a moment ago."""
        self._call("POST", f"/api/v1/queries/{quote(job_id, safe='')}/restore", token)

    def agents(self, token: str) -> list[Json]:
        """The health board, a line a seat."""
        return list(self._call("GET", "/api/v1/agents", token)["agents"])

    def incidents(self, token: str, limit: int) -> Json:
        """The newest `incidents` of all seats."""
        return self._call("GET", f"/api/v1/agents/incidents?limit={limit}", token)

    def reset(self, token: str, agent_id: str) -> None:
        """Have a seat's errors forgotten, which an admin may."""
        self._call("POST", f"/api/v1/agents/{quote(agent_id, safe='')}/reset", token)

    def file(self, token: str, job_id: str, name: str) -> tuple[bytes, Mapping[str, str]]:
        """A file of a query, such as `export.md`, with the headers of its answer."""
        path = f"/api/v1/queries/{quote(job_id, safe='')}/{name}"
        with self._send("GET", path, token, headers={}, timeout=TIMEOUT_S) as response:
            return response.content, response.headers

    def cancel(self, token: str, job_id: str) -> None:
        """Stop a query; one that has ended stays as it ended."""
        self._call("POST", f"/api/v1/queries/{quote(job_id, safe='')}/cancel", token)

    def follow(self, token: str, job_id: str, stopped: Callable[[], bool]) -> Iterator[Event]:
        """Every event of a query to its end, each once, over as many connections as it takes.

        Args:
            stopped: asked between pieces of the stream; true ends it early.
        Raises:
            Unreachable: the stream broke and could not be had back.
        """
        last_id, failures = "", 0
        while not stopped():
            try:
                for event in self._stream(token, job_id, last_id, stopped):
                    last_id, failures = event.id or last_id, 0
                    yield event
                    if event.name == "end":
                        return
            except Unreachable:
                if failures >= STREAM_ATTEMPTS:
                    raise
            if not stopped():
                yield INTERRUPTED
                time.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1

    def _stream(self, token: str, job_id: str, last_id: str, stopped: Callable[[], bool]) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        path = f"/api/v1/queries/{quote(job_id, safe='')}/events"
        with self._send("GET", path, token, headers=headers, timeout=STREAM_TIMEOUT_S, stream=True) as response:
            if response.status_code == 204:
                yield Event("", "end", {})
                return
            try:
                yield from parse_events(until(stopped, response.iter_content(chunk_size=4096)))
            except requests.RequestException as error:
                raise Unreachable("The connection to the gateway was lost.") from error

    def _call(  # nosec B107 # no token is the lack of one
        self, method: str, path: str, token: str = "", body: Json | None = None, headers: dict[str, str] | None = None
    ) -> Json:
        with self._send(method, path, token, json=body, headers=headers or {}, timeout=TIMEOUT_S) as response:
            if not response.content:
                return {}
            try:
                content = response.json()
            except ValueError as error:
                raise Unreachable("Something other than the Folkmoot gateway answered; try again shortly.") from error
            return content if isinstance(content, dict) else {}

    def _send(self, method: str, path: str, token: str, headers: dict[str, str], **options: Any) -> requests.Response:
        if token:
            headers = headers | {"Authorization": f"Bearer {token}"}
        try:
            response = self._http.request(method, self._url + path, headers=headers, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise Unreachable("The Folkmoot gateway cannot be reached just now; try again shortly.") from error
        if response.status_code >= 300:
            with response:
                raise _error(response)
        return response


def _error(response: requests.Response) -> GatewayError:
    problem = _problem(response)
    error = _kind(response, _sentence(problem))
    error.status, error.fields = response.status_code, _fields(problem)
    wait = response.headers.get("Retry-After", "")
    error.retry_after_s = float(wait) if wait.isdigit() else None
    return error


def _kind(response: requests.Response, sentence: str) -> GatewayError:
    if response.status_code == 401:
        return SignedOut(sentence or "Your session has ended; sign in again.")
    if response.status_code == 409 and "Retry-After" in response.headers:
        return NotYet(sentence)
    if response.status_code in (502, 503, 504):
        return Unreachable(sentence or "The Folkmoot gateway is not ready just now; try again shortly.")
    return Refused(sentence or f"The gateway refused this with status {response.status_code}.")


def _problem(response: requests.Response) -> Json:
    """The problem document; an empty one when something else answered."""
    if "json" not in response.headers.get("Content-Type", ""):
        return {}
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _sentence(problem: Json) -> str:
    """What the problem says to a person: its fields' sentences when it has any, else its detail."""
    if fields := _fields(problem):
        return " ".join(detail for _, detail in fields)
    return str(problem.get("detail") or problem.get("title") or "")


def _fields(problem: Json) -> tuple[tuple[str, str], ...]:
    errors = problem.get("errors")
    if not isinstance(errors, list):
        return ()
    return tuple((str(each.get("field", "")), str(each.get("detail", ""))) for each in errors)


def _http() -> requests.Session:
    http = requests.Session()
    # The environment's proxies and .netrc are for the outside, and a .netrc would replace the user's token.
    http.trust_env = False
    # A cookie of one user's answer must never travel with another user's call.
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Only what was never answered is sent again, and only calls that may be.
    retry = Retry(total=2, connect=2, read=1, status=0, other=0, allowed_methods={"GET"}, backoff_factor=0.2)
    for scheme in ("http://", "https://"):
        http.mount(scheme, HTTPAdapter(pool_maxsize=64, max_retries=retry))
    return http
