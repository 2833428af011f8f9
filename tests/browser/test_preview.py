"""A clip is seen forming in a real browser: the picture changes while the steps go on, for its artist alone."""

import re

import pytest
from playwright.sync_api import expect

from .test_whole_way import READY, status_of

pytestmark = pytest.mark.browser

FORMS = 2 * READY  # fifty steps, on a machine that has other things to do
WHAT_IT_SHOWS = """img => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    canvas.getContext("2d").drawImage(img, 0, 0);
    return canvas.toDataURL();
}"""


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
    job = start(artist, "a red balloon rising over a green field at sunset", steps=50)
    expect(picture(artist)).to_be_visible(timeout=FORMS)
    assert picture(artist).get_attribute("alt") == "Your clip as it forms, still blurred"
    first = picture(artist).get_attribute("src"), picture(artist).evaluate(WHAT_IT_SHOWS)
    others = [status_of(other, job + "preview.jpg") for other in (reviewer, admin, stranger)]
    own = status_of(artist, job + "preview.jpg")
    expect(picture(artist)).not_to_have_attribute("src", first[0], timeout=FORMS)
    assert picture(artist).evaluate(WHAT_IT_SHOWS) != first[1]
    assert (own, others) == (200, [404, 404, 302])
    assert picture(artist).evaluate("img => img.getAnimations().length") == 1

    expect(artist.get_by_role("link", name="Open the clip")).to_be_visible(timeout=FORMS)
    expect(picture(artist)).to_have_count(0)
    assert status_of(artist, job + "preview.jpg") == 404


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
