"""A real browser that keeps to itself, and a record of every address it asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

#: Debian's own; the download that Playwright offers is not needed.
CHROMIUM = Path("/usr/bin/chromium")
#: Milliseconds that a step, and what is expected of it, may take when the machine has other work to do.
PATIENCE_MS = 30_000
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What starts browsers."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}: apt-get install chromium")
    # The patience of a browser profile is not that of what is expected of its pages.
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, without a window."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield chromium
    chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: nothing remembered, nobody signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def requested(context: BrowserContext) -> list[str]:
    """Every address that the profile's pages ask for, from now on."""
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    return addresses


@pytest.fixture
def page(context: BrowserContext, requested: list[str]) -> Page:
    """An empty page."""
    return context.new_page()
