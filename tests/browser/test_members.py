"""Admins at work in a real browser, with what they do wrong: themselves, the wrong one, twice, and from an old page."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import PASSWORD, opened_without_worker, visitors_of

pytestmark = pytest.mark.browser

MAKE = f"""
from accounts.models import Membership
from tests import factories
for number in range(5):
    made = factories.member(name=f"Member {{number}}", email=f"member{{number}}@example.com")
    made.set_password("{PASSWORD}")
    made.save()
second = factories.member("admin", name="Second Admin", email="second@example.com")
second.set_password("{PASSWORD}")
second.save()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A house with two admins and some members; nothing is made in it, so that no worker is needed."""
    with opened_without_worker(tmp_path_factory.mktemp("program"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, program):
    with visitors_of(program, chromium) as come:
        yield come


@pytest.fixture
def office(come):
    return come("admin")


def open_member(page, name: str) -> str:
    page.goto("/program/members/")
    page.fill("[name=q]", name)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return page.url


def unfold(page, title: str):
    fold = page.locator("details", has=page.locator("summary", has_text=re.compile(f"^{title}$")))
    fold.locator("summary").click()
    return fold


def test_a_suspension_from_the_first_click_to_the_lift(come, office):
    member = come("member0")
    member.goto("/studio/")
    open_member(office, "Member 0")
    fold = unfold(office, "Suspend")
    fold.get_by_role("button", name="Suspend").click()  # with no reason yet
    expect(office.get_by_text("Say why: the member will read it")).to_be_visible()
    office.fill("[name=reason] >> visible=true", "Too many flags on your takes.")
    office.locator("details[open]").get_by_role("button", name="Suspend").dblclick()
    expect(office.locator(".page-header")).to_contain_text("Suspended")
    expect(office.locator(".timeline-title", has_text="Suspended")).to_have_count(1)

    member.reload()
    expect(member).to_have_url(re.compile("/accounts/login/"))
    member.fill("[name=login]", "member0@example.com")
    member.fill("[name=password]", PASSWORD)
    member.click("main button[type=submit]")
    member.wait_for_url("**/standing/")
    expect(member.get_by_text("Too many flags on your takes.")).to_be_visible()
    member.goto("/studio/")
    expect(member).to_have_url(re.compile("/standing/$"))
    member.fill("[name=text]", "They were tests, agreed with the team.")
    member.get_by_role("button", name="Object").dblclick()
    expect(member.get_by_text("They were tests, agreed with the team.")).to_be_visible()
    expect(member.locator("[name=text]")).to_have_count(0)

    office.goto("/program/")
    office.get_by_role("link", name="Member 0").first.click()
    expect(office.get_by_text("They object to the suspension")).to_be_visible()
    unfold(office, "Answer the objection")
    office.fill("[name=text]", "Nobody here remembers that.")
    office.get_by_role("button", name="Send the answer").click()
    member.reload()
    expect(member.get_by_text("Nobody here remembers that.")).to_be_visible()

    old = office.context.new_page()  # where the suspension is still in force when the button is pressed
    old.goto(office.url)
    for page in (office, old):
        unfold(page, "Lift the suspension")
        page.get_by_role("button", name="Lift it").click()
        expect(page.locator(".page-header")).to_contain_text("Active")
    expect(office.locator(".timeline-title", has_text="Suspension lifted")).to_have_count(1)
    member.goto("/studio/")
    expect(member).to_have_url(re.compile("/studio/$"))


def test_a_role_is_changed_once_and_never_one_s_own(come, office):
    there = open_member(office, "Member 1")
    unfold(office, "Change the role")
    office.get_by_label("Reviewer", exact=True).check()
    office.get_by_role("button", name="Change the role").dblclick()
    expect(office.locator(".page-header")).to_contain_text("Reviewer")
    office.go_back()  # shows how things stand, not how they stood
    office.goto(there)
    expect(office.locator(".timeline-title", has_text="Role changed")).to_have_count(1)
    reviewer = come("member1")
    expect(reviewer).to_have_url(re.compile("/desk/$"))

    office.goto("/program/members/?q=admin@example.com")
    office.locator(".rows-title a").first.click()
    expect(office.get_by_text("This is you")).to_be_visible()
    for name in ("Suspend", "Change the role"):
        expect(office.locator("summary", has_text=re.compile(f"^{name}$"))).to_have_count(0)
    expect(office.get_by_role("link", name="End the membership …")).to_have_count(0)


def test_an_admin_who_was_demoted_meanwhile_finds_the_door_closed(come, office):
    second = come("second")
    open_member(second, "Member 2")
    unfold(second, "Change the role")
    second.get_by_label("Admin").check()
    open_member(office, "Second Admin")
    unfold(office, "Change the role")
    office.get_by_label("Artist").check()
    office.get_by_role("button", name="Change the role").click()
    expect(office.locator(".page-header")).to_contain_text("Artist")
    second.get_by_role("button", name="Change the role").click()
    expect(second).to_have_url(re.compile("/accounts/login/"))
    open_member(office, "Member 2")
    expect(office.locator(".page-header")).to_contain_text("Artist")


def test_ending_asks_to_type_whom(come, office):
    open_member(office, "Member 3")
    office.get_by_role("link", name="End the membership …").click()
    there = office.url
    office.fill("[name=reason]", "You asked to leave.")
    office.fill("[name=email]", "member4@example.com")  # the wrong one
    office.get_by_role("button", name="End it for good").click()
    expect(office.get_by_text("This isn’t this member’s address.")).to_be_visible()
    expect(office.locator("[name=reason]")).to_have_value("You asked to leave.")
    office.fill("[name=email]", " Member3@Example.com ")
    office.get_by_role("button", name="End it for good").dblclick()
    expect(office.locator(".page-header")).to_contain_text("Ended")
    expect(office.locator(".timeline-title", has_text="Membership ended")).to_have_count(1)
    office.goto(there)
    expect(office.get_by_text("This membership can’t be ended by you")).to_be_visible()
    gone = come("member3")
    expect(gone).to_have_url(re.compile("/standing/$"))
    expect(gone.get_by_text("You asked to leave.")).to_be_visible()
    expect(gone.locator("main form")).to_have_count(0)
    other = come("member4")  # whose address was typed by mistake
    expect(other).to_have_url(re.compile("/studio/$"))


def test_a_cohort_with_its_allowance_and_a_grant(come, office):
    office.goto("/program/cohorts/new/")
    office.fill("[name=name]", "Spring")
    office.fill("[name=allowance]", "-5")
    office.get_by_role("button", name="Make it").click()
    expect(office.locator("[name=name]")).to_have_value("Spring")
    expect(office.locator(".field-errors")).to_be_visible()
    office.fill("[name=allowance]", "600")
    office.get_by_role("button", name="Make it").dblclick()
    expect(office.get_by_role("heading", level=1)).to_have_text("Spring")
    office.goto("/program/cohorts/")
    expect(office.locator(".rows-title", has_text="Spring")).to_have_count(1)

    open_member(office, "Member 4")
    unfold(office, "Move to another cohort")
    office.select_option("select[name=cohort]", label="Spring")
    office.get_by_role("button", name="Move", exact=True).click()
    expect(office.locator(".figures")).to_contain_text("600")
    unfold(office, "Grant GPU seconds")
    office.fill("[name=seconds]", "60")
    office.get_by_role("button", name="Grant", exact=True).dblclick()
    expect(office.locator(".figures")).to_contain_text("660")
    office.get_by_role("link", name="All ledger entries").click()
    expect(office.locator("tbody tr")).to_have_count(2)
    with office.expect_download() as download:
        office.get_by_role("link", name="As CSV").click()
    assert download.value.path().read_text().count("member4@example.com") == 2
    member = come("member4")
    member.goto("/allowance/")
    expect(member.get_by_text("660 GPU seconds are left.")).to_be_visible()


def test_the_pause_is_seen_in_the_studio_and_undone(come, office):
    member = come("member4")
    member.goto("/studio/")
    member.fill("textarea[name=prompt]", "a test card")
    office.goto("/program/")
    unfold(office, "Pause the program")
    office.fill("[name=reason]", "The graphics cards move house.")
    office.get_by_role("button", name="Pause the program").dblclick()
    expect(office.get_by_role("heading", name="Paused")).to_be_visible()
    member.get_by_role("button", name="Generate").click()  # on a page from before the pause
    expect(member.locator(".form-errors")).to_contain_text("The program is paused")
    expect(member.locator("textarea[name=prompt]")).to_have_value("a test card")
    member.goto("/studio/")
    expect(member.get_by_text("The graphics cards move house.")).to_be_visible()
    expect(member.get_by_role("button", name="Generate")).to_be_disabled()
    office.get_by_role("button", name="Let it go on").dblclick()
    expect(office.locator("summary", has_text="Pause the program")).to_be_visible()
    member.goto("/studio/")
    expect(member.get_by_text("The program is paused")).to_have_count(0)
    office.goto("/program/audit/?act=program.paused")
    expect(office.locator(".rows-title")).to_have_count(1)
    office.get_by_role("button", name="Check the chain").click()
    expect(office.get_by_text("The chain is whole")).to_be_visible()


def test_without_javascript_an_admin_can_do_it_all_the_same(come):
    office = come("admin", java_script_enabled=False)
    office.goto("/program/members/?q=member1@example.com")
    office.get_by_role("link", name="Member 1").click()
    unfold(office, "Suspend")
    office.fill("[name=reason] >> visible=true", "A rehearsal.")
    office.locator("details[open]").get_by_role("button", name="Suspend").click()
    expect(office.locator(".page-header")).to_contain_text("Suspended")
