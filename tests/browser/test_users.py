"""Two users at once, each in a browser of their own: neither sees anything of the other's."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.steps import ask, await_end, seat, sign_up
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

#: Every wait may be used up on a slow machine, one after the other.
pytestmark = pytest.mark.timeout(300)

OURS = "Should a museum give back what an empire took?"
THEIRS = "May a doctor lie to spare a patient?"


@pytest.fixture
def other_page(browser: Browser) -> Iterator[Page]:
    """An empty page of another browser profile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_two_users_see_only_their_own(page: Page, other_page: Page, stack: Stack, model: ScriptedModel) -> None:
    """Asked at the same moment, each page shows its own question and answers, and its list has only these."""
    for agent_id in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{agent_id}", {"token_delay_s": 0.05})
    sign_up(page, stack)
    sign_up(other_page, stack)
    ask(page, OURS)
    ask(other_page, THEIRS)
    for mine, own, foreign in ((page, OURS, THEIRS), (other_page, THEIRS, OURS)):
        await_end(mine)
        expect(mine.get_by_role("heading", name=own)).to_be_visible()
        expect(mine.get_by_text(foreign)).to_have_count(0)
    asked = {call.answer: call.prompt for call in model.calls(stage="response")}
    for mine, own in ((page, OURS), (other_page, THEIRS)):
        # What stands in a column is what the model wrote for this very question.
        text = seat(mine, "qwen").locator(".fm-words").inner_text()
        assert [own in prompt for answer, prompt in asked.items() if answer.strip() == text.strip()] == [True]

    ours, theirs = page.url, other_page.url
    assert ours != theirs
    for mine, foreign, question in ((page, theirs, THEIRS), (other_page, ours, OURS)):
        mine.goto(foreign)
        expect(mine.get_by_role("alert")).to_contain_text("There is no such query", timeout=60_000)
        expect(mine.get_by_text(question)).to_have_count(0)
        expect(mine.get_by_label("Consensus")).to_be_hidden()
        job_id = foreign.rpartition("=")[2]
        for address in (f"/jobs/{job_id}/export.md", f"/jobs/{job_id}/charts/heatmap.png"):
            assert mine.request.get(stack.url + address).status == 404
