"""Hostile and careless input: the right status, a sentence that helps, and nothing kept of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.client import PASSWORD, Client
from tests.scripted_model import ScriptedModel
from tests.stack import ROOT

pytestmark = pytest.mark.timeout(60)

QUERY = "Should voting be compulsory?"


def problem(answer: requests.Response, *statuses: int) -> dict[str, Any]:
    """The RFC 9457 document of a refusal, after checking that it is one and that it gives nothing away."""
    assert answer.status_code in statuses, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    assert content["type"] and content["title"] and content["status"] == answer.status_code
    assert " " in content["detail"] and content["detail"][-1] in ".!?", content
    assert answer.headers["X-Request-ID"]
    assert not [leak for leak in ("Traceback", str(ROOT), ".py", "sqlalchemy", "pydantic") if leak in answer.text]
    return content


def named(content: dict[str, Any]) -> dict[str, str]:
    """The fields that a 422 names, to what it says of each."""
    return {error["field"]: error["detail"] for error in content["errors"]}


@pytest.fixture
def unharmed(client: Client, model: ScriptedModel) -> Iterator[Client]:
    """A user of whose requests nothing may be stored, and for whom no model may be asked."""
    yield client
    assert client.history()["queries"] == []
    assert model.calls() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query", ""),
        ("query", " \n\t "),
        ("query", "x" * 8001),
        ("query", "é" * 8001),
        ("query", None),
        ("query", 5),
        ("query", ["a"]),
        ("query", "a\0b"),
        ("query", "\ud800"),
        ("domain", "Astrology"),
        ("domain", 3),
        ("domain", "healthcare'; DROP TABLE interactions; --"),
        ("question_type", "Maybe"),
        ("question_type", ["Yes/No"]),
        ("roles", {"qwen": "Pirate"}),
        ("roles", {"nobody": "Utilitarian"}),
        ("roles", {"qwen": 7}),
        ("roles", ["Pirate"]),
        ("roles", "Utilitarian"),
        ("roles", ["Utilitarian"] * 200),
        ("agents", ["nobody"]),
        ("agents", []),
        ("agents", "qwen"),
        ("agents", ["qwen", "qwen"]),
        ("agents", [3]),
        ("agents", {"qwen": 1}),
        ("aggregator", "nobody"),
        ("aggregator", 1),
        ("aggregator", ""),
        ("deadline_s", 0),
        ("deadline_s", -5),
        ("deadline_s", 1),
        ("deadline_s", 1_000_000),
        ("deadline_s", "soon"),
        ("use_cache", "perhaps"),
        ("parent_job_id", 5),
        ("parent_job_id", "no-such-job"),
        ("colour", "blue"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_wrong_field_is_named(unharmed: Client, field: str, value: Any) -> None:
    """A value that breaks a rule is refused with 422, the field's name and what would be right."""
    content = problem(unharmed.submit(**{"query": QUERY, field: value}), 422)

    assert any(name.split(".")[0] == field and " " in detail for name, detail in named(content).items()), content


def test_missing_query_is_named(unharmed: Client) -> None:
    """A query without a question is refused, and the field that is missing is named."""
    assert list(named(problem(unharmed.submit(domain="Policy"), 422))) == ["query"]


def test_every_wrong_field_is_named_at_once(unharmed: Client) -> None:
    """Several mistakes are told together, so that nobody has to find them one by one."""
    content = problem(unharmed.submit(query=QUERY, domain="Astrology", question_type="Maybe", aggregator="nobody"), 422)

    assert {"domain", "question_type", "aggregator"} <= set(named(content))


def test_unknown_choice_is_told_the_right_ones(unharmed: Client) -> None:
    """Who names an unknown domain learns which there are."""
    content = problem(unharmed.submit(query=QUERY, domain="Astrology"), 422)

    assert "Healthcare" in named(content)["domain"]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"", (400,)),
        (b"{", (400,)),
        (b'{"query": "a",}', (400,)),
        (b"query=a", (400,)),
        (b'{"query": "\xff\xfe"}', (400,)),
        (b"[" * 50_000, (400,)),
        (b'{"a":' * 20_000, (400,)),
        (b"[]", (400, 422)),
        (b'"text"', (400, 422)),
        (b"null", (400, 422)),
        (b"17", (400, 422)),
        (b'{"query": "a", "deadline_s": NaN}', (400, 422)),
        (b'{"query": "a", "deadline_s": Infinity}', (400, 422)),
        (b'{"query": "a", "deadline_s": 1e999}', (400, 422)),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_body_that_is_no_json_object(unharmed: Client, body: bytes, statuses: tuple[int, ...]) -> None:
    """A body that is broken, or is no object, is refused with a sentence about it."""
    answer = unharmed.call("POST", "/queries", data=body, headers={"Content-Type": "application/json"})

    problem(answer, *statuses)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_wrong_content_type(unharmed: Client, kind: str) -> None:
    """A body that is not announced as JSON is refused with 415, which names what would be accepted."""
    body = json.dumps({"query": QUERY})
    content = problem(unharmed.call("POST", "/queries", data=body, headers={"Content-Type": kind}), 415)

    assert "application/json" in content["detail"]


def test_huge_body(unharmed: Client) -> None:
    """A body far beyond any question is refused with 413 before it is read."""
    body = json.dumps({"query": "x" * 5_000_000})
    answer = unharmed.call("POST", "/queries", data=body, headers={"Content-Type": "application/json"})

    problem(answer, 413)


NEEDS_TOKEN = [
    ("POST", "/queries"),
    ("GET", "/queries"),
    ("GET", "/queries/none"),
    ("GET", "/queries/none/events"),
    ("POST", "/queries/none/cancel"),
    ("DELETE", "/queries/none"),
    ("GET", "/agents"),
    ("GET", "/agents/incidents"),
    ("POST", "/agents/qwen/reset"),
    ("DELETE", "/sessions/current"),
]


@pytest.mark.parametrize(("method", "path"), NEEDS_TOKEN)
def test_no_token(client: Client, method: str, path: str) -> None:
    """Without a token everything that is somebody's answers 401 and says how to sign in."""
    answer = Client(client.url).call(method, path, json={"query": QUERY} if path == "/queries" else None)

    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic dXNlcjpwYXNz",
        "nonsense",
        "Bearer " + "x" * 4000,
        "Bearer a b c",
        "Bearer \xe9\xe8",
    ],
)
def test_bad_token(client: Client, header: str) -> None:
    """A token that nobody was given, or that is no token at all, answers 401."""
    answer = Client(client.url).call(
        "POST", "/queries", json={"query": QUERY}, headers={"Authorization": header.encode("latin-1")}
    )

    problem(answer, 401)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/events"),
        ("POST", "/cancel"),
        ("DELETE", ""),
        ("GET", "/export.json"),
        ("GET", "/charts/heatmap.png"),
    ],
)
def test_job_of_somebody_else(client: Client, stranger: Client, method: str, path: str) -> None:
    """Another user's job answers 404 in the same words as one that never was, and stays as it is."""
    job_id = client.ask()["job_id"]
    before = client.wait_done(job_id)

    seen = problem(stranger.call(method, f"/queries/{job_id}{path}"), 404)
    never = problem(stranger.call(method, f"/queries/{job_id[::-1]}{path}"), 404)

    assert {**seen, "instance": None} == {**never, "instance": None}
    # The analysis follows in its own time.
    assert client.query(job_id) | {"analysis": None} == before | {"analysis": None}
    assert stranger.history()["queries"] == []


def test_follow_up_on_a_job_of_somebody_else(client: Client, stranger: Client) -> None:
    """A follow-up may not reach into another user's query."""
    job_id = client.ask()["job_id"]

    answer = stranger.submit(query=QUERY, parent_job_id=job_id)

    assert "parent_job_id" in named(problem(answer, 422))


@pytest.mark.parametrize("job_id", ["0", "none", "%00", "..%2f..%2fetc", "x" * 2000, "é", "'; DROP TABLE users; --"])
def test_job_id_that_is_none(client: Client, job_id: str) -> None:
    """A job_id of any shape that names nothing answers 404, or 400 where the address itself is broken."""
    problem(client.call("GET", f"/queries/{job_id}"), 404, 400)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "many"),
        ("limit", "100000"),
        ("cursor", "nonsense"),
        ("cursor", "\0"),
        ("cursor", "é"),
    ],
)
def test_wrong_page(client: Client, name: str, value: str) -> None:
    """A page that cannot be is refused with 422 and the parameter's name."""
    content = problem(client.call("GET", "/queries", params={name: value}), 422)

    assert name in named(content)


@pytest.mark.parametrize("last_event_id", ["nonsense", "-1", "9" * 40, "0-0-0", "'"])
def test_wrong_last_event_id(client: Client, last_event_id: str) -> None:
    """A Last-Event-ID that never was is refused, or replays what there is; it is never an error of ours."""
    job_id = client.ask()["job_id"]
    client.wait_done(job_id)

    answer = client.call("GET", f"/queries/{job_id}/events", headers={"Last-Event-ID": last_event_id})

    assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "", "password": PASSWORD}, "username"),
        ({"username": "x" * 500, "password": PASSWORD}, "username"),
        ({"username": "a\0b", "password": PASSWORD}, "username"),
        ({"username": 5, "password": PASSWORD}, "username"),
        ({"password": PASSWORD}, "username"),
        ({"username": "somebody-new"}, "password"),
        ({"username": "somebody-new", "password": "short"}, "password"),
        ({"username": "somebody-new", "password": "x" * 100_000}, "password"),
        ({"username": "somebody-new", "password": None}, "password"),
        ({"username": "somebody-new", "password": PASSWORD, "admin": True}, "admin"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_account_that_breaks_a_rule(client: Client, body: dict[str, Any], field: str) -> None:
    """Signing up says which rule failed, and makes no account."""
    anybody = Client(client.url)

    content = problem(anybody.call("POST", "/users", json=body), 422)

    assert field in named(content)
    assert anybody.call("POST", "/sessions", json={"username": "somebody-new", "password": "short"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/queries", 405),
        ("PATCH", "/users", 405),
    ],
)
def test_address_that_is_none(client: Client, method: str, path: str, status: int) -> None:
    """An unknown address, or the wrong method on a known one, is a problem document too."""
    problem(client.call(method, path), status)
