"""The whole way in a real browser: a prompt becomes a clip, a decision makes it public, a takedown ends it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TITLE = "A balloon leaves"
READY = 60_000  # milliseconds for a clip, from the prompt on


def plays_and_seeks(page) -> None:
    """The video element really decodes: time moves, then a seek lands, and frames have a size."""
    video = page.locator("video")
    expect(video).to_be_visible()
    seen = video.evaluate(
        """async video => {
            video.muted = true;
            await video.play();
            await new Promise(done => video.addEventListener("timeupdate", () => video.currentTime > 0.2 && done()));
            video.pause();
            const played = video.currentTime;
            const landed = new Promise(done => video.addEventListener("seeked", done, { once: true }));
            video.currentTime = 1.5;
            await landed;
            const { currentTime: at, videoWidth: width, duration: length, error } = video;
            return { played, at, width, length, error };
        }"""
    )
    assert seen["error"] is None
    assert seen["width"] > 0
    assert 0.2 < seen["played"] < seen["length"]
    assert abs(seen["at"] - 1.5) < 0.1


def make_clip(page, prompt: str) -> str:
    """Writes a prompt and waits on the job's page until the clip is there; returns the clip's path."""
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", prompt)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/studio/jobs/"))
    page.get_by_role("link", name="Open the clip").click(timeout=READY)
    page.wait_for_url(re.compile(r"/studio/clips/"))
    return re.search(r"/studio/clips/[^/]+/", page.url)[0]


def submit(page, title: str) -> None:
    page.fill("[name=title]", title)
    page.get_by_role("button", name="Submit for review").click()
    page.wait_for_url(re.compile(r"/studio/submissions/"))
    queued = page.get_by_role("heading", name=re.compile("Next to be reviewed|in the queue"))
    expect(queued).to_be_visible(timeout=READY)  # its files are made, and the page has noticed


def decide(page, title: str, act: str) -> None:
    """Takes clips from the desk until this one's turn comes, and decides on it."""
    page.goto("/desk/")
    page.get_by_role("button", name=re.compile("Review the next one|Go on with your clip")).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.get_by_role("button", name=act, exact=True).click()
    send_now(page)


def send_now(page) -> None:
    """Doesn't wait for the seconds in which a decision can be undone. What comes right after a click is no word."""
    page.wait_for_timeout(800)
    page.get_by_role("button", name="Send now").click()
    page.wait_for_url(re.compile(r"/desk/$"))


def status_of(page, path: str) -> int:
    return page.request.get(path, max_redirects=0).status


def test_from_a_prompt_to_the_public_and_back(visitor):
    artist, reviewer, stranger = visitor("artist"), visitor("reviewer"), visitor()

    clip = make_clip(artist, "a red balloon rising over a green field at sunset")
    plays_and_seeks(artist)
    private = [clip, clip + "video.mp4", clip + "poster.jpg"]
    assert {status_of(stranger, path) for path in private} <= {302, 404}
    assert {status_of(reviewer, path) for path in private} == {404}

    submit(artist, TITLE)
    expect(artist.get_by_text("Next to be reviewed")).to_be_visible()
    stranger.goto("/")
    expect(stranger.get_by_text(TITLE)).to_have_count(0)

    reviewer.goto("/desk/")
    reviewer.get_by_role("button", name="Review the next one").click()
    expect(reviewer.get_by_role("heading", name=TITLE)).to_be_visible()
    plays_and_seeks(reviewer)
    reviewer.get_by_role("button", name="Approve", exact=True).click()
    send_now(reviewer)
    stranger.reload()
    expect(stranger.get_by_text(TITLE)).to_have_count(0)

    artist.reload()
    artist.get_by_role("button", name="Publish").click()
    expect(artist.get_by_role("link", name="See its page")).to_be_visible()
    stranger.reload()
    stranger.get_by_role("link", name=TITLE).click()
    expect(stranger.get_by_role("heading", name=TITLE)).to_be_visible()
    plays_and_seeks(stranger)
    public = re.search(r"/watch/[^/]+/", stranger.url)[0]
    assert {status_of(stranger, path) for path in private} <= {302, 404}

    reviewer.goto(public)
    reviewer.get_by_text("Take this clip down").click()
    reviewer.fill("[name=reason]", "A rehearsal.")
    reviewer.get_by_role("button", name="Take it down").click()
    assert [status_of(stranger, public + name) for name in ("", "video.mp4", "poster.jpg")] == [410] * 3
    stranger.reload()
    expect(stranger.get_by_role("heading", level=1)).to_be_visible()
    stranger.goto("/")
    expect(stranger.get_by_text(TITLE)).to_have_count(0)


def test_a_refusal_says_why_and_the_next_version_can_be_approved(visitor):
    artist, reviewer = visitor("artist"), visitor("reviewer")
    make_clip(artist, "a blue boat at sea at night")
    submit(artist, "Too blue")

    reviewer.goto("/desk/")
    reviewer.get_by_role("button", name="Review the next one").click()
    reviewer.get_by_role("button", name="Refuse", exact=True).click()  # with no reason yet
    expect(reviewer.get_by_text("A refusal names at least one clause")).to_be_visible()
    reviewer.get_by_label("A technical fault").check()
    reviewer.fill("[name=note]", "The last frames are black: another seed, please.")
    reviewer.get_by_role("button", name="Refuse", exact=True).click()
    send_now(reviewer)

    artist.reload()
    expect(artist.get_by_role("heading", name="Not accepted")).to_be_visible()
    expect(artist.get_by_text("another seed, please").first).to_be_visible()
    artist.get_by_role("link", name="Submit a new version").click()
    expect(artist.locator("[name=title]")).to_have_value("Too blue")
    submit(artist, "Blue enough")
    decide(reviewer, "Blue enough", "Approve")
    artist.reload()
    expect(artist.get_by_role("button", name="Publish")).to_be_visible()


def test_the_job_page_tells_progress_and_can_cancel(visitor):
    artist = visitor("artist")
    artist.goto("/studio/")
    artist.fill("textarea[name=prompt]", "a green ball bouncing in the snow")
    artist.get_by_text("Settings").click()
    artist.fill("[name=steps]", "50")
    artist.get_by_role("button", name="Generate").click()
    expect(artist.get_by_text(re.compile(r"Step \d+ of 50"))).to_be_visible(timeout=READY)
    artist.get_by_role("button", name="Cancel").click()
    expect(artist.get_by_text("Nothing was kept of it.")).to_be_visible()
    artist.get_by_role("link", name="Start it again").click()
    expect(artist.locator("textarea[name=prompt]")).to_have_value("a green ball bouncing in the snow")


def test_closing_the_tab_loses_nothing(visitor):
    artist = visitor("artist")
    artist.goto("/studio/")
    artist.fill("textarea[name=prompt]", "a yellow star over the desert")
    artist.get_by_role("button", name="Generate").click()
    artist.wait_for_url(re.compile(r"/studio/jobs/"))
    job = artist.url
    artist.close()
    later = visitor("artist")
    later.goto(job)
    expect(later.get_by_role("link", name="Open the clip")).to_be_visible(timeout=READY)


def test_an_invited_person_sets_a_password_and_is_in(visitor, house):
    stranger = visitor()
    stranger.goto("/accounts/signup/")
    expect(stranger.locator("[name=password1]")).to_have_count(0)

    link = house.manage("invite", "newcomer@example.com", "--role", "artist")
    stranger.goto(link)
    expect(stranger.get_by_text("newcomer@example.com")).to_be_visible()
    stranger.fill("[name=name]", "A Newcomer")
    stranger.fill("[name=password]", "12345678")  # refused, and the name stays
    stranger.get_by_role("button", name="Join").click()
    expect(stranger.get_by_text("This password is too common.")).to_be_visible()
    expect(stranger.locator("[name=name]")).to_have_value("A Newcomer")
    stranger.fill("[name=password]", "a-much-better-password")
    stranger.get_by_role("button", name="Join").click()
    stranger.wait_for_url(re.compile(r"/studio/$"))
    expect(stranger.get_by_text("No takes yet")).to_be_visible()

    second = visitor()
    second.goto(link)
    expect(second.get_by_text("This invitation was already used")).to_be_visible()


def test_wrong_numbers_keep_the_form_filled(visitor):
    artist = visitor("artist")
    artist.goto("/studio/")
    artist.fill("textarea[name=prompt]", "a pink heart in the city")
    artist.get_by_text("Settings").click()
    artist.fill("[name=steps]", "999")
    artist.get_by_role("button", name="Generate").click()
    expect(artist.get_by_text("Steps must be a whole number from 1 to 50, not 999.")).to_be_visible()
    expect(artist.locator("textarea[name=prompt]")).to_have_value("a pink heart in the city")
    artist.fill("[name=steps]", "1")
    artist.get_by_role("button", name="Generate").click()
    artist.wait_for_url(re.compile(r"/studio/jobs/"))  # so that no other test finds these words as a draft


@pytest.mark.parametrize("path", ["/", "/policy/", "/accounts/login/", "/nowhere/"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_public_page_is_wider_than_its_screen(visitor, path, width):
    page = visitor(width=width, height=844)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("path", ["/studio/", "/desk/"])
def test_no_working_page_is_wider_than_a_phone(visitor, path):
    page = visitor("reviewer", width=390, height=844)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_the_public_side_and_the_login_work(visitor):
    page = visitor("artist", java_script_enabled=False)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", "a red car on the street")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/studio/jobs/"))
    expect(page.get_by_text("a red car on the street")).to_be_visible()
