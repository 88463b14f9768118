"""What the page makes the network carry: nothing to any other host, little of it twice."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Playwright, expect

from tests.browser.conftest import CHROMIUM, PATIENCE_MS, QUIET
from tests.browser.steps import ask, await_end, sign_out, sign_up
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

#: Every wait of a test may be used up on a slow machine, one after the other.
pytestmark = pytest.mark.timeout(300)

#: With these the browser has no network but the loopback: no other name is found.
CUT_OFF = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def test_whole_flow_asks_no_other_host(
    playwright: Playwright, stack: Stack, model: ScriptedModel, tmp_path: Path
) -> None:
    """Cut off from all but the loopback the page works, and neither page nor browser log tells of another host."""
    log = tmp_path / "network.json"
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, CUT_OFF, f"--log-net-log={log}"])
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    seen: list[str] = []
    context.on("request", lambda request: seen.append(request.url))
    page = context.new_page()
    page.on("websocket", lambda socket: seen.append(socket.url))
    sign_up(page, stack)
    ask(page, "Should voting be compulsory?")
    await_end(page)
    expect(page.locator(".fm-findings h2")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Analysis").click()
    for picture in page.locator(".fm-charts img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
    sign_out(page)
    chromium.close()

    own = urlsplit(stack.url).netloc
    assert any("/charts/" in address for address in seen)
    assert {urlsplit(address).netloc for address in seen} <= {own, ""}
    logged = addresses_in(log)
    assert set(seen) & logged
    assert {urlsplit(address).netloc for address in logged} <= {own, ""}


def addresses_in(log: Path) -> set[str]:
    """All that the browser asked for on a page's behalf, by its own log of the network.

    What it asks for itself, such as updates of its parts, has no page as its initiator.
    """
    content: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    begin = content["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event["params"] for event in content["events"] if event["type"] == begin and "params" in event]
    return {each["url"] for each in asked if each.get("initiator", "").startswith("http")}


class Fetched(HTMLParser):
    """The addresses that a browser, or whoever shows a preview of a link, fetches for a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what loads something by itself; a link that waits for a click does not."""
        wanted = {"src", "srcset", "poster", "data", "content"} | ({"href"} if tag in {"link", "base"} else set())
        self.addresses += [value for name, value in attrs if name in wanted and value]


def test_served_page_and_styles_name_no_other_host(stack: Stack) -> None:
    """Neither the page nor a style sheet that comes with it would load, or show a preview with, anything elsewhere."""
    page = requests.get(stack.url, timeout=10).text
    addresses = Fetched(page).addresses
    assert [each for each in addresses if re.match(r"(https?:)?//", each)] == []
    assert page.count("<title>Folkmoot</title>") == 1

    sheets = {each for each in addresses if each.partition("?")[0].endswith(".css")} | {"theme.css"}
    assert len(sheets) >= 2
    texts = [page, *(requests.get(urljoin(stack.url + "/", each), timeout=10).text for each in sheets)]
    for text in texts:
        assert not re.search(r"@import[^;]*//|url\(\s*['\"]?(https?:)?//", text)


def test_parts_of_the_page_are_compressed_and_kept(stack: Stack) -> None:
    """The page comes compressed; what has a hash in its name is kept for good, and the page itself is not."""
    page = requests.get(stack.url, timeout=10)
    script = re.search(r"assets/[\w-]+\.js", page.text)
    assert script
    part = requests.get(f"{stack.url}/{script.group()}", timeout=10)

    assert "immutable" in part.headers["Cache-Control"]
    assert "immutable" not in page.headers.get("Cache-Control", "")
    assert page.headers["Content-Encoding"] == "gzip"
    assert part.headers["Content-Encoding"] in ("gzip", "br")
    missing = requests.get(f"{stack.url}/assets/missing-00000000.js", timeout=10)
    assert missing.status_code == 404 and "Cache-Control" not in missing.headers
