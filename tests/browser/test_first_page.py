"""The first page on the real stack with the embedded model: from signing up to a consensus, and back after a reload."""

import uuid
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.client import PASSWORD, Client
from tests.stack import Stack

#: Milliseconds until a query has ended, whatever else the machine is doing; its own deadline is shorter.
END_MS = 150_000
#: Seconds that a query may take here; the embedded model is slow on a busy machine.
DEADLINE_S = "120"
ROLES = {"qwen": "Utilitarian", "mistral": "Deontologist", "deephermes": "Rawlsian"}


def open_page(page: Page, stack: Stack) -> None:
    """Open the page and wait until it has decided what to show."""
    page.goto(stack.url)
    expect(page.get_by_text("Opening …")).to_be_hidden(timeout=60_000)


def sign_up(page: Page, stack: Stack) -> str:
    """Make an account on the page; returns its name."""
    open_page(page, stack)
    username = f"user-{uuid.uuid4().hex[:12]}"
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible()
    return username


def choose(page: Page, label: str, option: str) -> None:
    """Take an option of a list, by keyboard."""
    box = page.get_by_label(label, exact=True)
    box.fill(option)
    box.press("Enter")
    expect(box).to_have_value(option)


def seat(page: Page, agent_id: str) -> Locator:
    """The column of a seat."""
    return page.get_by_label(f"Response of {agent_id}")


def ask(page: Page) -> None:
    """Send the form."""
    page.get_by_label("Deadline").fill(DEADLINE_S)
    page.get_by_role("button", name="Ask the panel").click()
    expect(page.locator(".fm-seat").first).to_be_visible()


def test_question_becomes_three_responses_and_a_consensus(
    page: Page, requested: list[str], embedded_stack: Stack
) -> None:
    """A new user takes an example, gives three roles, sees three columns and a consensus, and finds them again."""
    username = sign_up(page, embedded_stack)
    choose(page, "Domain", "Healthcare")
    page.get_by_role("button", name="vaccination be compulsory").click()
    for agent_id, role in ROLES.items():
        choose(page, f"Role of {agent_id}", role)

    ask(page)
    for agent_id, role in ROLES.items():
        column = seat(page, agent_id)
        expect(column.get_by_text(role)).to_be_visible()
        expect(column.get_by_text("SmolLM2-135M-Instruct")).to_be_visible()
        # Words stand in the column while the agent is still writing: the text streams.
        expect(column.locator(".fm-words.live .fm-md > *").first).to_be_attached(timeout=END_MS)
    expect(page.get_by_text("Done after")).to_be_visible(timeout=END_MS)

    texts = {seat(page, agent_id).locator(".fm-words").inner_text() for agent_id in ROLES}
    consensus = page.get_by_label("Consensus")
    assert len(texts) == 3
    assert all(len(text) > 20 for text in texts)
    assert len(consensus.locator(".fm-md").inner_text()) > 20

    page.reload()
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible(timeout=60_000)
    expect(consensus).to_be_visible()
    assert {seat(page, agent_id).locator(".fm-words").inner_text() for agent_id in ROLES} == texts

    hosts = {urlsplit(address).netloc for address in requested if not address.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(embedded_stack.url).netloc}


def test_refusal_is_told_in_words_and_keeps_what_was_typed(page: Page, embedded_stack: Stack) -> None:
    """A password that breaks a rule and a question that is empty are answered by the gateway's sentences."""
    open_page(page, embedded_stack)
    page.get_by_label("Username").fill("somebody")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create an account").click()

    expect(page.get_by_role("alert")).to_contain_text("password", ignore_case=True)
    expect(page.get_by_label("Username")).to_have_value("somebody")

    sign_up(page, embedded_stack)
    page.get_by_label("Your question").fill("   ")
    page.get_by_role("button", name="Ask the panel").click()

    alert = page.get_by_role("alert")
    expect(alert).to_be_visible()
    assert "Traceback" not in alert.inner_text()
    expect(page.get_by_label("Your question")).to_have_value("   ")


def test_ended_session_is_told_and_the_question_is_kept(page: Page, embedded_stack: Stack) -> None:
    """When the session ended elsewhere, the user signs in again and finds the question still in its box."""
    question = "Should a promise be kept when nobody would know?"
    username = sign_up(page, embedded_stack)
    page.get_by_label("Your question").fill(question)
    end_every_session(page, embedded_stack)

    page.get_by_role("button", name="Ask the panel").click()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is kept")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_label("Your question")).to_have_value(question)


def end_every_session(page: Page, stack: Stack) -> None:
    """End the page's own session as another device would: here, by a sign-out with the page's token."""
    cookie = next(each for each in page.context.cookies() if each["name"].startswith("folkmoot_session"))
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    Client(stack.url, cookie["value"]).sign_out()


def test_cancelled_question_says_so(page: Page, embedded_stack: Stack) -> None:
    """A user who cancels sees the query end as cancelled, and may ask another."""
    sign_up(page, embedded_stack)
    page.get_by_label("Your question").fill("What do we owe to those who come after us?")
    ask(page)

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("status").filter(has_text="Cancelled")).to_be_visible(timeout=END_MS)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_other_sites_cannot_use_the_page(page: Page, embedded_stack: Stack) -> None:
    """What the browser sends for a page of another origin is refused, although the cookie would come along."""
    sign_up(page, embedded_stack)

    for address in ("/session", "/gradio_api/queue/join"):
        answer = page.request.post(
            embedded_stack.url + address, data={}, headers={"Origin": "http://elsewhere.example"}
        )
        assert answer.status == 403, address
