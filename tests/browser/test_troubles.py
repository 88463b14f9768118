"""What the user sees when parts fail: always what happened, in words, and nothing that was typed is lost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import pytest
import requests
from playwright.sync_api import Page, expect

from infra.local.sockets import UnixTransport
from tests.browser.record import Record
from tests.browser.steps import ask, await_end, end_every_session, seat, sign_in, sign_up
from tests.scripted_model import ScriptedModel
from tests.stack import Stack, eventually

#: Every wait of a test may be used up on a slow machine, one after the other.
pytestmark = pytest.mark.timeout(300)

QUESTION = "Should a city close its centre to cars?"
LATER = "And who should decide that?"
#: Words that only the failing endpoint says.
REASON = "the disk of node 7f3a is full"
HALF = "Half of a conclusion that nobody was meant to keep, for the connection broke before it came to its end."
WORDS = 60
TRY_AGAIN = re.compile("try again", re.IGNORECASE)
#: Milliseconds until processes that were killed serve again.
BACK_MS = 60_000


def test_dead_seat_is_named_with_its_reason(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """With one seat's endpoint gone, the others answer, and the page says who is missing and why."""
    sign_up(page, stack)
    model.refuse("mistral")
    ask(page, QUESTION)
    await_end(page)

    alert = page.get_by_role("alert").filter(has_text="degraded")
    expect(alert).to_contain_text("part of the panel is missing")
    expect(alert).to_contain_text("mistral")
    expect(seat(page, "mistral").locator(".fm-state")).to_have_text("failed")
    expect(seat(page, "mistral").locator(".fm-reason")).to_contain_text("connect", ignore_case=True)
    for agent_id in ("qwen", "deephermes"):
        expect(seat(page, agent_id).locator(".fm-state")).to_contain_text("done")
    expect(page.get_by_label("Consensus").locator(".fm-md")).not_to_be_empty()
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)


def test_aggregator_that_fails_over_is_named_and_its_half_is_gone(
    page: Page, stack: Stack, model: ScriptedModel
) -> None:
    """Another seat concludes in the aggregator's place; the page says so and keeps nothing of the half before."""
    model.script("scripted/llama3", {"text": HALF, "token_delay_s": 0.4, "cut_after_tokens": 12}, stage="consensus")
    sign_up(page, stack)
    ask(page, QUESTION)
    consensus = page.get_by_label("Consensus")
    expect(consensus).to_contain_text("Half of a conclusion")
    await_end(page)

    expect(consensus).to_contain_text("in place of llama3")
    expect(consensus).not_to_contain_text("Half of a conclusion")
    expect(page.get_by_role("alert").filter(has_text="llama3")).to_be_visible()
    assert page.get_by_label("Your question").input_value() == QUESTION


def test_query_that_fails_gives_every_reason_and_can_be_asked_again(
    page: Page, stack: Stack, model: ScriptedModel
) -> None:
    """Without a quorum there is no consensus: the page gives each seat's reason, and the form still holds it all."""
    for agent_id in ("mistral", "deephermes"):
        model.script(f"scripted/{agent_id}", {"status": 500, "error": REASON})
    sign_up(page, stack)
    ask(page, QUESTION)
    await_end(page, "Failed")

    alert = page.get_by_role("alert").filter(has_text="There is no consensus.")
    for agent_id in ("mistral", "deephermes"):
        expect(alert).to_contain_text(agent_id)
        expect(seat(page, agent_id).locator(".fm-reason")).to_contain_text(REASON)
    expect(seat(page, "qwen").locator(".fm-md")).not_to_be_empty()
    expect(page.get_by_label("Consensus")).to_be_hidden()
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)

    model.reset()
    ask(page)
    await_end(page)
    expect(page.get_by_label("Consensus")).to_be_visible()


def test_session_that_ends_under_a_running_query_is_told(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """Who is signed out elsewhere while a query runs hears it at the next step, and finds query and draft again."""
    for agent_id in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{agent_id}", {"text": " ".join(["word"] * WORDS), "token_delay_s": 0.25})
    username = sign_up(page, stack)
    ask(page, QUESTION)
    # The page watches with the session that is about to end.
    expect(seat(page, "qwen").locator(".fm-words")).to_contain_text("word")
    page.get_by_label("Your question").fill(LATER)
    end_every_session(page, stack)
    page.get_by_role("button", name="Ask the panel").click()
    expect(page.get_by_role("alert")).to_contain_text("session has ended")

    sign_in(page, username)
    expect(page.get_by_label("Your question")).to_have_value(LATER)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    await_end(page)
    expect(page.get_by_label("Consensus")).to_be_visible()


def test_gateways_that_die_under_a_running_query_cost_a_wait(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """Both gateways gone: the page says so, keeps texts and draft, refuses in words, and goes on when they are back."""
    text = " ".join(f"word{number}" for number in range(WORDS))
    for agent_id in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{agent_id}", {"text": text, "token_delay_s": 0.2})
    sign_up(page, stack)
    record = Record(page)
    ask(page, QUESTION)
    expect(seat(page, "qwen").locator(".fm-words")).to_contain_text("word3")

    with without_gateways(stack):
        expect(page.get_by_role("status").filter(has_text="connection to the gateway is lost")).to_be_visible()
        expect(seat(page, "qwen").locator(".fm-words")).to_contain_text("word3")
        page.get_by_label("Your question").fill(LATER)
        page.get_by_role("button", name="Ask the panel").click()
        expect(page.get_by_role("alert")).to_contain_text(TRY_AGAIN)
        expect(page.get_by_label("Your question")).to_have_value(LATER)

    await_end(page, timeout_ms=BACK_MS)
    for agent_id in ("qwen", "mistral", "deephermes"):
        expect(seat(page, agent_id).locator(".fm-words")).to_have_text(text)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    assert any("waiting for" in status for status in record.statuses()), record.statuses()
    ask(page)
    expect(page.get_by_role("heading", name=LATER)).to_be_visible()


def test_page_opened_without_gateways_says_so_and_opens_when_they_are_back(
    page: Page, stack: Stack, model: ScriptedModel
) -> None:
    """A reload while no gateway lives shows why nothing can be shown; one click later, all is there again."""
    sign_up(page, stack)
    ask(page, QUESTION)
    await_end(page)
    page.get_by_label("Your question").fill(LATER)

    with without_gateways(stack):
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text(TRY_AGAIN, timeout=BACK_MS)
    eventually(lambda: requests.get(f"{stack.url}/readyz", timeout=5).ok, BACK_MS / 1000, "gateways serve again")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value(LATER)


@contextmanager
def without_gateways(stack: Stack) -> Iterator[None]:
    """Kill every gateway, and have the supervisor start none again before the end of the block."""
    socket = stack.data / "run" / "supervisord.sock"
    supervisor = ServerProxy("http://supervisord", transport=UnixTransport(socket)).supervisor
    every: Any = supervisor.getAllProcessInfo()
    gateways = [f"{each['group']}:{each['name']}" for each in every if each["name"] in stack.gateways()]
    for name in sorted(stack.gateways()):
        stack.kill(name)

    def stopped(gateway: str) -> bool:
        # Between its death and the next start there is nothing to stop. One that streams to a page of an earlier test
        # takes its five seconds, longer than the supervisor's answer is waited for.
        with suppress(Fault):
            supervisor.stopProcess(gateway, False)
        information: Any = supervisor.getProcessInfo(gateway)
        return bool(information["statename"] == "STOPPED")

    for gateway in gateways:
        eventually(lambda: stopped(gateway), 30, f"{gateway} stays away")  # noqa: B023
    try:
        yield
    finally:
        for gateway in gateways:
            supervisor.startProcess(gateway, False)
