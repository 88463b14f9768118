"""The UI's session: a cookie that no script can read, given to nobody but the product's own page."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from services.ui.origin import SameOrigin
from services.ui.rest import Gateway
from services.ui.session import routes
from tests.services.test_ui_client import ScriptedGateway, scripted

__all__ = ["scripted"]

SESSION = {"token": "secret-token", "expires_at": "2099-01-01T00:00:00Z"}
CREDENTIALS = {"username": "ada", "password": "correct horse battery"}


@pytest.fixture
def browser(scripted: ScriptedGateway) -> Iterator[TestClient]:
    """A client of the session's addresses with a scripted gateway behind them, with cookies of its own."""
    scripted.replies["POST /api/v1/sessions"] = lambda handler, _: handler.send(201, SESSION)
    scripted.replies["DELETE /api/v1/sessions/current"] = lambda handler, _: handler.send(204)
    app = FastAPI()
    app.add_middleware(SameOrigin)
    app.include_router(routes(Gateway(scripted.url)))
    with TestClient(app, base_url="https://moot.example:8443") as client:
        yield client


def test_token_is_in_the_cookie_and_nowhere_else(browser: TestClient) -> None:
    """Signing in gives a cookie that scripts and other sites have no part in, and over TLS only where there is TLS."""
    answer = browser.post("/session", json=CREDENTIALS)

    assert answer.json() == {"detail": ""}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("folkmoot_session_8443=secret-token; ")
    for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "expires=Thu, 01 Jan 2099"):
        assert attribute in cookie, attribute


def test_signing_out_ends_the_session_at_the_gateway(browser: TestClient, scripted: ScriptedGateway) -> None:
    """The gateway is told with the cookie's token, and the cookie goes."""
    browser.post("/session", json=CREDENTIALS)

    assert browser.delete("/session").json() == {"detail": "You are signed out."}
    call, headers = scripted.asked[-1]
    assert (call, headers["Authorization"]) == ("DELETE /api/v1/sessions/current", "Bearer secret-token")
    assert not browser.cookies


def test_wrong_password_sets_no_cookie(browser: TestClient, scripted: ScriptedGateway) -> None:
    """A refusal is the gateway's sentence, and nobody is signed in."""
    scripted.replies["POST /api/v1/sessions"] = lambda handler, _: handler.send(401, {"detail": "Wrong."})

    answer = browser.post("/session", json=CREDENTIALS)

    assert (answer.status_code, answer.json()) == (422, {"detail": "Wrong."})
    assert not browser.cookies


@pytest.mark.parametrize("path", ["/session", "/account", "/gradio_api/queue/join"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "https://moot.example", "null"])
def test_other_origins_change_nothing(browser: TestClient, scripted: ScriptedGateway, path: str, origin: str) -> None:
    """What a page of another origin sends is refused before anything is done with it."""
    answer = browser.post(path, json=CREDENTIALS, headers={"Origin": origin})

    assert answer.status_code == 403
    assert scripted.asked == []


def test_own_origin_is_served(browser: TestClient) -> None:
    """The product's own page may sign in."""
    answer = browser.post("/session", json=CREDENTIALS, headers={"Origin": "https://moot.example:8443"})

    assert answer.status_code == 200
