"""Takes the pictures of every page from the running product, as `make screenshots` does.

The models are scripted, so that the pictures come out alike each time; the page names them as what they are.
"""

import io

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MS, QUIET
from tests.browser.steps import OPEN_MS, ask, await_end, choose, open_page, sign_in, size
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
        _prepare(stack, model)
        for suffix, width, scheme in (("", WIDE, "light"), ("-dark", WIDE, "dark"), ("-narrow", NARROW, "light")):
            page = _page(browser, width, scheme)
            open_page(page, stack)
            _take(page, f"page-sign-in{suffix}")
            sign_in(page, "ada")
            _walk(page, suffix)
            page.context.close()
        browser.close()


def _prepare(stack: Stack, model: ScriptedModel) -> None:
    """An account with one question, whose aggregator fails over, for the agents' page; and what the models say next."""
    model.script(
        "scripted/llama3", {"status": 500, "error": "the disk is full"}, {"text": CONSENSUS}, stage="consensus"
    )
    admin = Client(stack.url)
    admin.sign_up("ada")
    admin.sign_in("ada")
    admin.wait_done(admin.ask(EARLIER)["job_id"])
    for name in ("notebook", "nightly report"):
        assert admin.call("POST", "/tokens", json={"name": name, "scopes": ["ask"]}).status_code == 201
    for agent_id, text in ANSWERS.items():
        model.script(f"scripted/{agent_id}", {"text": text, "token_delay_s": 0.25}, stage="response")


def _page(browser: Browser, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _walk(page: Page, suffix: str) -> None:
    """Every page once, with a question that is asked on the way; nothing of it is left for the next walk."""
    _take(page, f"page-ask{suffix}")
    choose(page, "Domain", "Healthcare")
    choose(page, "Question type", "Yes/No")
    for agent_id, role in zip(ANSWERS, ("Utilitarian", "Deontologist", "Rawlsian"), strict=True):
        choose(page, f"Role of {agent_id}", role)
    ask(page, QUESTION)
    expect(page.locator(".fm-words.live").last).to_contain_text("Consent to treatment may not")
    _take(page, f"page-live{suffix}", of="#fm-live")
    await_end(page)
    expect(page.locator(".fm-score")).to_be_visible()
    _take(page, f"page-result{suffix}", of="#fm-live")
    page.get_by_role("tab", name="Analysis").click()
    for picture in page.locator(".fm-charts img").all():
        size(picture)
    _take(page, f"page-analysis{suffix}", of="#fm-live")
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("link", name=EARLIER)).to_be_visible()
    _take(page, f"page-history{suffix}")
    page.get_by_role("tab", name="Agents").click()
    expect(page.get_by_text("scripted/qwen").last).to_be_visible()
    _take(page, f"page-agents{suffix}")
    page.get_by_role("tab", name="Account").click()
    expect(page.get_by_label("API tokens")).to_be_visible()
    _take(page, f"page-account{suffix}")


def _take(page: Page, name: str, of: str = "body") -> None:
    """Write one picture of the page as it stands, as a PNG of few colours.

    Args:
        of: where the narrow page has nothing beside it, the picture begins at this part of the page.
    """
    page.evaluate("() => window.scrollTo(0, 0)")
    begins = page.locator(of).bounding_box() if page.viewport_size == {"width": NARROW, "height": 900} else None
    top = int(begins["y"]) if begins else 0
    taken = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled", caret="hide")))
    picture = taken.convert("RGB")
    picture = picture.crop((0, top, picture.width, min(picture.height, top + TALLEST)))
    target = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}: {picture.width} x {picture.height}, {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
