"""The UI's session: a cookie that no script can read, given to nobody but the product's own page."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from services.client.rest import Gateway
from services.ui.origin import SameOrigin
from services.ui.session import routes
from tests.services.test_ui_client import ScriptedGateway, scripted

__all__ = ["scripted"]

SESSION = {"token": "secret-token", "expires_at": "2099-01-01T00:00:00Z"}


@pytest.fixture
def browser(scripted: ScriptedGateway) -> Iterator[TestClient]:
    """A client of the session's addresses with a scripted gateway behind them, with cookies of its own."""
    scripted.replies["DELETE /api/v1/sessions/current"] = lambda handler, _: handler.send(204)
    app = FastAPI()
    app.add_middleware(SameOrigin)
    app.include_router(routes(Gateway(scripted.url)))
    with TestClient(app, base_url="https://moot.example:8443") as client:
        yield client


def test_token_is_in_the_cookie_and_nowhere_else(browser: TestClient) -> None:
    """The browser's token becomes a cookie, for no script and no other site, and over TLS only where there is TLS."""
    answer = browser.post("/session", json=SESSION)

    assert answer.json() == {"detail": ""}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("folkmoot_session_8443=secret-token; ")
    for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "expires=Thu, 01 Jan 2099"):
        assert attribute in cookie, attribute


def test_signing_out_ends_the_session_at_the_gateway(browser: TestClient, scripted: ScriptedGateway) -> None:
    """The gateway is told with the cookie's token, and the cookie goes."""
    browser.post("/session", json=SESSION)

    assert browser.delete("/session").json() == {"detail": "You are signed out."}
    call, headers = scripted.asked[-1]
    assert (call, headers["Authorization"]) == ("DELETE /api/v1/sessions/current", "Bearer secret-token")
    assert not browser.cookies


@pytest.mark.parametrize("token", ["", "a b", "a;Path=/", "a\r\nSet-Cookie: b=c", "ä", "a" * 129])
def test_what_is_no_token_sets_no_cookie(browser: TestClient, token: str) -> None:
    """Nothing that could say more than a cookie's value gets into the header."""
    answer = browser.post("/session", json=SESSION | {"token": token})

    assert answer.status_code == 422 and "set-cookie" not in answer.headers
    assert not browser.cookies


def test_password_is_changed_with_the_cookies_token(browser: TestClient, scripted: ScriptedGateway) -> None:
    """Both passwords go to the gateway in the user's session, and what it did is told in a sentence."""
    changed = {"sessions_ended": 1, "tokens_kept": 2}
    scripted.replies["PUT /api/v1/users/me/password"] = lambda handler, _: handler.send(200, changed)
    browser.post("/session", json=SESSION)

    answer = browser.put("/password", json={"current": "one", "new": "another"})

    told = "Your password is changed. 1 other session was ended; 2 API tokens are still good."
    assert (answer.status_code, answer.json()) == (200, {"detail": told})
    assert scripted.asked[-1][1]["Authorization"] == "Bearer secret-token"


def test_refused_password_is_told_in_the_gateways_words(browser: TestClient, scripted: ScriptedGateway) -> None:
    """Why a password is not changed is the gateway's sentence; without a session nothing is asked of it."""
    assert browser.put("/password", json={"current": "one", "new": "another"}).status_code == 422
    assert scripted.asked == []
    wrong = {"errors": [{"field": "current", "detail": "This is not your password."}]}
    scripted.replies["PUT /api/v1/users/me/password"] = lambda handler, _: handler.send(422, wrong)
    browser.post("/session", json=SESSION)

    answer = browser.put("/password", json={"current": "one", "new": "another"})

    assert (answer.status_code, answer.json()) == (422, {"detail": "This is not your password."})


@pytest.mark.parametrize("path", ["/session", "/gradio_api/queue/join"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "https://moot.example", "null"])
def test_other_origins_change_nothing(browser: TestClient, scripted: ScriptedGateway, path: str, origin: str) -> None:
    """What a page of another origin sends is refused before anything is done with it."""
    answer = browser.post(path, json=SESSION, headers={"Origin": origin})

    assert answer.status_code == 403
    assert scripted.asked == []


def test_own_origin_is_served(browser: TestClient) -> None:
    """The product's own page may sign in."""
    answer = browser.post("/session", json=SESSION, headers={"Origin": "https://moot.example:8443"})

    assert answer.status_code == 200
