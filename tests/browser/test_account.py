"""The page of one's account, and the card to sign up with: password, API tokens, invitations."""

import base64
import json
import os
import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import OPEN_MS, open_page, session_cookie, sign_in, sign_out, sign_up
from tests.browser.test_access import grave
from tests.browser.test_history import enter
from tests.client import PASSWORD, Client
from tests.conftest import SETTINGS, scripted_roster
from tests.scripted_model import ScriptedModel
from tests.stack import Stack

#: Every wait may be used up on a slow machine, one after the other.
pytestmark = pytest.mark.timeout(300)


KEY = "sk-a-key-that-is-found-nowhere-58203"


@pytest.fixture(scope="module")
def by_invitation(scripted_model: ScriptedModel) -> Iterator[Stack]:
    """A stack where an account takes an invitation and nobody has one yet, and that keeps its users' provider keys."""
    own = {
        "FOLKMOOT_SIGN_UP": "invitation",
        "FOLKMOOT_ANALYSIS": "false",
        "FOLKMOOT_SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "FOLKMOOT_LOG_LEVEL": "debug",
        "ACME_API_KEY": "sk-the-servers-own-found-nowhere",
    }
    roster = scripted_roster(scripted_model)
    for seat in roster["seats"].values():
        seat["api_key_env"] = "ACME_API_KEY"
    with Stack(roster, SETTINGS | own) as running:
        yield running


def go(page: Page) -> None:
    """Go to the account, and see the lists there."""
    page.get_by_role("tab", name="Account").click()
    expect(page.locator("#fm-tokens")).not_to_be_empty()


def entry(page: Page, name: str) -> Locator:
    """The line of a token or an invitation."""
    return page.get_by_role("listitem").filter(has_text=name)


def test_token_is_shown_once_and_revoked(page: Page, client: Client, stack: Stack) -> None:
    """A token made on the page is copied from it, works, is gone at the next look, and is dead once revoked."""
    enter(page, client, stack, "/?view=account")
    expect(page.get_by_text("You have no API token.")).to_be_visible(timeout=OPEN_MS)
    expect(page.get_by_role("button", name="Invite somebody")).to_have_count(0)
    page.get_by_label("Token name").fill("my <b>laptop</b>")
    page.get_by_role("button", name="Create token").click()
    made = page.get_by_role("status").filter(has_text="Copy it now")
    token = made.locator("code").inner_text()
    assert re.fullmatch(r"fm_[\w-]{43}", token)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    made.get_by_role("button", name="Copy").click()
    expect(made.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == token
    assert grave(page) == []

    program = Client(stack.url, token)
    assert program.call("GET", "/queries").status_code == 200
    listed = entry(page, "my <b>laptop</b>")
    expect(listed).to_contain_text(f"{token[:10]}…")
    expect(listed).to_contain_text(re.compile(r"last used (now|\d+ s ago)"))
    page.get_by_role("tab", name="Ask").click()
    go(page)
    expect(listed).to_be_visible()
    expect(page.get_by_text(token)).to_have_count(0)

    listed.get_by_role("button", name="Revoke").click()

    expect(page.get_by_text("You have no API token.")).to_be_visible()
    assert program.call("GET", "/queries").status_code == 401


def test_password_is_changed_and_other_sessions_end(page: Page, stack: Stack, model: ScriptedModel) -> None:
    """A wrong password is refused where it was typed; the right one is replaced, and only this page stays signed in."""
    username = sign_up(page, stack)
    elsewhere = Client(stack.url).sign_in(username)
    go(page)
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password").fill("a longer one yet")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert").filter(has_text="This is not your current password.")).to_be_visible()
    expect(page.get_by_label("New password")).to_have_value("a longer one yet")

    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").press("Enter")

    expect(page.get_by_text("Your password is changed. 1 other session was ended")).to_be_visible()
    expect(page.get_by_label("New password")).to_have_value("")
    assert elsewhere.call("GET", "/queries").status_code == 401
    assert Client(stack.url, session_cookie(page)["value"]).call("GET", "/queries").status_code == 200
    sign_out(page)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("The username or the password is wrong.")).to_be_visible()


def test_own_key_is_set_and_everything_is_taken_along_before_leaving(
    page: Page, by_invitation: Stack, scripted_model: ScriptedModel
) -> None:
    """A key is set without being shown or kept by the page; all is exported; the account goes by name and password."""
    scripted_model.reset()
    username = sign_up(page, by_invitation)
    client = Client(by_invitation.url, session_cookie(page)["value"])
    go(page)
    expect(page.get_by_text("You have set no key.")).to_be_visible()
    expect(page.get_by_role("button", name="Remove key")).to_have_count(0)
    key = page.get_by_label("Key", exact=True)
    key.fill("too short")
    page.get_by_role("button", name="Set key").click()
    expect(page.get_by_role("alert").filter(has_text="A key has 16 to 512 letters")).to_be_visible()
    key.fill(KEY)
    page.get_by_role("button", name="Set key").click()
    expect(page.get_by_text("Your key is set.")).to_be_visible()
    expect(page.get_by_text(f"A key for acme is set; it ends in {KEY[-4:]}.")).to_be_visible()
    expect(key).to_have_value("")
    assert KEY not in page.content()
    job_id = client.wait_done(client.ask("Is a zebra black or white?")["job_id"])["job_id"]
    assert {call.headers["authorization"] for call in scripted_model.calls()} == {f"Bearer {KEY}"}
    expect(page.locator("#fm-usage").get_by_role("rowheader", name=username)).to_be_visible()
    assert grave(page) == []
    page.get_by_role("button", name="Remove key").click()
    expect(page.get_by_text("You have set no key.")).to_be_visible()

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export everything").click()
    assert downloading.value.suggested_filename.startswith(f"folkmoot-{username}-")
    with zipfile.ZipFile(downloading.value.path()) as archive:
        held = [json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("queries/")]
    assert [query["job_id"] for query in held] == [job_id]

    leave = page.get_by_role("button", name="Delete my account")
    name, password = page.get_by_label("Your username, to confirm"), page.get_by_label("Your password, to confirm")
    name.fill("somebody else")
    password.fill(PASSWORD)
    leave.click()
    expect(page.get_by_role("alert").filter(has_text="Type your own username")).to_be_visible()
    name.fill(username)
    password.fill("not this one")
    leave.click()
    expect(page.get_by_role("alert").filter(has_text="This is not your current password.")).to_be_visible()
    assert client.call("GET", "/queries").status_code == 200
    password.fill(PASSWORD)
    leave.click()
    expect(page.get_by_text("Your account and everything of it is deleted.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert client.call("GET", "/queries").status_code == 401 and page.context.cookies() == []
    logs = by_invitation.logs(lines=1_000_000)
    assert "GET" in logs and KEY not in logs and PASSWORD not in logs


def test_invitation_lets_one_person_in(page: Page, by_invitation: Stack) -> None:
    """The first account needs none; then the card asks for one, an admin makes it, and it is good once."""
    admin = sign_up(page, by_invitation)
    go(page)
    page.get_by_role("button", name="Invite somebody").click()
    made = page.get_by_role("status").filter(has_text="The new invitation.")
    invitation = made.locator("code").inner_text()
    expect(entry(page, "Not used yet")).to_contain_text(f"by {admin}")
    sign_out(page)

    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_text("Signing up here takes an invitation. Ask an admin for one.")).to_be_visible()
    page.get_by_label("Invitation").fill(invitation)
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_text("Signed in as grace")).to_be_visible()
    sign_out(page)
    sign_in(page, admin)
    go(page)
    expect(entry(page, "Used by grace")).to_be_visible()
    entry(page, "Used by grace").get_by_role("button", name="Forget").click()
    expect(page.get_by_text("Nobody is invited.")).to_be_visible()

    by_invitation.environment["FOLKMOOT_SIGN_UP"] = "closed"
    by_invitation.stop()
    by_invitation.start()
    page.context.clear_cookies()
    open_page(page, by_invitation)
    expect(page.get_by_text("New accounts are not made here")).to_be_visible()
    expect(page.get_by_role("button", name="Create an account")).to_have_count(0)
    expect(page.get_by_label("Invitation")).to_have_count(0)
