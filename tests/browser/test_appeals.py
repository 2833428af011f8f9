"""An appeal from its thread to the public, and a report from a stranger to the page that is gone, in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import WEB, opened_house, visitors_of
from .test_access import sideways, violations
from .test_whole_way import send_now

pytestmark = pytest.mark.browser

TITLE = "A song without an owner"
# A clip that a reviewer has refused and another one can hear about, and the copies that the desk's worker would make.
REFUSED = f"""
from accounts.models import User
from review import gate, making, preparing, queue, sealing
from review.management.commands.seed_demo import generated, member
from generation.engine import catalog
artist = User.objects.get(email="artist@example.com")
other = member("first@example.com", "Rita First", "reviewer", "{{password}}")
clip = generated(artist, catalog.EMBEDDED, "a red balloon over a green field", 7)
sent = sealing.submit(clip, by=artist, title="{TITLE}", statement="It hums.")
making.work()
sent.refresh_from_db()
assert queue.claim(sent, by=other)
gate.decide(sent, by=other, outcome="refuse", content_hash=sent.content_hash, reasons=["rights"],
            note="Say whose song it is.")
"""
COPIES = """
from accounts.models import User
from review import copying, making
from review.models import Submission
for submission in Submission.objects.at_the_desk():
    copying.ask(submission, viewer=User.objects.get(email="reviewer@example.com"))
making.work()
"""


@pytest.fixture(scope="module")
def court(tmp_path_factory):
    from .conftest import PASSWORD

    with opened_house(tmp_path_factory.mktemp("court"), WEB) as made:
        made.manage("shell", "-v0", "-c", REFUSED.replace("{password}", PASSWORD))
        made.manage("shell", "-v0", "-c", COPIES)
        yield made


def looked_at(page, name: str) -> None:
    """Nothing on it shuts anybody out, on a desk and on a phone."""
    found = {}
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        if faults := violations(page) + sideways(page):
            found[name, width] = faults
        if place := os.environ.get("SORAHUB_PICTURES"):
            page.screenshot(path=Path(place, f"{name}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert found == {}


def test_an_appeal_is_heard_upheld_approved_and_public_and_then_a_report_ends_it(court, chromium):
    with visitors_of(court, chromium) as visitor:
        # In the light and in the dark; what is on its way has no contrast to speak of.
        artist = visitor("artist", scheme="light", reduced_motion="reduce")
        reviewer = visitor("reviewer", reduced_motion="reduce")
        stranger = visitor(scheme="light", reduced_motion="reduce")

        # The artist appeals from the refusal's page.
        artist.goto("/studio/")
        artist.locator(".clip-card a").first.click()
        artist.get_by_role("link", name=TITLE).click()
        artist.get_by_text("Appeal, if you think that this is wrong").click()
        looked_at(artist, "may-appeal")
        artist.get_by_label("Why this should be decided otherwise").fill("I sang it myself.")
        artist.get_by_role("button", name="Appeal", exact=True).click()
        expect(artist.get_by_role("heading", name="Your appeal is being heard")).to_be_visible()

        # The reviewer, who had no part, is shown that one waits, claims it and writes.
        reviewer.goto("/desk/")
        reviewer.get_by_role("link", name="Appeals (some are waiting)").click()
        looked_at(reviewer, "desk-appeals")
        reviewer.get_by_role("button", name="Claim").click()
        expect(reviewer.get_by_text("I sang it myself.")).to_be_visible()
        reviewer.get_by_label("Write to the artist").fill("Is there a recording of you?")
        reviewer.get_by_role("button", name="Send").click()
        looked_at(reviewer, "hearing")

        artist.reload()
        expect(artist.get_by_text("Is there a recording of you?")).to_be_visible()
        artist.get_by_label("Your message").fill("There is, from my kitchen.")
        artist.get_by_role("button", name="Send").click()
        looked_at(artist, "thread")

        # Upheld, it is the reviewer's to decide on, in its room.
        reviewer.reload()
        expect(reviewer.get_by_text("There is, from my kitchen.")).to_be_visible()
        reviewer.get_by_role("button", name="Uphold").click()
        expect(reviewer.get_by_text("An appeal opened this version")).to_be_visible()
        looked_at(reviewer, "room")
        reviewer.get_by_role("button", name="Approve", exact=True).click()
        send_now(reviewer)

        artist.reload()
        expect(artist.get_by_role("heading", name="Your appeal was upheld")).to_be_visible()
        looked_at(artist, "upheld")
        artist.get_by_role("link", name="See how it stands").click()
        artist.get_by_role("button", name="Publish").click()
        expect(artist.get_by_role("link", name="See its page")).to_be_visible()

        # A stranger reports it, and at first not well.
        stranger.goto("/")
        stranger.get_by_role("link", name=TITLE).click()
        public = stranger.url
        stranger.get_by_text("Report", exact=True).click()
        looked_at(stranger, "watch")
        stranger.get_by_label("What is wrong with it").select_option("other")
        stranger.get_by_label("Your e-mail address").fill("stranger@example.org")
        stranger.get_by_role("button", name="Send the report").click()
        expect(stranger.get_by_text("Say in a few words what is wrong with it.")).to_be_visible()
        expect(stranger.get_by_label("Your e-mail address")).to_have_value("stranger@example.org")
        looked_at(stranger, "report")
        stranger.get_by_label("In your words").fill("It is my kitchen.")
        stranger.get_by_role("button", name="Send the report").click()
        expect(stranger.get_by_role("heading", name="Thank you")).to_be_visible()
        looked_at(stranger, "thanks")

        # The reviewer takes it down, and its page says why.
        reviewer.goto("/desk/?show=reports")
        looked_at(reviewer, "desk-reports")
        reviewer.get_by_role("button", name="Claim").click()
        expect(reviewer.get_by_text("It is my kitchen.")).to_be_visible()
        looked_at(reviewer, "inquiry")
        reviewer.get_by_label("Your words").fill("It shows somebody’s home.")
        reviewer.get_by_role("button", name="Take it down").click()
        expect(reviewer.get_by_text("Every report on this clip is answered.")).to_be_visible()
        assert stranger.goto(public).status == 410
        expect(stranger.get_by_text("It shows somebody’s home.")).to_be_visible()
        looked_at(stranger, "gone")
