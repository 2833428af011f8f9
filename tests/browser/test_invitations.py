"""Admins invite in a real browser, with all that a hurried admin does wrong; and who is invited comes in."""

import re

import pytest
from playwright.sync_api import expect

from .test_access import violations

pytestmark = pytest.mark.browser

LIST, NEW, MANY = "/program/invitations/", "/program/invitations/new/", "/program/invitations/many/"
SOON = 20_000  # milliseconds for a worker that may be busy with a clip


def listed(page, words: str) -> list[str]:
    page.goto(f"{LIST}?q={words}")
    return page.locator(".rows-title").all_inner_texts()


def look_at(page, text: str, cohort="Browser") -> None:
    page.goto(MANY)
    page.fill("[name=text]", text)
    page.fill("[name=cohort]", cohort)
    page.get_by_role("button", name="See what would be sent").click()
    expect(page.get_by_role("heading", name=re.compile("would be invited"))).to_be_visible()


def test_who_gets_the_link_comes_in_and_the_admin_sees_it(visitor):
    admin, guest = visitor("admin"), visitor()
    admin.goto(NEW)
    admin.fill("[name=email]", "guest@example.org")
    admin.fill("[name=cohort]", "Browser")
    admin.fill("[name=note]", "Come & play")
    admin.get_by_label("Show me the link").check()
    admin.get_by_role("button", name="Invite", exact=True).click()
    link = admin.get_by_label("Link").input_value()
    assert violations(admin) == []
    admin.get_by_role("button", name="Copy").click()
    expect(admin.get_by_role("button", name="Copied")).to_be_visible()
    admin.get_by_role("link", name="Go on").click()
    assert link not in admin.content()

    guest.goto(link)
    expect(guest.get_by_text("Come & play")).to_be_visible()
    guest.fill("[name=name]", "Greta Guest")
    guest.fill("[name=password]", "quite-a-long-password")
    guest.get_by_role("button", name="Join").click()
    guest.wait_for_url(re.compile("/studio/"))
    admin.goto(f"{LIST}?q=greta")
    expect(admin.get_by_text("as Greta Guest")).to_be_visible()
    expect(admin.get_by_text("Accepted", exact=True).last).to_be_visible()


def test_a_worker_mails_the_invitation_and_it_can_be_mailed_again_and_taken_back(visitor):
    admin = visitor("admin")
    admin.goto(NEW)
    admin.fill("[name=email]", "mailed@example.org")
    admin.fill("[name=cohort]", "Browser")
    admin.get_by_role("button", name="Invite", exact=True).click()
    expect(admin.get_by_text("is invited; the mail is on its way")).to_be_visible()
    mailed = admin.get_by_text("Mail handed to the mail server")
    for _look in range(SOON // 500):
        if mailed.count():
            break
        admin.wait_for_timeout(500)
        admin.reload()
    expect(mailed).to_be_visible()

    other_tab = admin.context.new_page()
    other_tab.goto(admin.url)
    admin.get_by_role("button", name="Mail it again").dblclick()
    expect(admin.get_by_text("A mail with a new link is on its way.")).to_be_visible()
    other_tab.get_by_role("button", name="Mail it again").click()
    expect(other_tab.get_by_text("This invitation was renewed a moment ago.")).to_be_visible()
    admin.get_by_role("button", name="Take it back").click()
    expect(admin.get_by_text("is taken back.")).to_be_visible()
    other_tab.get_by_role("button", name="Take it back").click()
    expect(other_tab.get_by_role("button", name="Mail it again")).to_have_count(0)


def test_a_member_and_the_same_address_twice_are_told_and_the_form_stays(visitor):
    admin = visitor("admin")
    admin.goto(NEW)
    admin.fill("[name=cohort]", "Browser")
    admin.fill("[name=note]", "My words")
    admin.fill("[name=email]", "Artist@example.com")
    admin.get_by_role("button", name="Invite", exact=True).click()
    expect(admin.get_by_text("Already a member.")).to_be_visible()
    assert admin.input_value("[name=note]") == "My words"
    admin.goto(NEW)
    admin.fill("[name=cohort]", "Browser")
    admin.fill("[name=email]", "once@example.org")
    admin.get_by_role("button", name="Invite", exact=True).click()
    expect(admin.get_by_text("once@example.org is invited")).to_be_visible()
    # Back to the form, and the same person again.
    admin.go_back()
    admin.fill("[name=email]", "once@example.org")
    admin.fill("[name=cohort]", "Browser")
    admin.get_by_role("button", name="Invite", exact=True).click()
    admin.get_by_role("link", name="Open the invitation that there is").click()
    expect(admin.get_by_role("heading", name="once@example.org")).to_be_visible()
    assert listed(admin, "once@") == ["once@example.org"]


WRONG = """Name;E-Mail;Role
Grace;grace@example.org;reviewer
Ken;ken(at)example.org;artist
Grace again;GRACE@example.org;
A member;artist@example.com;
Barbara;barbara@example.org;queen
"""


def test_a_wrong_csv_is_told_line_by_line_mended_in_place_and_then_sent(visitor):
    admin = visitor("admin")
    admin.goto(MANY)
    admin.fill("[name=cohort]", "Browser")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": WRONG.encode("utf-8-sig")}
    admin.set_input_files("[name=file]", file)
    admin.get_by_role("button", name="See what would be sent").click()
    expect(admin.get_by_role("heading", name="1 person would be invited")).to_be_visible()
    expect(admin.get_by_role("heading", name="4 lines would be left out")).to_be_visible()
    told = admin.locator("#dry-run .note-error li").all_inner_texts()
    assert [line.splitlines()[1] for line in told] == [
        "This is not an e-mail address.",
        "Twice in the list: it is also on line 2.",
        "Already a member.",
        "“queen” is no role here. Write artist, reviewer or admin.",
    ]
    assert [line.split()[1] for line in told] == ["3", "4", "5", "6"]
    admin.get_by_text("Who", exact=True).click()
    assert violations(admin) == []
    mended = admin.input_value("[name=text]").replace("(at)", "@").replace("queen", "artist")
    admin.fill("[name=text]", mended)
    # Enter in a field looks again, and doesn't send.
    admin.locator("[name=cohort]").press("Enter")
    expect(admin.get_by_role("heading", name="3 people would be invited")).to_be_visible()
    assert admin.url.endswith(MANY)
    admin.get_by_role("button", name="Invite the 3 good ones, leave out the rest").click()
    expect(admin.get_by_text("3 people are invited")).to_be_visible()
    assert admin.locator(".rows-title").all_inner_texts() == [
        "barbara@example.org",
        "grace@example.org",
        "ken@example.org",
    ]


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_invites_once(visitor, script):
    # Without a script nothing holds the second click back, and the server knows it.
    admin = visitor("admin", java_script_enabled=script)
    name = "script" if script else "plain"
    look_at(admin, f"{name}1@example.org\n{name}2@example.org")
    admin.get_by_role("button", name="Invite 2 people").dblclick()
    admin.wait_for_url(re.compile("batch="))
    assert listed(admin, f"{name}1") == [f"{name}1@example.org"]
    assert listed(admin, f"{name}2") == [f"{name}2@example.org"]


def test_back_after_sending_shows_the_list_as_it_stands_now(visitor):
    admin = visitor("admin")
    look_at(admin, "back@example.org")
    admin.get_by_role("button", name="Invite 1 person").click()
    expect(admin.get_by_text("1 person is invited")).to_be_visible()
    admin.evaluate("history.back()")
    admin.wait_for_timeout(500)
    admin.reload()  # the browser keeps no such page: it asks, and sends the question again
    expect(admin.get_by_role("heading", name="Nobody would be invited")).to_be_visible()
    expect(admin.get_by_text("Already invited on")).to_be_visible()
    assert listed(admin, "back@") == ["back@example.org"]


def test_somebody_else_was_quicker(visitor):
    first, second = visitor("admin"), visitor("admin")
    for page in (first, second):
        look_at(page, "race1@example.org\nrace2@example.org")
    first.get_by_role("button", name="Invite 2 people").click()
    expect(first.get_by_text("2 people are invited")).to_be_visible()
    second.get_by_role("button", name="Invite 2 people").click()
    expect(second.get_by_text("Nothing was sent:")).to_be_visible()
    assert second.input_value("[name=text]").split() == ["race1@example.org", "race2@example.org"]


def test_a_test_mail_says_where_it_went(visitor):
    admin = visitor("admin")
    admin.goto(LIST)
    admin.get_by_role("button", name="Send me a test").click()
    expect(admin.get_by_text("The test was printed by the web server")).to_be_visible()
