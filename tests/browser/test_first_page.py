"""The page on the real stack with the embedded model: from signing up to a query that is deleted, and what may fail."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.record import Record
from tests.browser.steps import (
    ask,
    await_end,
    await_page,
    choose,
    delete_from_history,
    end_every_session,
    open_from_history,
    open_page,
    seat,
    sign_in,
    sign_out,
    sign_up,
    size,
)
from tests.client import PASSWORD
from tests.stack import Stack

#: Seconds that a query may take here; the embedded model is slow on a busy machine.
DEADLINE_S = 120
#: Milliseconds until a query has ended, whatever else the machine is doing; its own deadline is shorter.
END_MS = 150_000
#: Milliseconds until its responses are compared, or its charts drawn.
ANALYSED_MS = 90_000
ROLES = {"qwen": "Utilitarian", "mistral": "Deontologist", "deephermes": "Rawlsian"}
#: What a query's charts tell; its claims make a fifth.
CHARTS = ("heatmap", "sentiment", "emotion", "radar")
EXAMPLE = "Should vaccination be compulsory for people who work in hospitals?"


# Every wait in it may be used up on a slow machine, one after the other.
@pytest.mark.timeout(600)
def test_question_becomes_an_answer_that_can_be_found_again_and_deleted(
    page: Page, requested: list[str], embedded_stack: Stack
) -> None:
    """Sign up, ask an example with three roles, watch, read, look at the charts, reload, find, delete, sign out."""
    username = sign_up(page, embedded_stack)
    choose(page, "Domain", "Healthcare")
    page.get_by_role("button", name="vaccination be compulsory").click()
    for agent_id, role in ROLES.items():
        choose(page, f"Role of {agent_id}", role)
    record = Record(page)
    ask(page, deadline_s=DEADLINE_S)
    link = page.url
    await_end(page, timeout_ms=END_MS)

    assert_three_columns_streamed(page, record)
    texts = texts_of(page)
    expect(page.get_by_label("Consensus").locator(".fm-md")).to_contain_text(" ")
    assert_charts_are_real(page)

    page.reload()
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Consensus")).to_be_visible()
    assert texts_of(page) == texts

    sign_out(page)
    sign_in(page, username)
    open_from_history(page, EXAMPLE)
    expect(page.get_by_label("Consensus")).to_be_visible()
    assert texts_of(page) == texts

    delete_from_history(page, EXAMPLE)
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("There is no such query", timeout=60_000)

    sign_out(page)
    page.goto(link)
    await_page(page)
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_text(EXAMPLE)).to_be_hidden()
    assert page.request.get(f"{embedded_stack.url}/jobs/{link.rpartition('=')[2]}/export.md").status == 401
    # What is in the page itself, as data: and blob: are, has no host.
    assert {urlsplit(each).netloc for each in requested} <= {urlsplit(embedded_stack.url).netloc, ""}


def assert_three_columns_streamed(page: Page, record: Record) -> None:
    """Side by side, each with its role and real model, each in several steps while it was being written."""
    columns = {agent_id: seat(page, agent_id) for agent_id in ROLES}
    boxes = [box for column in columns.values() if (box := column.bounding_box())]
    assert len(boxes) == len(ROLES)
    assert len({box["y"] for box in boxes}) == 1
    assert [box["x"] for box in boxes] == sorted({box["x"] for box in boxes})
    for agent_id, column in columns.items():
        expect(column.get_by_text(ROLES[agent_id])).to_be_visible()
        expect(column.get_by_text("SmolLM2-135M-Instruct")).to_be_visible()
        lengths = record.lengths(agent_id)
        assert len(lengths) >= 3 and lengths == sorted(lengths), (agent_id, lengths)


def texts_of(page: Page) -> dict[str, str]:
    """What each seat wrote, as the page shows it."""
    texts = {agent_id: seat(page, agent_id).locator(".fm-words").inner_text() for agent_id in ROLES}
    assert all(len(text) > 20 for text in texts.values()), texts
    return texts


def assert_charts_are_real(page: Page) -> None:
    """Each chart has come, decodes to a picture of its real size, and is told in words."""
    page.get_by_role("tab", name="Analysis").click()
    for name in CHARTS:
        picture = page.locator(f".fm-charts img[src*='/charts/{name}.png']")
        expect(picture).to_be_attached(timeout=ANALYSED_MS)
        width, height = size(picture)
        assert width >= 900 and height >= 300, (name, width, height)
        assert len(picture.get_attribute("alt") or "") > 40


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


@pytest.mark.parametrize("how", ["ended elsewhere", "expired in the browser"])
def test_ended_session_is_told_and_the_question_is_kept(page: Page, embedded_stack: Stack, how: str) -> None:
    """Whichever way the session ended, the user signs in again and finds the question still in its box."""
    question = "Should a promise be kept when nobody would know?"
    username = sign_up(page, embedded_stack)
    page.get_by_label("Your question").fill(question)
    if how == "ended elsewhere":
        end_every_session(page, embedded_stack)
    else:
        # What a browser does with a cookie whose time is over.
        page.context.clear_cookies()

    page.get_by_role("button", name="Ask the panel").click()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is kept")
    expect(page.get_by_role("alert")).to_contain_text("session has ended")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("session has ended", timeout=60_000)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_label("Your question")).to_have_value(question)


@pytest.mark.timeout(300)
def test_cancelled_question_says_so(page: Page, embedded_stack: Stack) -> None:
    """A user who cancels sees the query end as cancelled, and may ask another."""
    sign_up(page, embedded_stack)
    ask(page, "What do we owe to those who come after us?", DEADLINE_S)

    page.get_by_role("button", name="Cancel").click()

    await_end(page, "Cancelled", END_MS)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_other_sites_cannot_use_the_page(page: Page, embedded_stack: Stack) -> None:
    """What the browser sends for a page of another origin is refused, although the cookie would come along."""
    sign_up(page, embedded_stack)

    for address in ("/session", "/gradio_api/queue/join"):
        answer = page.request.post(
            embedded_stack.url + address, data={}, headers={"Origin": "http://elsewhere.example"}
        )
        assert answer.status == 403, address
