"""The OpenAPI document describes the gateway that serves it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel

from folkmoot.runtime import Runtime
from folkmoot.settings import Settings
from services.gateway.app import create_app
from services.gateway.identity import PUBLIC, SCOPES


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A gateway that nothing is asked of but its documents."""
    folder = tmp_path_factory.mktemp("gateway")
    app = create_app(
        Settings(database_url=f"sqlite:///{folder}/unused.db", config_dir=Path(__file__).parents[2] / "config")
    )
    yield app
    runtime: Runtime = app.extensions["folkmoot"]
    runtime.close()


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    """The document as a client gets it."""
    content: dict[str, Any] = app.test_client().get("/api/openapi.json").json or {}
    return content


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each operation by its path and method."""
    return {(path, method): said for path, item in document["paths"].items() for method, said in item.items()}


def routes(app: Flask) -> dict[tuple[str, str], str]:
    """The endpoint of each route of the API, by path and method as the document writes them."""
    return {
        (re.sub(r"<([^>]+)>", r"{\1}", rule.rule), method.lower()): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1")
    }


def test_every_route_is_described(app: Flask, document: dict[str, Any]) -> None:
    """No route of the API is missing from the document, and none is made up."""
    described = {place for place in operations(document) if place[0].startswith("/api/v1")}

    assert described == set(routes(app))


def test_what_wants_a_token_says_so(app: Flask, document: dict[str, Any]) -> None:
    """An operation asks for a token in the document exactly when the gateway does."""
    described = operations(document)

    for place, endpoint in routes(app).items():
        assert ("security" in described[place]) == (endpoint not in PUBLIC), place
        assert ("401" in described[place]["responses"]) == (
            endpoint != "catalogue.show_catalogue" and endpoint != "users.sign_up"
        ), place


def test_what_an_api_token_may_not_do_says_so(document: dict[str, Any], app: Flask) -> None:
    """An operation tells of a 403 exactly when some API token is refused there, or somebody who is no admin."""
    described = operations(document)
    refusing = {endpoint for endpoint, scope in SCOPES.items() if scope != "read"} | {"users.sign_up"}
    all_routes = routes(app) | {("/v1/chat/completions", "post"): "completions.complete"}

    for place, endpoint in all_routes.items():
        assert ("403" in described[place]["responses"]) == (endpoint in refusing), place


def test_every_name_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    """Each reference of the document points to a schema that it holds."""
    names = set(re.findall(r"#/components/schemas/([\w.\-]+)", str(document)))

    assert "Problem" in names
    assert names <= set(document["components"]["schemas"])


def test_every_operation_is_explained(document: dict[str, Any]) -> None:
    """Each operation says in a sentence what it does, and under its own name."""
    described = operations(document)

    assert all(said.get("summary", "").endswith(".") for said in described.values())
    assert len({said["operationId"] for said in described.values()}) == len(described)


def test_the_page_loads_nothing_from_elsewhere(app: Flask) -> None:
    """The page that shows the document takes all its parts from the gateway itself."""
    page = app.test_client().get("/api/docs", follow_redirects=True)

    assert page.status_code == 200
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text)
    for part in re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", page.text):
        with app.test_client().get(f"/api/docs/{part}") as answer:
            assert answer.status_code == 200, part


def test_no_two_shapes_share_a_name(app: Flask) -> None:
    """The document knows a shape by its name alone: of two with one name it would describe only the latter."""
    assert app.url_map
    shapes: dict[str, set[str]] = {}
    waiting = [BaseModel]
    while waiting:
        for shape in waiting.pop().__subclasses__():
            waiting.append(shape)
            if shape.__module__.startswith(("services.gateway", "folkmoot")):
                shapes.setdefault(shape.__name__, set()).add(shape.__module__)

    assert {name: modules for name, modules in shapes.items() if len(modules) > 1} == {}
