"""A clip is seen forming in a real browser: the picture changes while the steps go on, for its artist alone."""

import re

import pytest
from playwright.sync_api import expect

from .test_whole_way import READY, status_of

pytestmark = pytest.mark.browser

FORMS = 2 * READY  # fifty steps, on a machine that has other things to do
# Notes each picture that the page shows, by address and by what is in it: nobody can ask as quickly as they come.
NOTES = """addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    const img = document.querySelector("#job-preview img"), seen = (window.seen ??= {});
    if (!img || seen[img.src]) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    canvas.getContext("2d").drawImage(img, 0, 0);
    seen[img.src] = canvas.toDataURL();
}).observe(document, { childList: true, subtree: true, attributes: true }));"""


def start(page, prompt: str, steps: int | None = None) -> str:
    """Sends a prompt and stays on the take's page; returns its path."""
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", prompt)
    if steps:
        page.get_by_text("Settings", exact=True).click()
        page.fill("[name=steps]", str(steps))
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/studio/jobs/"))
    return re.search(r"/studio/jobs/[^/]+/", page.url)[0]


def picture(page):
    return page.locator("#job-preview img")


def test_the_picture_changes_while_the_clip_forms_and_is_gone_at_the_end(visitor):
    artist, reviewer, admin, stranger = visitor("artist"), visitor("reviewer"), visitor("admin"), visitor()
    artist.add_init_script(NOTES)
    job = start(artist, "a red balloon rising over a green field at sunset", steps=50)
    expect(picture(artist)).to_be_visible(timeout=FORMS)
    own = status_of(artist, job + "preview.jpg")
    others = [status_of(other, job + "preview.jpg") for other in (reviewer, admin, stranger)]
    assert (own, others) == (200, [404, 404, 302])

    seen = pictures_seen(artist)
    assert status_of(artist, job + "preview.jpg") == 404
    for _another in range(4):  # a quick machine makes all fifty steps within two pictures' time, now and then
        if len(seen) < 2:
            start(artist, "a red balloon rising over a green field at sunset", steps=50)
            seen = pictures_seen(artist)
    assert len(seen) > 1
    assert len(set(seen.values())) == len(seen)


def pictures_seen(page) -> dict[str, str]:
    """Waits for the clip; then, what was shown on the way to it, and nothing of it any more."""
    expect(page.get_by_role("link", name="Open the clip")).to_be_visible(timeout=FORMS)
    expect(picture(page)).to_have_count(0)
    return page.evaluate("window.seen")


def test_an_ordinary_clip_is_seen_forming_too(visitor):
    """With the steps that the form offers it takes about a second: the page looks closely enough to show it."""
    artist = visitor("artist")
    artist.add_init_script(
        """addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
            if (document.querySelector("#job-preview img")) document.documentElement.dataset.formed = "yes";
        }).observe(document, { childList: true, subtree: true }));"""
    )
    start(artist, "a blue boat at sea at night")
    expect(artist.get_by_role("link", name="Open the clip")).to_be_visible(timeout=FORMS)
    assert artist.evaluate("document.documentElement.dataset.formed") == "yes"


def test_who_asked_for_stillness_sees_a_still(visitor):
    artist = visitor("artist", reduced_motion="reduce")
    start(artist, "a green star in a field by day", steps=50)
    expect(picture(artist)).to_be_visible(timeout=FORMS)
    playing = "img => img.getAnimations().filter(one => one.playState === 'running').length"
    artist.wait_for_timeout(100)
    assert picture(artist).evaluate(playing) == 0
