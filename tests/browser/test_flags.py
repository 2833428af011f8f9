"""What a machine flagged, kept from the eyes until a reviewer lifts it; and a prompt that a rule stops, with a way to
object."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import COPIES, opened_without_worker, visitors_of
from .test_access import sideways, violations
from .test_room_keys import until

pytestmark = pytest.mark.browser

MAKE = (
    """
from accounts.models import User
from tests import factories
artist, admin = (User.objects.get(email=f"{who}@example.com") for who in ("artist", "admin"))
before = factories.submission(artist=artist, title="An earlier one")
factories.decision(before, "refuse")
factories.flagged("picture", "words", "duplicate", of=before.clip, title="Under a veil")
factories.submission(artist=artist, title="A plain one")
factories.word_rule("forbidden", by=admin, name="Weapons", sentence="Weapons aimed at people aren't made here.")
factories.word_rule("ri*fle", by=admin, name="Rifles", does="flag")
"""
    + COPIES
)
FILTER = "getComputedStyle(document.querySelector('.player-video')).filter"


@pytest.fixture(scope="module")
def house_with_flags(tmp_path_factory):
    with opened_without_worker(tmp_path_factory.mktemp("flags"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, house_with_flags):
    with visitors_of(house_with_flags, chromium) as come:
        yield come


def looked_at(page) -> None:
    assert violations(page) == []
    assert not sideways(page)


def test_a_flagged_clip_is_veiled_and_lifted_by_key_and_button(come):
    page = come("reviewer")
    page.goto("/desk/")
    expect(page.locator(".desk-item")).to_have_count(2)
    first = page.locator(".desk-item").first
    expect(first).to_contain_text("Under a veil")
    expect(first).to_contain_text("Flagged")
    assert "blur" in first.locator("img").evaluate("image => getComputedStyle(image).filter")
    looked_at(page)
    first.get_by_role("link", name="Under a veil").click()
    until(page, "document.querySelector('video').readyState >= 2")
    assert page.evaluate(FILTER) == "blur(24px) grayscale(1)"
    assert page.evaluate("document.querySelector('video').muted")
    looked_at(page)
    page.keyboard.press("v")
    assert page.evaluate(FILTER) == "grayscale(1)"
    expect(page.get_by_role("button", name="Blur")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Gray").click()
    assert page.evaluate(FILTER) == "none"
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Muted")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("v")
    assert page.evaluate(FILTER) == "blur(24px)", "and laid again"
    page.get_by_role("button", name="frame 4").click()
    expect(page.locator("[data-told]")).to_have_text("Frame 4 of 12")
    page.locator("a", has_text="Side by side").first.click()
    expect(page.locator(".compare-side")).to_have_count(2)
    filters = "[...document.querySelectorAll('.compare-side .player-video')].map(each => getComputedStyle(each).filter)"
    assert page.evaluate(filters) == ["none", "blur(24px) grayscale(1)"]
    page.goto("/desk/comfort/")
    looked_at(page)
    page.get_by_label("Blurred").uncheck()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.go_back()
    page.goto("/desk/")
    assert (
        page.locator(".desk-item img").first.evaluate("image => getComputedStyle(image).filter")
        == "grayscale(1)"
    )


def test_without_a_script_it_is_veiled_too_and_a_link_lifts_it(come):
    page = come("reviewer")
    page.goto("/desk/")
    room = page.get_by_role("link", name="Under a veil").get_attribute("href")
    still = come("reviewer", java_script_enabled=False)
    still.goto(room)
    expect(still.locator("[data-veil-gray=on]")).to_have_count(1)
    still.get_by_role("link", name="Show it as it is").click()
    expect(still.locator("[data-veil-gray=on]")).to_have_count(0)


def test_a_stopped_prompt_is_objected_to_and_passes_once_an_admin_agrees(come):
    artist, admin = come("artist", width=390), come("admin")
    artist.goto("/studio/")
    artist.fill("[name=prompt]", "the forbidden city at dawn")
    artist.get_by_role("button", name="Generate").click()
    expect(artist.get_by_role("alert")).to_contain_text("Weapons aimed at people")
    artist.get_by_text("Is this a mistake?").click()
    artist.get_by_label("Why should these words pass?").fill("It is a palace in Beijing.")
    looked_at(artist)
    artist.get_by_role("button", name="Send the objection").click()
    expect(artist.get_by_text("Waits for an admin")).to_be_visible()
    looked_at(artist)
    admin.goto("/program/rules/")
    looked_at(admin)
    admin.get_by_role("link", name=re.compile("1 objection")).click()
    expect(admin.get_by_text("the forbidden city at dawn")).to_be_visible()
    admin.get_by_label("Answer").fill("Of course: it is a place.")
    looked_at(admin)
    admin.get_by_role("button", name="Let these words pass").click()
    expect(admin.get_by_text("Nothing waits for an answer")).to_be_visible()
    admin.goto("/program/rules/new/")
    admin.get_by_label("Words and phrases").fill("*")
    admin.get_by_role("button", name="Make the rule").click()
    expect(admin.get_by_text("found everywhere or nowhere")).to_be_visible()
    looked_at(admin)
    artist.goto("/studio/objections/")
    expect(artist.get_by_text("Of course: it is a place.")).to_be_visible()
    artist.goto("/studio/")
    artist.get_by_role("button", name="Generate").click()
    artist.wait_for_url(re.compile(r"/studio/jobs/[\w-]+/$"))
