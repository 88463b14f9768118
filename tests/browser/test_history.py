"""The page of earlier questions: found again, opened without asking a model, deleted, and for a moment brought back."""

import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from services.ui.history import LENGTH, UNDO_S
from tests.browser.steps import choose
from tests.client import PASSWORD, Client
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

#: Seconds that the list may take to show what has changed, whatever else the machine is doing.
SOON_S = 30


@pytest.fixture
def history(page: Page, client: Client, stack: Stack) -> Page:
    """The history of a new user, whose session the browser has."""
    enter(page, client, stack, "/?view=history")
    return page


def enter(page: Page, client: Client, stack: Stack, path: str) -> None:
    """Open an address of the page with a client's session."""
    name = f"folkmoot_session_{stack.port}"
    page.context.add_cookies([{"name": name, "value": str(client.token), "url": stack.url}])
    page.goto(stack.url + path)
    expect(page.get_by_text("Signed in as")).to_be_visible(timeout=60_000)


def entry(page: Page, question: str) -> Locator:
    """A question in the list, as the link that opens it."""
    return page.get_by_role("list", name="Earlier questions").get_by_role("link", name=question)


def asked(client: Client, query: str, **body: str) -> str:
    """A question that has its answer, of one agent only; returns its job_id."""
    return str(client.wait_done(client.ask(query, agents=["qwen"], **body)["job_id"])["job_id"])


def delete(page: Page, question: str, answer: str) -> None:
    """Begin to delete a question, and answer what is asked then."""
    page.get_by_role("button", name=f"Delete: {question}").click()
    dialog = page.get_by_role("dialog", name="Delete this question?")
    expect(dialog).to_contain_text(question)
    dialog.get_by_role("button", name=answer).click()


def test_history_is_searched_filtered_and_turned_over(history: Page, client: Client, model: ScriptedModel) -> None:
    """New questions come by themselves, pages turn both ways, and words, status and domain narrow the list."""
    asked(client, "Who should get the kidney?", domain="Healthcare")
    for seat in SEATS:
        model.script(f"scripted/{seat}", {"hang": True})  # or some would be done before they are cancelled
    for number in range(LENGTH):
        client.cancel(client.ask(f"Question {number}?")["job_id"])
    entries = history.locator(".fm-entry")
    expect(entry(history, "Question 19?")).to_be_visible()
    expect(entries).to_have_count(LENGTH)

    history.get_by_role("button", name="Older").click()
    expect(entries).to_have_count(1)
    expect(entry(history, "Who should get the kidney?")).to_be_visible()
    history.get_by_role("button", name="Newer").click()
    expect(entries).to_have_count(LENGTH)

    choose(history, "Status", "Done")
    expect(entries).to_have_count(1)
    choose(history, "Status", "All")
    history.get_by_label("Search").fill("KIDNEY")
    expect(entries).to_have_count(1)
    choose(history, "In domain", "Policy")
    expect(history.get_by_role("heading", name="No question fits")).to_be_visible()
    choose(history, "In domain", "Healthcare")
    expect(entry(history, "Who should get the kidney?")).to_be_visible()


def test_opened_question_asks_no_model_again(history: Page, client: Client, model: ScriptedModel) -> None:
    """A question is opened from the list, its address is shown and survives a reload, and no model hears of it."""
    job_id = asked(client, "Is a promise binding?")
    calls = len(model.calls())

    entry(history, "Is a promise binding?").click()

    expect(history.get_by_role("heading", name="Is a promise binding?")).to_be_visible()
    expect(history.get_by_label("Consensus").locator(".fm-md")).not_to_be_empty()
    expect(history).to_have_url(f"{client.url}/?job={job_id}")
    history.reload()
    expect(history.get_by_role("heading", name="Is a promise binding?")).to_be_visible(timeout=60_000)
    assert len(model.calls()) == calls


def test_deletion_is_confirmed_and_can_be_undone(history: Page, client: Client) -> None:
    """Keeping changes nothing; what is deleted is gone from the list and the gateway, and comes back by undoing."""
    job_id = asked(client, "Keep me?")

    delete(history, "Keep me?", "Keep it")
    expect(history.get_by_role("dialog")).to_have_count(0)
    assert client.query(job_id)["job_id"] == job_id
    delete(history, "Keep me?", "Delete it")
    expect(entry(history, "Keep me?")).to_have_count(0)
    assert client.call("GET", f"/queries/{job_id}").status_code == 404

    history.get_by_role("button", name="Undo").click()
    expect(entry(history, "Keep me?")).to_be_visible()
    expect(history.get_by_role("button", name="Undo")).to_have_count(0)
    assert client.query(job_id)["status"] == "done"


def test_deletion_is_final_though_the_page_is_closed(history: Page, client: Client, stack: Stack) -> None:
    """When nobody undoes it in time the question is erased, whether the page that deleted it is still there or not."""
    job_id = asked(client, "Forget me?")

    delete(history, "Forget me?", "Delete it")
    expect(entry(history, "Forget me?")).to_have_count(0)
    history.close()

    erased = f"erased job {job_id}"
    eventually(lambda: erased in stack.logs(lines=100_000), UNDO_S + SOON_S, "the question is erased")
    assert client.call("POST", f"/queries/{job_id}/restore").status_code == 404
    assert client.history()["queries"] == []


def test_deleted_question_is_no_longer_on_show(history: Page, client: Client) -> None:
    """Deleting the question that is open shows no question instead, and its old link tells that there is none."""
    asked(client, "Shown?")
    entry(history, "Shown?").click()
    expect(history.get_by_role("heading", name="Shown?")).to_be_visible()
    link = history.url

    history.get_by_role("tab", name="History").click()
    expect(entry(history, "Shown?")).to_have_attribute("aria-current", "true")
    delete(history, "Shown?", "Delete it")
    expect(entry(history, "Shown?")).to_have_count(0)
    history.get_by_role("tab", name="Ask").click()

    expect(history.get_by_role("heading", name="Nothing asked yet")).to_be_visible()
    expect(history).to_have_url(f"{client.url}/")
    history.goto(link)
    expect(history.get_by_role("alert")).to_contain_text("There is no such query", timeout=60_000)


def test_update_of_the_list_takes_no_click(history: Page, client: Client) -> None:
    """A link that is being pressed while the list is drawn anew opens its question all the same."""
    asked(client, "Pressed?")
    link = entry(history, "Pressed?")
    expect(link).to_be_visible()
    age = history.locator(".fm-entry time")
    before = age.inner_text()

    link.hover()
    history.mouse.down()
    expect(age).not_to_have_text(before)
    history.mouse.up()

    expect(history.get_by_role("heading", name="Pressed?")).to_be_visible()


def test_session_that_ends_meanwhile_is_told(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """The list says by itself that the session has ended, and goes on where it was after signing in again."""
    name, client = f"user-{uuid.uuid4().hex[:12]}", Client(stack.url)
    client.sign_up(name)
    enter(page, client.sign_in(name), stack, "/?view=history")
    expect(page.get_by_role("heading", name="No questions yet")).to_be_visible()

    client.sign_out()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is kept")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Signed in as")).to_be_visible()
    asked(client.sign_in(name), "Asked elsewhere?")

    expect(entry(page, "Asked elsewhere?")).to_be_visible()
