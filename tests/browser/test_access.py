"""Who sees badly, hears the page or has no mouse: axe-core's rules on every page, and the whole flow by keyboard."""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.steps import ask, await_end, await_taken, open_page, sign_up
from tests.client import PASSWORD, new_user
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

#: Every wait of a test may be used up on a slow machine, one after the other.
pytestmark = pytest.mark.timeout(300)

QUESTION = "Should university education be free for everybody?"
SEATS = ("qwen", "mistral", "deephermes")
GRAVE = ("serious", "critical")
#: The keyboard's way from one part of the page to any other is no longer than this.
STEPS = 90


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_breaks_a_grave_rule(
    browser: Browser, stack: Stack, model: ScriptedModel, scheme: Literal["light", "dark"], width: int
) -> None:
    """Card, form, live columns, degraded result, charts, history and agents, light and dark: nothing serious."""
    model.script("scripted/qwen", {"text": "Yes. " + "Schools need money. " * 8, "token_delay_s": 0.5})
    model.script("scripted/mistral", {"status": 500, "error": "the disk is full"})
    model.script("scripted/deephermes", {"text": "No. Schools need money from fees, not from taxes."})
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()

    open_page(page, stack)
    found = {"sign in": grave(page)}
    sign_up(page, stack)
    found["ask"] = grave(page)
    ask(page, QUESTION)
    expect(page.locator(".fm-words.live .fm-md > *").first).to_be_attached()
    found["live"] = grave(page)
    await_end(page)
    expect(page.locator(".fm-findings h2")).to_be_visible(timeout=60_000)
    found["result"] = grave(page)
    page.get_by_role("tab", name="Analysis").click()
    expect(page.locator(".fm-charts img").first).to_be_visible()
    found["analysis"] = grave(page)
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name=f"Delete: {QUESTION}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found["history"] = grave(page)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Agents").click()
    expect(page.locator("#fm-timeline")).not_to_be_empty()
    found["agents"] = grave(page)
    context.close()

    assert {place: rules for place, rules in found.items() if rules} == {}


def grave(page: Page) -> list[Any]:
    """What axe-core finds on the page as it stands that keeps somebody from using it."""
    violations = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations if each["impact"] in GRAVE
    ]


def test_whole_flow_by_keyboard(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """Sign in, choose, type, send, read, look at the charts, ask again and cancel, with keys alone."""
    for agent_id in SEATS:
        model.script(f"scripted/{agent_id}", {}, {"hang": True})
    client = new_user(stack.url)
    username = client.call("GET", "/sessions/current").json()["username"]
    keys = page.keyboard
    open_page(page, stack)
    reach(page, page.get_by_label("Username"))
    keys.type(username)
    reach(page, page.get_by_label("Password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_text(f"Signed in as {username}")).to_be_visible()

    reach(page, page.get_by_label("Your question"))
    keys.type(QUESTION)
    pick(page, "Question type", "Yes/No")
    pick(page, "Role of mistral", "Rawlsian")
    box = page.get_by_label("deephermes", exact=True)
    reach(page, box)
    keys.press("Space")
    expect(box).not_to_be_checked()
    reach(page, page.get_by_role("button", name="Ask the panel"))
    keys.press("Enter")
    await_end(page)

    # A text that is longer than its box is read on with the arrow keys, so the box has to take the focus.
    reach(page, page.get_by_label("Text of qwen"))
    expect(page.get_by_label("Text of mistral")).not_to_be_empty()
    expect(page.get_by_label("Response of mistral")).to_contain_text("Rawlsian")
    expect(page.get_by_label("Response of deephermes")).to_have_count(0)
    expect(page.get_by_label("Consensus").locator(".fm-md")).not_to_be_empty()
    reach(page, page.get_by_role("tab", name="Analysis"), back=True)
    keys.press("Enter")
    expect(page.get_by_role("tab", name="Analysis")).to_have_attribute("aria-selected", "true")

    reach(page, page.get_by_role("button", name="Ask again with other roles"))
    keys.press("Enter")
    expect(page.get_by_label("Your question")).to_be_focused()
    reach(page, page.get_by_role("button", name="Ask the panel"))
    keys.press("Enter")
    cancel = page.get_by_role("button", name="Cancel")
    reach(page, cancel)
    keys.press("Enter")
    await_end(page, "Cancelled")


def reach(page: Page, target: Locator, back: bool = False) -> None:
    """Press Tab until the target has the focus; on the way nobody loses sight of where it is."""
    expect(target).to_be_visible()
    for _ in range(STEPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(SHOWS_FOCUS), "the focus cannot be seen"
            return
    raise AssertionError(f"not within {STEPS} steps of the keyboard: {target}")


#: Whether an element, or one of those just around it, looks other with the focus than without.
SHOWS_FOCUS = """element => {
  const look = () => [element, element.parentElement, element.parentElement.parentElement].map((each) => {
    const style = getComputedStyle(each);
    return [style.outline, style.boxShadow, style.borderColor].join();
  }).join();
  for (const each of document.getAnimations()) each.finish();
  const focused = look();
  element.blur();
  for (const each of document.getAnimations()) each.finish();
  const plain = look();
  element.focus({focusVisible: true});
  return focused !== plain;
}"""


def pick(page: Page, label: str, option: str) -> None:
    """Take an option of a list."""
    box = page.get_by_label(label, exact=True)
    reach(page, box)
    box.press("Control+a")
    page.keyboard.type(option)
    page.keyboard.press("Enter")
    await_taken(box, option)
