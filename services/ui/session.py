"""The browser's session: its token is in a cookie that no script can read, and goes to the gateway from here only."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.client.rest import Gateway, GatewayError, Refused, SignedOut

ENDED = "Your session has ended. Sign in again."

#: The browser itself signs in at the gateway, which so learns from where, and brings the token here; see `page.js`. In
#: the password's place, the step that follows gets the sentence of a refusal, or nothing.
SIGN_IN = "(username, password) => folkmootEnter(username, password)"
SIGN_UP = '(username, password, invitation) => folkmootEnter(username, password, {invitation: invitation ?? ""})'
#: The passwords go to their own address and nowhere else; the step gets a sentence, and the tone to say it in.
REPLACE = "(current, next) => folkmootPassword(current, next)"
#: So does a provider's key, and what ends the account.
SET_KEY = "async (key, _, provider) => [...await folkmootKey(provider, key), provider]"
REMOVE_KEY = "async (_, __, provider) => [...await folkmootKey(provider), provider]"
LEAVE = "(username, password) => folkmootLeave(username, password)"
SIGN_OUT = """async () => {
  window.folkmootLinked = "";
  window.folkmootLeft = true;
  try {
    const answer = await fetch("/session", {method: "DELETE"});
    return [(await answer.json()).detail];
  } catch {
    window.folkmootLeft = false;
    return ["You are still signed in, for Folkmoot cannot be reached just now."];
  }
}"""


class Session(BaseModel):
    """What the gateway gave to the browser that signed in."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
    expires_at: datetime


class Passwords(BaseModel):
    """The password as it is, and as it shall be; the gateway judges them."""

    current: Annotated[str, Field(max_length=1024)]
    new: Annotated[str, Field(max_length=1024)]


class ProviderKey(BaseModel):
    """A provider's key; the gateway judges it."""

    provider: Annotated[str, Field(max_length=255)]
    key: Annotated[str, Field(max_length=1024)]


class Leave(BaseModel):
    """What somebody typed who wants to delete their account."""

    username: Annotated[str, Field(max_length=1024)]
    password: Annotated[str, Field(max_length=1024)]


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
    """The addresses that keep and end a session, and take what its user types to nobody but the gateway."""
    router = APIRouter()

    @router.post("/session")
    def keep(session: Session, request: Request, response: Response) -> dict[str, str]:
        response.set_cookie(
            _cookie(request),
            session.token,
            expires=session.expires_at,
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

    @router.put("/password")
    def change_password(passwords: Passwords, request: Request, response: Response) -> dict[str, str]:
        try:
            changed = gateway.change_password(token_of(request), passwords.current, passwords.new)
        except GatewayError as error:
            return _refused(response, error)
        ended, kept = (_counted(changed[name], what) for name, what in COUNTS)
        return {"detail": f"Your password is changed. {ended} ended; {kept} still good."}

    @router.put("/provider-key")
    def set_key(key: ProviderKey, request: Request, response: Response) -> dict[str, str]:
        try:
            gateway.set_provider_key(token_of(request), key.provider, key.key)
        except GatewayError as error:
            return _refused(response, error)
        return {"detail": "Your key is set."}

    @router.delete("/provider-key")
    def remove_key(request: Request, response: Response) -> dict[str, str]:
        try:
            gateway.remove_provider_key(token_of(request))
        except GatewayError as error:
            return _refused(response, error)
        return {"detail": "Your key is removed."}

    @router.delete("/account")
    def leave(leave: Leave, request: Request, response: Response) -> dict[str, str]:
        try:
            token = token_of(request)
            if leave.username.strip().casefold() != gateway.whose(token)["username"].casefold():
                raise Refused("Type your own username to confirm that it is this account.")
            gateway.leave(token, leave.password)
        except GatewayError as error:
            return _refused(response, error)
        response.delete_cookie(_cookie(request), httponly=True, samesite="strict")
        return {"detail": "Your account and everything of it is deleted."}

    return router


def _refused(response: Response, error: GatewayError) -> dict[str, str]:
    response.status_code = 422
    return {"detail": str(error)}


#: What the gateway counts, and what one of it is called.
COUNTS = (("sessions_ended", "other session was"), ("tokens_kept", "API token is"))


def _counted(count: int, what: str) -> str:
    noun, verb = what.rsplit(" ", 1)
    return f"{count} {what}" if count == 1 else f"{count} {noun}s {'were' if verb == 'was' else 'are'}"
