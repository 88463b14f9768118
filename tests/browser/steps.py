"""What a user does on the page, a step each; tests say what must be seen."""

import uuid

from playwright.sync_api import Cookie, Locator, Page, expect

from tests.client import PASSWORD, Client
from tests.stack import Stack

#: Milliseconds until the page has decided what to show, whatever else the machine is doing.
OPEN_MS = 60_000
#: Milliseconds until a query of scripted models has ended and is analysed, whatever else the machine is doing.
END_MS = 60_000


def open_page(page: Page, stack: Stack) -> None:
    """Open the page and wait until it has decided what to show."""
    page.goto(stack.url)
    await_page(page)


def await_page(page: Page) -> None:
    """Wait until the page shows the card, the workspace, or why it can show neither."""
    expect(page.locator("#fm-account, #fm-workspace, #fm-start [role=alert]").first).to_be_visible(timeout=OPEN_MS)


def sign_up(page: Page, stack: Stack) -> str:
    """Make an account on the page; returns its name."""
    open_page(page, stack)
    username = f"user-{uuid.uuid4().hex[:12]}"
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible()
    return username


def sign_in(page: Page, username: str) -> None:
    """Sign in on the card that is shown."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Take an option of a list, by keyboard."""
    box = page.get_by_label(label, exact=True)
    box.fill(option)
    box.press("Enter")
    await_taken(box, option)


def await_taken(box: Locator, option: str) -> None:
    """Wait until a list has taken the option that was typed into it, which is when it closes.

    It does so a moment after the key; whoever has left it by then leaves it as it was.
    """
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value(option)


def ask(page: Page, question: str = "", deadline_s: int = 0) -> str:
    """Send the form, with another question or deadline if one is given; returns the query's job_id."""
    if question:
        page.get_by_label("Your question").fill(question)
    if deadline_s:
        page.get_by_label("Deadline").fill(str(deadline_s))
    before = page.url
    page.get_by_role("button", name="Ask the panel").click()
    expect(page.locator(".fm-seat").first).to_be_visible()
    page.wait_for_url(lambda url: url != before and "job=" in url)
    return page.url.rpartition("=")[2]


def seat(page: Page, agent_id: str) -> Locator:
    """The column of a seat."""
    return page.get_by_label(f"Response of {agent_id}")


def await_end(page: Page, word: str = "Done", timeout_ms: float = END_MS) -> None:
    """Wait until the query on show has ended in the way that a word tells."""
    expect(page.get_by_role("status").filter(has_text=f"{word} after")).to_be_visible(timeout=timeout_ms)


def size(picture: Locator) -> tuple[int, int]:
    """Width and height of a picture, once it is there and decoded; one that is being made is waited for."""
    picture.scroll_into_view_if_needed(timeout=END_MS)
    expect(picture).to_have_js_property("complete", value=True, timeout=END_MS)
    expect(picture).not_to_have_js_property("naturalWidth", 0, timeout=END_MS)
    width, height = picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])")
    return int(width), int(height)


def open_from_history(page: Page, question: str) -> None:
    """Open an earlier question from the history."""
    page.get_by_role("tab", name="History").click()
    page.get_by_role("link", name=question).click()
    expect(page.locator("#fm-live").get_by_role("heading", name=question)).to_be_visible()


def sign_out(page: Page) -> None:
    """Sign out, and be told so."""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def delete_from_history(page: Page, question: str) -> None:
    """Delete an earlier question from the history, and see it gone."""
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name=f"Delete: {question}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.locator("#fm-undo")).to_contain_text(question)
    expect(page.get_by_role("link", name=question)).to_have_count(0)


def end_every_session(page: Page, stack: Stack) -> None:
    """End the page's own session as another device would: here, by a sign-out with the page's token."""
    cookie = session_cookie(page)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    Client(stack.url, cookie["value"]).sign_out()


def session_cookie(page: Page) -> Cookie:
    """The cookie that holds the session's token."""
    return next(each for each in page.context.cookies() if each["name"].startswith("folkmoot_session"))
