"""The browser's session: its token is in a cookie that no script can read, and goes to the gateway from here only."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.ui.rest import Gateway, GatewayError, SignedOut

ENDED = "Your session has ended. Sign in again."

#: The password goes to the session's own address and nowhere else; in its place, the step that follows gets the
#: sentence of a refusal, or nothing.
SEND = """async (username, password) => {
  const body = JSON.stringify({username, password});
  const headers = {"Content-Type": "application/json"};
  try {
    const answer = await fetch("ADDRESS", {method: "POST", headers, body});
    return [username, answer.ok ? "" : (await answer.json()).detail];
  } catch {
    return [username, "Folkmoot cannot be reached just now; try again shortly."];
  }
}"""
SIGN_IN, SIGN_UP = SEND.replace("ADDRESS", "/session"), SEND.replace("ADDRESS", "/account")
SIGN_OUT = """async () => {
  window.folkmootLinked = "";
  try {
    const answer = await fetch("/session", {method: "DELETE"});
    return [(await answer.json()).detail];
  } catch {
    return ["You are still signed in, for Folkmoot cannot be reached just now."];
  }
}"""


class Credentials(BaseModel):
    """A username and its password; the gateway judges them."""

    username: str = Field(max_length=1024)
    password: str = Field(max_length=1024)


def token_of(request: Any) -> str:
    """The token that came with a request, of FastAPI or of Gradio.

    Raises:
        SignedOut: there is none.
    """
    if not (token := request.cookies.get(_cookie(request))):
        raise SignedOut(ENDED)
    return str(token)


def _cookie(request: Any) -> str:
    """The cookie's name; it holds the port, by which browsers do not keep the cookies of one host apart."""
    host, _, port = request.headers.get("host", "").rpartition(":")
    return f"folkmoot_session_{port}" if host and port.isdigit() else "folkmoot_session"


def routes(gateway: Gateway) -> APIRouter:
    """The addresses that begin and end a session."""
    router = APIRouter()

    @router.post("/account")
    def sign_up(credentials: Credentials, request: Request, response: Response) -> dict[str, str]:
        try:
            gateway.sign_up(credentials.username, credentials.password)
        except GatewayError as error:
            return _refuse(response, error)
        return sign_in(credentials, request, response)

    @router.post("/session")
    def sign_in(credentials: Credentials, request: Request, response: Response) -> dict[str, str]:
        try:
            session = gateway.sign_in(credentials.username, credentials.password)
        except GatewayError as error:
            return _refuse(response, error)
        response.set_cookie(
            _cookie(request),
            session["token"],
            expires=datetime.fromisoformat(session["expires_at"]),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return {"detail": ""}

    @router.delete("/session")
    def sign_out(request: Request, response: Response) -> dict[str, str]:
        response.delete_cookie(_cookie(request), httponly=True, samesite="strict")
        try:
            gateway.sign_out(token_of(request))
        except SignedOut:
            return {"detail": "You are signed out."}
        except GatewayError as error:
            return {"detail": f"You are signed out in this browser only, for the gateway could not be told. {error}"}
        return {"detail": "You are signed out."}

    return router


def _refuse(response: Response, error: GatewayError) -> dict[str, str]:
    response.status_code = 422
    return {"detail": str(error)}
