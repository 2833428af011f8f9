"""A reviewer's work by keyboard alone, counted in keys; remarks with drawings, from the room to the artist's page."""

import re
import time

import pytest
from playwright.sync_api import expect

from .conftest import COPIES, opened_without_worker, visitors_of
from .test_access import sideways, violations

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("free")]

WHOLE_HOLD = "00:09"
MAKE = (
    """
from accounts.models import User
from tests import factories
artist = User.objects.get(email="artist@example.com")
for number in range(16):
    factories.submission(artist=artist, title=f"Work {number}")
clip = factories.clip(artist)
said = {"first_frame": 2, "last_frame": 4, "text": "Mend this.", "drawing": "box 1000 1000 9000 9000"}
factories.decision(factories.submission(clip, title="The first"), "refuse", said_of_frames=[said])
factories.submission(clip, title="The second")
"""
    + COPIES
)
DECISION = """
from review.models import Decision
made = Decision.objects.filter(submission="{pk}").first()
print(made and (made.outcome, made.reasons, made.note,
    [(each.first_frame, each.last_frame, each.text, each.drawing) for each in made.remarks.all()]))
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    place = tmp_path_factory.mktemp("keys")
    with opened_without_worker(place, MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, desk):
    with visitors_of(desk, chromium) as come:
        yield come


@pytest.fixture
def free(desk):
    desk.manage("shell", "-v0", "-c", "from review.models import Claim; Claim.objects.all().delete()")


@pytest.fixture
def reviewer(come):
    page = come("reviewer")
    page.clock.install()
    return page


def enter(page) -> str:
    page.goto("/desk/")
    page.get_by_role("button", name=re.compile("Review the next one|Go on with your clip")).click()
    expect(page.locator("[data-told]")).to_have_text("Frame 1 of 12")
    until(page, "document.querySelector('video').readyState >= 2")
    return re.search(r"submissions/([^/]+)/", page.url)[1]


def decided(desk, pk):
    return eval(desk.manage("shell", "-v0", "-c", DECISION.format(pk=pk)))


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def sent(page):
    page.clock.fast_forward(WHOLE_HOLD)
    page.wait_for_url(re.compile(r"/desk/$"))


def at_frame(page, number):
    expect(page.locator("[data-told]")).to_have_text(f"Frame {number} of 12")
    until(page, f"players.of(document.querySelector('video')).shown() === {number - 1}")


def until(page, holds: str) -> None:
    """Playwright's own way of waiting for a script is one that our Content Security Policy doesn't allow."""
    for _look in range(200):
        if page.evaluate(holds):
            return
        time.sleep(0.02)
    raise AssertionError(holds)


def test_approved_with_two_keys(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "a", "Enter")
    expect(reviewer.get_by_text("Approving", exact=True)).to_be_visible()
    sent(reviewer)
    assert decided(desk, pk) == ("approve", "", "", [])


def test_a_held_decision_is_undone_or_sent_by_a_key(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "a", "Enter", "1", "n", "r")  # while it is held, other keys do nothing
    expect(reviewer.get_by_text("Approving", exact=True)).to_be_visible()
    press(reviewer, "Escape")
    expect(reviewer.get_by_text("Approving", exact=True)).to_be_hidden()
    assert reviewer.locator("[name=reasons]:checked").count() == 0
    assert reviewer.locator("[data-remark-row]").count() == 0
    press(reviewer, "a", "Enter")
    reviewer.clock.fast_forward("00:01")
    press(reviewer, "s")
    reviewer.wait_for_url(re.compile(r"/desk/$"))
    assert decided(desk, pk)[0] == "approve"


def test_refused_with_a_reason_and_a_frame_in_five_keys(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, ".", ".")
    at_frame(reviewer, 3)
    press(reviewer, "9", "n")  # one, two
    reviewer.keyboard.type("It is black here, and 1 a r x n are only letters.")
    press(reviewer, "Control+Enter", "Enter")  # three (a chord), four
    expect(reviewer.get_by_text("Refusing", exact=True)).to_be_visible()
    sent(reviewer)
    text = "It is black here, and 1 a r x n are only letters."
    assert decided(desk, pk) == ("refuse", "broken", f"Frame 3: {text}", [(3, 3, text, "")])


def test_no_key_acts_while_somebody_types(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "w")
    reviewer.keyboard.type("a1nbgrsc?.,jkl")
    expect(reviewer.locator("[name=note]")).to_have_value("a1nbgrsc?.,jkl")
    assert reviewer.locator("[name=reasons]:checked").count() == 0
    expect(reviewer.locator("#keys")).to_be_hidden()
    at_frame(reviewer, 1)
    press(reviewer, "Escape", "2")
    assert reviewer.locator("[name=reasons]:checked").count() == 1
    assert decided(desk, pk) is None


def test_the_keys_are_shown_and_can_be_switched_off(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "?")
    expect(reviewer.get_by_role("dialog", name="By keyboard")).to_be_visible()
    assert violations(reviewer) + sideways(reviewer) == []
    press(reviewer, "a", "1", ".")
    at_frame(reviewer, 1)
    reviewer.get_by_label("Single keys act").uncheck()
    press(reviewer, "Escape")
    expect(reviewer.locator("#keys")).to_be_hidden()
    reviewer.mouse.move(1, 1)
    press(reviewer, "a", "Enter", "1", "n", ".")
    at_frame(reviewer, 1)
    assert reviewer.locator("[name=reasons]:checked").count() == 0
    reviewer.reload()
    press(reviewer, "1")
    assert reviewer.locator("[name=reasons]:checked").count() == 0
    assert decided(desk, pk) is None
    press(reviewer, "?")
    reviewer.get_by_label("Single keys act").check()


def test_a_box_and_a_line_drawn_by_hand_reach_the_artist(reviewer, come, desk):
    pk = enter(reviewer)
    press(reviewer, "i", ".", ".")
    at_frame(reviewer, 3)
    press(reviewer, "o", "b")
    reviewer.locator("[data-overlay]").hover()  # nothing lies over it, as it does while pages change
    box = reviewer.locator("video").bounding_box()

    def at(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    reviewer.mouse.move(*at(0.25, 0.5))
    reviewer.mouse.down()
    reviewer.mouse.move(*at(0.5, 0.6), steps=3)
    reviewer.mouse.move(*at(0.75, 0.75), steps=3)
    reviewer.mouse.up()
    drawn = reviewer.locator("[data-overlay] rect")
    expect(drawn).to_be_visible()
    reviewer.keyboard.type("This square.")
    press(reviewer, "Escape", "x", "End")
    at_frame(reviewer, 12)
    expect(drawn).to_have_count(0)
    press(reviewer, "z", "g")  # a line on a picture that is twice as large
    reviewer.mouse.move(*at(0.4, 0.4))
    reviewer.mouse.down()
    for step in range(300):
        reviewer.mouse.move(*at(0.4 + step / 1500, 0.4 + (step % 2) / 20))
    reviewer.mouse.up()
    reviewer.keyboard.type("This line.")
    press(reviewer, "Escape", "9", "w")
    reviewer.keyboard.type("Mend both.")
    reviewer.reload()  # and nothing of it is lost
    expect(reviewer.get_by_label("What is to be seen there")).to_have_count(2)
    assert violations(reviewer) + sideways(reviewer) == []
    press(reviewer, "r", "Enter")
    sent(reviewer)
    outcome, _reasons, note, remarks = decided(desk, pk)
    assert (outcome, note, len(remarks)) == ("refuse", "Mend both.", 2)
    first, last, text, drawing = remarks[0]
    assert (first, last, text) == (1, 3, "This square.")
    for got, wanted in zip(map(int, drawing.split()[1:]), (2500, 5000, 7500, 7500), strict=True):
        assert abs(got - wanted) < 60, drawing
    first, last, text, drawing = remarks[1]
    assert (first, last, text) == (12, 12, "This line.")
    numbers = [int(number) for number in drawing.split()[1:]]
    assert 4 <= len(numbers) <= 240
    assert max(numbers) <= 10_000

    artist = come("artist")
    artist.goto(f"/studio/submissions/{pk}/")
    artist.get_by_role("button", name="Frame 12").click()
    at_frame(artist, 12)
    expect(artist.locator("[data-overlay] polyline")).to_be_visible()
    artist.get_by_role("button", name="Frames 1–3").click()
    at_frame(artist, 1)
    seen, film = artist.locator("[data-overlay] rect").bounding_box(), artist.locator("video").bounding_box()
    assert abs((seen["x"] - film["x"]) / film["width"] - 0.25) < 0.03
    assert abs((seen["y"] - film["y"]) / film["height"] - 0.5) < 0.03
    assert abs(seen["width"] / film["width"] - 0.5) < 0.03
    expect(artist.get_by_text("Looping 1–3")).to_be_visible()
    assert violations(artist) + sideways(artist) == []


def test_a_box_by_keyboard(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "b", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Enter")
    reviewer.keyboard.type("Here.")
    press(reviewer, "Escape")
    at_frame(reviewer, 1)
    press(reviewer, "1", "r", "Enter")
    sent(reviewer)
    assert decided(desk, pk)[3] == [(1, 1, "Here.", "box 2800 2800 7000 6800")]


def test_a_drawing_is_dropped_and_a_remark_removed(reviewer):
    enter(reviewer)
    press(reviewer, "b", "Escape")
    expect(reviewer.locator("[name$=-drawing]").first).to_have_value("")
    reviewer.get_by_role("button", name="Remove").click()
    assert reviewer.locator("[data-remark-row]").count() == 0
    expect(reviewer.locator("[name$=-TOTAL_FORMS]")).to_have_value("0")


def test_a_remark_that_is_refused_comes_back_marked(reviewer, desk):
    pk = enter(reviewer)
    press(reviewer, "1", "n")
    reviewer.keyboard.type("Beyond.")
    reviewer.get_by_label("Frame", exact=True).last.fill("13")
    press(reviewer, "Control+Enter", "Enter")
    sent_at_once = reviewer.get_by_text("This clip has 12 frames.")
    reviewer.clock.fast_forward(WHOLE_HOLD)
    expect(sent_at_once).to_be_visible()
    expect(reviewer.get_by_label("What is to be seen there")).to_have_value("Beyond.")
    assert violations(reviewer) + sideways(reviewer) == []
    assert decided(desk, pk) is None


def test_without_javascript_there_are_plain_fields(come, desk):
    page = come("reviewer", java_script_enabled=False)
    page.goto("/desk/")
    page.get_by_role("button", name=re.compile("Review the next one|Go on with your clip")).click()
    pk = re.search(r"submissions/([^/]+)/", page.url)[1]
    page.get_by_text("Remarks on frames").click()
    page.locator(".remarking").get_by_label("Frame", exact=True).nth(0).fill("4")
    page.get_by_label("to frame").nth(0).fill("6")
    page.get_by_label("What is to be seen there").nth(0).fill("It flickers.")
    page.get_by_label("A technical fault").check()
    page.get_by_role("button", name="Refuse", exact=True).click()
    page.wait_for_url(re.compile(r"/desk/$"))
    assert decided(desk, pk) == ("refuse", "broken", "Frames 4–6: It flickers.", [(4, 6, "It flickers.", "")])
    artist = come("artist", java_script_enabled=False)
    artist.goto(f"/studio/submissions/{pk}/")
    expect(artist.get_by_role("list", name="Remarks on frames")).to_contain_text("Frames 4–6")


@pytest.mark.parametrize("width,scheme", [(1440, "dark"), (390, "light")])
def test_an_earlier_version_plays_beside_in_step(come, width, scheme):
    page = come("reviewer", width=width, scheme=scheme)
    page.goto("/desk/")
    page.get_by_role("link", name="The second").click()
    expect(page.get_by_role("cell", name="The second")).to_be_visible()
    page.get_by_role("link", name=re.compile("Side by side")).click()
    expect(page.get_by_role("button", name="Next frame")).to_be_visible()
    page.get_by_role("button", name="Next frame").click()
    page.keyboard.press("Escape")
    times = "[...document.querySelectorAll('video')].map((video) => video.currentTime)"
    until(page, f"new Set({times}).size === 1 && {times}[0] > 1 / 12 && {times}.length === 2")
    expect(page.get_by_text("Mend this.")).to_be_visible()
    assert violations(page) + sideways(page) == []


def test_the_next_room_comes_with_the_decision(reviewer, desk):
    pk = enter(reviewer)
    reviewer.get_by_label("Then on to the next clip").check()
    press(reviewer, "Escape", "a", "Enter")
    reviewer.clock.fast_forward(WHOLE_HOLD)
    reviewer.wait_for_url(lambda url: "/desk/submissions/" in url and pk not in url)
    expect(reviewer.get_by_label("Then on to the next clip")).to_be_checked()
    assert decided(desk, pk)[0] == "approve"
