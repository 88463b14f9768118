"""What stands on the page when a query is done: agreement, votes, charts, the record, and the ways on from there."""

import json
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import END_MS, ask, await_end, choose, open_from_history, open_page, sign_up, size
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

CHARTS = 5


@pytest.fixture
def asked(page: Page, stack: Stack, model: ScriptedModel) -> str:
    """A signed-in user whose Yes/No question is answered with two to one, and analysed; the query's job_id."""
    for seat, answer in {"qwen": "Yes", "mistral": "Yes", "deephermes": "No"}.items():
        model.script(f"scripted/{seat}", {"text": f"{answer}. Schools need money from taxes. {seat} adds a word."})
    sign_up(page, stack)
    page.get_by_label("Your question").fill("Should university education be free for everybody?")
    choose(page, "Question type", "Yes/No")
    page.get_by_role("button", name="Ask the panel").click()
    expect(page.locator(".fm-score")).to_be_visible(timeout=END_MS)
    return page.url.rpartition("=")[2]


def test_agreement_and_votes_are_shown(page: Page, asked: str) -> None:
    """The score has its words and its caution, the vote its count and its dissenter, a response its tokens."""
    findings = page.get_by_label("Agreement and disagreement")

    expect(findings).to_contain_text("Agreement is not correctness")
    expect(findings.get_by_role("caption")).to_contain_text("the majority answers Yes; deephermes dissents")
    expect(findings.get_by_role("row", name="Yes 2")).to_contain_text("mistral")
    expect(findings.get_by_role("row", name="No 1")).to_contain_text("deephermes")
    expect(page.get_by_label("Response of qwen").locator("footer")).to_contain_text("written")


def test_charts_are_pictures_with_words(page: Page, asked: str) -> None:
    """Every chart decodes at its real size, is told in words, and can be had as PNG and SVG; strangers get nothing."""
    page.get_by_role("tab", name="Analysis").click()
    pictures = page.locator(".fm-charts img")
    expect(pictures).to_have_count(CHARTS)
    for picture in pictures.all():
        assert size(picture)[0] >= 900
        assert len(picture.get_attribute("alt") or "") > 40
    addresses = [link.get_attribute("href") or "" for link in page.locator(".fm-charts figcaption a").all()]

    assert len(addresses) == 2 * CHARTS
    for address in addresses:
        answer = page.request.get(page.url.partition("/?")[0] + address)
        assert answer.headers["content-type"] in {"image/png", "image/svg+xml"}
    page.context.clear_cookies()
    assert page.request.get(page.url.partition("/?")[0] + addresses[0]).status == 401


def test_chart_that_takes_long_comes_by_itself(page: Page, asked: str, stack: Stack) -> None:
    """While nobody draws, the page says that the charts are being drawn; when they are, they are there."""
    stack.signal("analyse", signal.SIGSTOP)
    try:
        page.get_by_role("tab", name="Analysis").click()
        waiting = page.locator(".fm-charts .fm-absent").first
        expect(waiting).to_contain_text("being drawn", timeout=END_MS)
    finally:
        stack.signal("analyse", signal.SIGCONT)
    expect(waiting).to_be_hidden(timeout=END_MS)
    assert size(page.locator(".fm-charts img").first)[0] >= 900


def test_record_is_downloaded(page: Page, asked: str) -> None:
    """The export links give the record as files of the query's own name."""
    with page.expect_download() as downloading:
        page.get_by_role("link", name="JSON").click()

    assert downloading.value.suggested_filename == f"folkmoot-{asked}.json"
    assert json.loads(downloading.value.path().read_text(encoding="utf-8"))["job_id"] == asked


def test_follow_up_and_asking_again_fill_the_form(page: Page, asked: str) -> None:
    """A follow-up names what it follows and carries it along; asking again brings the question back."""
    page.get_by_role("button", name="Ask again with other roles").click()
    expect(page.get_by_label("Your question")).to_have_value("Should university education be free for everybody?")

    page.get_by_role("button", name="Ask a follow-up").click()
    expect(page.get_by_label("Your question")).to_have_value("")
    expect(page.locator("#fm-form")).to_contain_text("Follows up: Should university")
    page.get_by_label("Your question").fill("Who should pay for it?")
    page.get_by_role("button", name="Ask the panel").click()

    expect(page.get_by_role("heading", name="Who should pay for it?")).to_be_visible()
    expect(page.get_by_role("link", name="an earlier question")).to_have_attribute("href", f"/?job={asked}")

    open_from_history(page, "Should university education be free for everybody?")
    expect(page.locator(".fm-score")).to_be_visible(timeout=END_MS)


def test_question_asked_before_is_told_and_opened(page: Page, asked: str) -> None:
    """Another wording of an earlier question shows a link to it; one "not" more, and it is another question."""
    told = page.locator("#fm-earlier")
    question = page.get_by_label("Your question")
    ask(page, "Should pupils wear a uniform?")

    question.fill("Ought university education to be free for everybody?")
    expect(told).to_contain_text("You asked this before")
    question.fill("Ought university education not to be free for everybody?")
    expect(told).to_have_text("")
    question.fill("Ought university education to be free for everybody?")
    told.get_by_role("link", name="Should university education be free for everybody?").click()

    expect(page.get_by_role("heading", name="Should university education be free for everybody?")).to_be_visible()
    assert page.url.endswith(f"/?job={asked}")


def test_asking_afresh_asks_the_same_again(page: Page, asked: str, model: ScriptedModel) -> None:
    """One click asks the same panel the same question once more, and shows the new answer."""
    for seat in ("qwen", "mistral", "deephermes"):
        model.script(f"scripted/{seat}", {"text": f"No. On second thoughts, {seat} is against it."})

    page.get_by_role("button", name="Ask afresh").click()
    page.wait_for_url(lambda url: "job=" in url and not url.endswith(asked))

    expect(page.get_by_role("heading", name="Should university education be free for everybody?")).to_be_visible()
    expect(page.get_by_label("Response of qwen")).to_contain_text("On second thoughts")
    await_end(page)


def test_link_to_a_query_opens_it_for_its_owner_only(page: Page, asked: str, stack: Stack) -> None:
    """The owner's link shows the query again; to another user the same link says that there is none."""
    link = page.url
    page.goto(link)
    expect(page.locator(".fm-score")).to_be_visible(timeout=END_MS)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    open_page(page, stack)
    sign_up(page, stack)
    page.goto(link)

    expect(page.get_by_role("alert")).to_contain_text("There is no such query")
    expect(page.get_by_label("Consensus")).to_be_hidden()
