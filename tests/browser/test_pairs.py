"""Two pairs of eyes in a real browser: marked by keyboard without losing a word, assessed by two, told to a lead."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import COPIES, opened_without_worker, visitors_of
from .test_access import sideways, violations

pytestmark = pytest.mark.browser

WHOLE_HOLD = "00:09"
MAKE = (
    """
from accounts.models import User
from tests import factories
artist = User.objects.get(email="artist@example.com")
factories.submission(artist=artist, title="Not yet marked")
factories.marked(factories.submission(artist=artist, title="A satire"), "criticism", why="It is about us.")
for role, name in (("reviewer", "second"), ("lead", "lead")):
    person = factories.member(role, email=f"{name}@example.com", name=f"{name.title()} Person")
    person.set_password("browser-Suite-2026")
    person.save()
"""
    + COPIES
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with opened_without_worker(tmp_path_factory.mktemp("pairs"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, desk):
    with visitors_of(desk, chromium) as come:
        yield come


def sound(page):
    assert violations(page) == []
    assert not sideways(page)


def enter(page):
    page.goto("/desk/")
    page.locator(".desk-item", has_text="Not yet marked").get_by_role("button", name="Claim").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Not yet marked")


def refuse(page, note):
    page.locator("#decision-form [name=note]").fill(note)
    page.get_by_label("Hatred").check()
    page.get_by_role("button", name="Refuse", exact=True).click()
    page.clock.fast_forward(WHOLE_HOLD)
    page.wait_for_url(re.compile(r"/desk/$"))


def test_from_the_mark_to_the_decision(come, tmp_path):
    first, second = come("reviewer"), come("second", width=390, height=844, scheme="light")
    for page in (first, second):
        page.clock.install()
    enter(first)
    room = first.url
    # Half a decision is written, remark and all, before it shows that this takes two.
    first.keyboard.press("n")
    first.locator("[data-remark-row] textarea").fill("Half a remark.")
    first.keyboard.press("Escape")
    first.keyboard.press("t")
    expect(first.locator("#mark")).to_have_attribute("open", "")
    first.keyboard.press("Space")
    first.keyboard.press("Tab")
    first.keyboard.press("Enter")
    expect(first.locator("#mark .field-errors")).to_contain_text("Say why")
    first.locator("#mark [name=why]").fill("Somebody real, perhaps.")
    sound(first)
    first.keyboard.press("Enter")
    expect(first.get_by_role("heading", name="This clip takes two people")).to_be_visible()
    expect(first.get_by_text("You are the first.")).to_be_visible()
    expect(first.get_by_role("heading", name="Your assessment")).to_be_visible()
    expect(first.get_by_text("Marked: it takes two people")).to_be_visible()
    expect(first.locator("#mark")).to_have_count(0)
    assert first.locator("[data-remark-row] textarea").input_value() == "Half a remark."
    first.keyboard.press("t")  # nothing left to say
    sound(first)
    refuse(first, "Of the first.")
    expect(first.get_by_text("decides nothing yet")).to_be_visible()
    expect(first.locator(".desk-item", has_text="Not yet marked")).to_have_count(0)
    first.goto(room)
    expect(first.get_by_text("You have assessed it.")).to_be_visible()
    sound(first)

    second.goto("/desk/?show=two")
    expect(second.locator(".desk-item")).to_have_count(2)
    sound(second)
    enter(second)
    expect(second.get_by_text("You are the second.")).to_be_visible()
    assert "Of the first." not in second.content()
    sound(second)
    refuse(second, "Of the second.")
    second.goto(room)
    expect(second.get_by_role("heading", name="It took two people")).to_be_visible()
    for told in ("Of the first.", "Half a remark.", "Second Person", "Demo Reviewer"):
        expect(second.locator(".assessments")).to_contain_text(told)
    sound(second)


def test_a_lead_reads_that_somebody_is_missing(come, desk):
    desk.manage(
        "shell",
        "-v0",
        "-c",
        "from accounts.models import User, roles\n"
        "admin = User.objects.get(email='admin@example.com')\n"
        "for user in User.objects.filter(membership__role='reviewer'):\n"
        "    roles.change_role(user.membership, 'artist', by=admin)",
    )
    lead = come("lead")
    lead.goto("/desk/")
    expect(lead.get_by_text("1 clip takes two people, and there are too few")).to_be_visible()
    sound(lead)
