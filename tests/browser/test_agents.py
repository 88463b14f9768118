"""The page of the agents: what the heartbeat service sees, as it changes, and a way to reset for those who may."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_history import enter
from tests.client import Client
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import Stack, eventually

#: Milliseconds until a change has come to the page, whatever else the machine is doing.
SOON_MS = 60_000


@pytest.fixture
def board(page: Page, client: Client, stack: Stack) -> Page:
    """The page of the agents, of a user who is no admin."""
    enter(page, client, stack, "/?view=agents")
    expect(page.locator(".fm-health")).to_have_count(len(SEATS))
    return page


@pytest.fixture
def admins_board(page: Page, admin: Client, model: ScriptedModel, stack: Stack) -> Iterator[Page]:
    """The page of the agents, of the admin."""
    enter(page, admin, stack, "/?view=agents")
    expect(page.locator(".fm-health")).to_have_count(len(SEATS))
    yield page


def card(page: Page, agent_id: str) -> Locator:
    """What the page says of one agent."""
    return page.get_by_label(f"Health of {agent_id}")


def fail(client: Client, model: ScriptedModel, agent_id: str) -> None:
    """Have a seat's model answer with errors until the seat has failed."""
    model.script(f"scripted/{agent_id}", {"status": 500, "error": "out of order"})
    for _ in range(5):
        client.ask(agents=[agent_id], deadline_s=8)
    eventually(lambda: client.states()[agent_id] == "failed", 40, f"{agent_id} has failed")


def test_failing_seat_is_seen_without_a_reload(board: Page, client: Client, model: ScriptedModel) -> None:
    """The board comes forward by itself: state, reason, errors, the next try, and what was done about it."""
    expect(card(board, "qwen")).to_have_attribute("data-state", "healthy")
    expect(card(board, "llama3")).to_contain_text("aggregator")
    expect(card(board, "qwen")).to_contain_text("Workers alive1")

    fail(client, model, "qwen")
    client.wait_done(client.ask("Who stands in?", agents=["qwen", "mistral"], deadline_s=15)["job_id"])

    qwen = card(board, "qwen")
    expect(qwen).to_have_attribute("data-state", "failed", timeout=SOON_MS)
    expect(qwen).to_contain_text("HTTP 500")
    expect(qwen.get_by_role("listitem").first).to_contain_text("HTTP 500")
    expect(qwen).not_to_contain_text("no pause is on")
    timeline = board.get_by_role("list", name="What happened to the agents")
    expect(timeline.get_by_text("deephermes was asked in place of qwen").first).to_be_visible(timeout=SOON_MS)
    expect(timeline.get_by_text("qwen became failed").first).to_be_visible()


def test_only_an_admin_resets(board: Page, client: Client, model: ScriptedModel) -> None:
    """Others see the button barred and why, and pressing it does nothing."""
    button = card(board, "qwen").get_by_role("button", name="Reset")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_accessible_description("Resetting is for admins; you are not one.")
    before = client.incidents(agent_id="qwen", limit=1)

    button.click(force=True)

    seen_again(board)
    assert client.incidents(agent_id="qwen", limit=1) == before


def test_admin_resets_a_failed_seat(admins_board: Page, admin: Client, client: Client, model: ScriptedModel) -> None:
    """After a reset the seat is asked again, and the record says who did it."""
    fail(client, model, "mistral")
    expect(card(admins_board, "mistral")).to_have_attribute("data-state", "failed", timeout=SOON_MS)
    model.reset()

    card(admins_board, "mistral").get_by_role("button", name="Reset").click()

    expect(admins_board.get_by_text("mistral was reset: its errors are forgotten")).to_be_visible()
    expect(card(admins_board, "mistral")).to_have_attribute("data-state", "healthy", timeout=SOON_MS)
    expect(admins_board.get_by_text("mistral was reset: an admin").first).to_be_visible(timeout=SOON_MS)


def test_update_keeps_focus_and_place(admins_board: Page) -> None:
    """While the board is drawn anew, what has the focus keeps it, and the page stays where it was scrolled to."""
    admins_board.set_viewport_size({"width": 390, "height": 600})
    button = card(admins_board, "deephermes").get_by_role("button", name="Reset")
    button.focus()
    button.scroll_into_view_if_needed()
    place = admins_board.evaluate("scrollY")
    assert place > 0

    for _ in range(2):
        seen_again(admins_board)

    expect(button).to_be_focused()
    assert admins_board.evaluate("scrollY") == place


def seen_again(page: Page) -> None:
    """Wait until the page shows a newer heartbeat than now."""
    beat = card(page, "qwen").locator("dd time").nth(1)
    before = beat.get_attribute("datetime") or ""
    expect(beat).not_to_have_attribute("datetime", before, timeout=SOON_MS)
