"""How the page reaches the browser: without Gradio's advertisement in its head, and its parts to be kept for good."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The names of these files hold a hash of what is in them.
HASHED = "/assets/"
FOR_GOOD = "public, max-age=31536000, immutable"
#: What Gradio tells link previews: its own name, and pictures on other hosts.
PREVIEW = re.compile(rb"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*>\s*")
FIRST = b'<meta charset="utf-8" />'


class Delivery:
    """Changes pages and the headers of what belongs to them; everything else passes as it is."""

    def __init__(self, app: ASGIApp, title: str) -> None:
        """Wrap the application, whose pages get the title before any script runs."""
        self._app = app
        self._title = f"<title>{title}</title>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(HASHED):
            await self._app(scope, receive, _keeping(send))
        else:
            await self._app(scope, receive, self._tidying(send))

    def _tidying(self, send: Send) -> Send:
        start: Message | None = None
        page = bytearray()

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None:
                await send(message)
            else:
                page.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    content = self._tidy(bytes(page))
                    MutableHeaders(scope=start)["Content-Length"] = str(len(content))
                    await send(start)
                    await send({"type": "http.response.body", "body": content})

        return sending

    def _tidy(self, page: bytes) -> bytes:
        return PREVIEW.sub(b"", page).replace(FIRST, FIRST + self._title, 1)


def _keeping(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["Cache-Control"] = FOR_GOOD
        await send(message)

    return sending


def _is_page(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("Content-Type", "").startswith("text/html")
