"""Two users: whatever belongs to one is not there for the other, on every route that the OpenAPI document knows."""

from typing import Any

import pytest

from tests.client import Client
from tests.e2e.test_bad_input import problem
from tests.stack import Running

#: Path parameters that belong to nobody, beside those with few values: the seats and the models are everybody's, and
#: invitations those of all admins.
EVERYBODYS = {"agent_id": "qwen", "model": "panel", "invitation_id": "1"}


@pytest.fixture(scope="module")
def document(stack: Running) -> dict[str, Any]:
    """The OpenAPI document as the gateway gives it."""
    content: dict[str, Any] = Client(stack.url).call("GET", "//api/openapi.json").json()
    return content


def test_nobody_reaches_what_is_anothers(document: dict[str, Any], client: Client, stranger: Client) -> None:
    """Each route with an id, called by another user with the owner's id, answers 404 and changes nothing."""
    token = client.call("POST", "/tokens", json={"name": "mine", "scopes": ["read"]}).json()
    owned = {"job_id": client.wait_settled(client.ask()["job_id"])["job_id"], "token_id": str(token["id"])}
    before = _everything(client, owned)
    walked = 0

    for path, item in document["paths"].items():
        for method, operation in item.items():
            names = [part["name"] for part in operation.get("parameters", []) if part["in"] == "path"]
            known = _kinds(operation) | EVERYBODYS | owned
            assert set(names) <= set(known), f"{path}: say in this test whose {set(names) - set(known)} it is"
            if set(names) & set(owned):
                body: dict[str, Any] = {"json": {}} if "requestBody" in operation else {}
                address = path.format_map(known).removeprefix("/api/v1")
                problem(stranger.call(method.upper(), address, **body), 404)
                walked += 1

    assert walked >= 8
    assert _everything(client, owned) == before
    assert stranger.history()["queries"] == []


def test_nobody_is_offered_what_another_asked(client: Client, stranger: Client) -> None:
    """An earlier query is suggested to its owner alone, under its own domain, type and roles, until it is deleted."""
    kind = {"domain": "Policy", "question_type": "Yes/No", "roles": {"qwen": "Rawlsian"}}
    job = client.wait_settled(client.ask("Should fireworks be banned in cities?", **kind)["job_id"])
    again = {"query": "Should we prohibit fireworks in cities?", **kind}

    [found] = _suggested(client, again)

    assert found == {"job_id": job["job_id"], "query": job["query"], "asked_at": job["created_at"]}
    assert _suggested(stranger, again) == []
    others = {"query": "Should fireworks be allowed in cities?", "domain": "Custom", "question_type": "None"}
    for name, value in (others | {"roles": {"mistral": "Rawlsian"}}).items():
        assert _suggested(client, again | {name: value}) == [], name
    assert client.delete(job["job_id"]).status_code == 204
    assert _suggested(client, again) == []


def _suggested(client: Client, body: dict[str, Any]) -> list[Any]:
    answer = client.call("POST", "/suggestions", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()["suggestion"]
    return [] if found is None else [found]


def _kinds(operation: dict[str, Any]) -> dict[str, str]:
    """The path parameters that take one of a few values, with one of them."""
    parts = [part for part in operation.get("parameters", []) if part["in"] == "path"]
    return {part["name"]: str(part["schema"]["enum"][0]) for part in parts if "enum" in part["schema"]}


def _everything(client: Client, owned: dict[str, str]) -> list[Any]:
    return [client.query(owned["job_id"]), client.history(), client.call("GET", "/tokens").json()]
