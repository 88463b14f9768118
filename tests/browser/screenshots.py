"""Takes the pictures of every page from the running product, as `make screenshots` does.

The models are scripted, so that the pictures come out alike each time; the page names them as what they are.
"""

import io

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MS, QUIET
from tests.browser.steps import OPEN_MS, ask, await_end, choose, open_page, sign_in
from tests.client import Client
from tests.conftest import SETTINGS, scripted_roster
from tests.scripted_model import SEATS, ScriptedModel
from tests.stack import ROOT, Stack

IMAGES = ROOT / "docs" / "images"
#: Colours of a picture; its text stays readable, and the file small.
COLOURS = 128
#: Pictures are no taller than this, in pixels of the page: the rest is more of the same.
TALLEST = 1900
WIDE, NARROW = 1440, 390
QUESTION = "Should vaccination be compulsory for people who work in hospitals?"
EARLIER = "Should a city close its centre to cars?"

ANSWERS = {
    "qwen": "Yes. Hospital staff meet the people whom an infection harms most. Vaccines lower the risk that staff pass "
    "an infection on.\n\nMandates keep wards open in a bad season. Exemptions for medical reasons are needed.",
    "mistral": "Yes, with limits. Vaccines lower the risk that staff pass an infection on. A duty of care binds those "
    "who chose this work.\n\nExemptions for medical reasons are needed. Staff must be heard before a rule is made.",
    "deephermes": "No. Consent to treatment may not be forced by the fear of losing a job. Mandates do not keep wards "
    "open, because they drive staff away.\n\nExemptions for medical reasons are needed. Free and easy vaccination "
    "persuades more people.",
}
CONSENSUS = (
    "The panel leans towards **yes, with exemptions**. All three ask for medical exemptions, and two hold that "
    "vaccines lower the risk for patients.\n\nThey part over compulsion: deephermes sees consent broken, and expects "
    "mandates to cost staff, where qwen expects them to keep wards open."
)


def main() -> None:
    """Start the product, walk through it in light, dark and narrow, and write the pictures."""
    with (
        ScriptedModel(SEATS) as model,
        Stack(scripted_roster(model), SETTINGS) as stack,
        sync_playwright() as playwright,
    ):
        expect.set_options(timeout=OPEN_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        admin = Client(stack.url)
        admin.sign_up("ada")
        first = _page(browser, WIDE, "light")
        open_page(first, stack)
        _take(first, "page-sign-in")
        sign_in(first, "ada")
        _take(first, "page-ask")
        _live(first, model)
        _places(first)
        link = first.url
        for name, width, scheme in (("dark", WIDE, "dark"), ("narrow", NARROW, "light")):
            page = _page(browser, width, scheme)
            open_page(page, stack)
            sign_in(page, "ada")
            page.goto(link)
            _result(page, f"-{name}")
        browser.close()


def _page(browser: Browser, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _live(page: Page, model: ScriptedModel) -> None:
    """Ask twice: what fails over first, for the agents' page, and then the one that the pictures show."""
    model.script(
        "scripted/llama3", {"status": 500, "error": "the disk is full"}, {"text": CONSENSUS}, stage="consensus"
    )
    ask(page, EARLIER)
    await_end(page)
    for agent_id, text in ANSWERS.items():
        model.script(f"scripted/{agent_id}", {"text": text, "token_delay_s": 0.25}, stage="response")
    choose(page, "Domain", "Healthcare")
    choose(page, "Question type", "Yes/No")
    for agent_id, role in zip(ANSWERS, ("Utilitarian", "Deontologist", "Rawlsian"), strict=True):
        choose(page, f"Role of {agent_id}", role)
    ask(page, QUESTION)
    expect(page.locator(".fm-words.live").last).to_contain_text("Consent to treatment may not")
    _take(page, "page-live")
    await_end(page)
    _result(page, "")


def _result(page: Page, suffix: str) -> None:
    expect(page.locator(".fm-score")).to_be_visible()
    _take(page, f"page-result{suffix}")
    page.get_by_role("tab", name="Analysis").click()
    for picture in page.locator(".fm-charts img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        picture.evaluate("image => image.decode()")
    _take(page, f"page-analysis{suffix}")


def _places(page: Page) -> None:
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("link", name=EARLIER)).to_be_visible()
    _take(page, "page-history")
    page.get_by_role("tab", name="Agents").click()
    expect(page.get_by_text("scripted/qwen").last).to_be_visible()
    _take(page, "page-agents")
    page.get_by_role("tab", name="Ask").click()


def _take(page: Page, name: str) -> None:
    """Write one picture of the page as it stands, from its top, as a PNG of few colours."""
    page.evaluate("() => window.scrollTo(0, 0)")
    taken = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled", caret="hide")))
    picture = taken.convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
    target = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}: {picture.width} x {picture.height}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
