"""What an artist allows, in a real browser: the form, the set time, the veil, a use, and taking it all back."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import opened_without_worker, visitors_of
from .test_access import SIGHTS, sideways, violations

pytestmark = pytest.mark.browser

MAKE = """
from accounts.models import User
from tests import factories
artist = User.objects.get(email="artist@example.com")
admin = User.objects.get(email="admin@example.com")
factories.clip(artist, "a red balloon")
warned = {"warning_kinds": ["flashing"], "warning_line": "A loud bang at the end."}
for title, more in (("Letting go", {}), ("Thunder", warned)):
    words = {"consents": ["press", "training"], "credit": "Nightjar", "credits": "Ada Example, music"}
    submission = factories.submission(artist=artist, title=title, publish_on_approval=True, **words)
    factories.decision(submission, **more)
"""
SETTLED = """async () => {  // colors that change slide into each other
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const sliding = document.getAnimations().filter(each => each instanceof CSSTransition);
    await Promise.all(sliding.map(each => each.finished.catch(() => null)));
}"""
PREPARE = """
from tests import factories
from review.models import Submission
factories.prepared(Submission.objects.filter(content_hash=None).get())
"""
APPROVE = """
from tests import factories
from review.models import Submission
factories.decision(Submission.objects.get(title="At dusk"))
"""


@pytest.fixture(scope="module")
def consented(tmp_path_factory):
    with opened_without_worker(tmp_path_factory.mktemp("consented"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, consented):
    with visitors_of(consented, chromium) as come:
        yield come


def inspect(page) -> None:
    """In all sights: nobody is shut out, and nothing runs off the screen."""
    for width, scheme in SIGHTS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED)
        assert violations(page) + sideways(page) == [], (page.url, width, scheme)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")


def test_what_a_visitor_is_warned_of_is_veiled_until_they_choose_without_a_script_too(come):
    for options in ({}, {"java_script_enabled": False}):
        visitor = come(**options)
        visitor.goto("/")
        card = visitor.locator("article", has_text="Thunder")
        expect(card.get_by_text("A loud bang at the end.")).to_be_visible()
        assert card.locator("img").evaluate("img => getComputedStyle(img).filter").startswith("blur")
        if not options:
            inspect(visitor)
        card.get_by_role("link").click()
        expect(visitor.locator("video")).to_have_count(0)
        if not options:
            inspect(visitor)
        visitor.get_by_role("link", name="Show it").click()
        expect(visitor.locator("video")).to_be_visible()
        visitor.get_by_role("link", name="Hide it again").click()
        expect(visitor.locator("video")).to_have_count(0)
    visitor.get_by_role("link", name="Nightjar").click()
    expect(visitor.get_by_role("link", name="Letting go")).to_be_visible()


def test_from_the_form_to_the_last_trace(come, consented):
    artist, admin, visitor = come("artist", timezone_id="Asia/Tokyo"), come("admin"), come()
    artist.goto("/studio/")
    artist.locator("a[href^='/studio/clips/']", has_text="a red balloon").first.click()
    artist.get_by_label("Title").fill("At dusk")
    artist.get_by_label("Also credited").fill("Ben Example, voice")
    artist.get_by_label("Press.").check()
    expect(artist.locator("[data-zone]")).to_have_text("Asia/Tokyo")
    artist.get_by_label("Publish at a set time").fill("2020-01-01T18:00")
    artist.get_by_role("button", name="Submit for review").click()
    expect(artist.get_by_text("This time is past already").first).to_be_visible()
    expect(artist.get_by_label("Press.")).to_be_checked()
    inspect(artist)
    day = artist.evaluate("new Date(Date.now() + 3 * 864e5).toISOString().slice(0, 10)")
    artist.get_by_label("Publish at a set time").fill(f"{day}T18:00")
    artist.get_by_role("button", name="Submit for review").click()
    artist.wait_for_url(re.compile(r"/studio/submissions/"))
    expect(artist.get_by_text("(Asia/Tokyo)")).to_be_visible()
    consented.manage("shell", "-v0", "-c", PREPARE)
    expect(artist.get_by_text("Next to be reviewed")).to_be_visible(
        timeout=30_000
    )  # the page has noticed by itself
    consented.manage("shell", "-v0", "-c", APPROVE)
    artist.reload()
    inspect(artist)
    artist.get_by_role("button", name="Call it off").click()
    expect(artist.get_by_text("Called off. It goes public when you publish it.")).to_be_visible()
    artist.get_by_role("button", name="Publish", exact=True).click()
    expect(artist.get_by_role("link", name="See its page")).to_be_visible()

    admin.goto("/program/uses/?use=press")
    row = admin.locator("li", has=admin.get_by_role("link", name="At dusk"))
    row.get_by_text("Record a use").click()
    row.get_by_role("button", name="Record it").click()
    expect(row.get_by_text("Say where: the artist will read it.")).to_be_visible()
    inspect(admin)
    row.get_by_label("Where it was used").fill("https://example.com/a-story")
    row.get_by_role("button", name="Record it").click()
    expect(admin.get_by_text("Recorded. Its artist sees it")).to_be_visible()

    artist.goto("/inbox/")
    artist.get_by_role("link", name="The program has used a clip of yours").click()
    expect(artist.get_by_role("link", name="https://example.com/a-story")).to_be_visible()
    public = artist.get_by_role("link", name="See its page").get_attribute("href")
    page = visitor.goto(public)
    assert page.status == 200
    expect(visitor.get_by_text("Ben Example")).to_be_visible()
    artist.get_by_text("Revoke the gallery").click()
    expect(artist.get_by_text("takes the clip down at once and for good")).to_be_visible()
    inspect(artist)
    artist.get_by_role("button", name="Revoke, and take it down").click()
    expect(artist.get_by_text("Nothing of it is public any more")).to_be_visible()
    for name in ("", "video.mp4", "poster.jpg", "sprite.jpg"):
        assert visitor.request.get(public + name).status == 410
    visitor.goto("/")
    expect(visitor.get_by_text("At dusk")).to_have_count(0)


def test_how_news_come_by_mail_is_chosen_in_the_inbox(come):
    artist = come("artist")
    artist.goto("/inbox/")
    artist.get_by_label("Once a day").check()
    artist.get_by_role("button", name="Save").click()
    expect(artist.get_by_text("one mail a day tells all news")).to_be_visible()
    expect(artist.get_by_label("Once a day")).to_be_checked()
    inspect(artist)
