"""What waits for a desk worker, in a real browser: the page of who sent it and the room both go on by themselves."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import opened_without_worker, visitors_of
from .test_access import sideways, violations

pytestmark = pytest.mark.browser

MAKE = """
from accounts.models import User
from review import sealing
from tests import factories
artist = User.objects.get(email="artist@example.com")
sealing.submit(factories.clip(artist), by=artist, title="On its way", statement="A statement.")
"""
WORK = "from review import making; making.work()"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with opened_without_worker(tmp_path_factory.mktemp("preparing"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, desk):
    with visitors_of(desk, chromium) as come:
        yield come


def test_a_submission_and_its_room_go_on_by_themselves_once_a_worker_has_come_by(come, desk):
    artist, reviewer = come("artist"), come("reviewer")
    artist.goto("/studio/")
    expect(artist.locator(".badge", has_text="Being prepared")).to_be_visible()
    artist.get_by_role("link", name=re.compile("a test card")).first.click()
    artist.get_by_role("link", name="On its way").click()
    expect(artist.get_by_role("heading", name="Being prepared for review")).to_be_visible()
    assert violations(artist) == []
    assert not sideways(artist)
    desk.manage("shell", "-v0", "-c", WORK)
    expect(artist.get_by_role("heading", name="Next to be reviewed")).to_be_visible(timeout=20_000)

    reviewer.goto("/desk/")
    reviewer.get_by_role("button", name="Review the next one").click()
    expect(reviewer.get_by_text("Your copy of the video is being made")).to_be_visible()
    expect(reviewer.locator("video")).to_have_count(0)
    assert violations(reviewer) == []
    assert not sideways(reviewer)
    reviewer.get_by_label(re.compile("Note")).first.fill("What I was about to say.")
    desk.manage("shell", "-v0", "-c", WORK)
    expect(reviewer.locator("video")).to_be_visible(timeout=20_000)
    expect(reviewer.get_by_label(re.compile("Note")).first).to_have_value("What I was about to say.")
    reviewer.locator("video").evaluate(
        "video => new Promise(done => { video.onloadeddata = done; video.load(); })"
    )
