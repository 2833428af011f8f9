"""A clip is seen forming in a real browser. That nobody else sees it is tests/generation/test_preview.py's."""

import re
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import expect

from .test_whole_way import READY, status_of

pytestmark = pytest.mark.browser

FORMS = 2 * READY  # fifty steps, on a machine that has other things to do
# Notes each picture that the page shows, by address: what is in it, what it is called, and what moves in it soon after.
# The page itself has to look: from outside, nobody asks as quickly as they come and go.
NOTES = """addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    const img = document.querySelector("#job-preview img"), seen = (window.seen ??= {});
    if (!img || seen[img.src]) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    canvas.getContext("2d").drawImage(img, 0, 0);
    const moves = () => img.getAnimations().filter((one) => one.playState === "running").length;
    const note = (seen[img.src] = { picture: canvas.toDataURL(), words: img.alt, moving: moves() });
    setTimeout(() => { if (img.isConnected) note.moving = moves(); }, 100);
}).observe(document, { childList: true, subtree: true, attributes: true }));"""
BALLOON = "a red balloon rising over a green field at sunset"


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


@contextmanager
def held_engines():
    """The engines of this suite's houses are stopped, as on a machine that has other things to do."""
    engines = [
        each
        for each in psutil.Process().children(recursive=True)
        if "generation.engine.child" in each.cmdline()
    ]
    assert engines
    for engine in engines:
        engine.suspend()
    try:
        yield
    finally:
        for engine in engines:
            engine.resume()


def pictures_of(page, job: str) -> list[dict]:
    """Waits for the clip; then, what was shown on the way to it, and nothing of it any more."""
    expect(page.get_by_role("link", name="Open the clip")).to_be_visible(timeout=FORMS)
    expect(page.locator("#job-preview img")).to_have_count(0)
    assert status_of(page, job + "preview.jpg") == 404
    return list((page.evaluate("window.seen") or {}).values())


def test_the_picture_changes_while_the_clip_forms_and_is_gone_at_the_end(visitor):
    artist = visitor("artist")
    artist.add_init_script(NOTES)
    for _try in range(5):
        job = start(artist, BALLOON, steps=50)
        # A quick machine is done with all fifty steps before a second picture is due: it has to take its time.
        expect(artist.locator("#job-preview img, [data-over]").first).to_be_attached(timeout=FORMS)
        with held_engines():
            artist.wait_for_timeout(1500)
        seen = pictures_of(artist, job)
        # By what is in them: an address names a step, and on a slow machine two steps have one picture.
        if len({each["picture"] for each in seen}) > 1:
            break
    assert len({each["picture"] for each in seen}) > 1
    assert {each["words"] for each in seen} == {"Your clip as it forms, still blurred"}
    assert seen[0]["moving"] == 1


def test_an_ordinary_clip_is_seen_forming_too(visitor):
    """With the steps that the form offers it takes about a second: the page looks closely enough to show it."""
    artist = visitor("artist")
    artist.add_init_script(NOTES)
    assert any(pictures_of(artist, start(artist, "a blue boat at sea at night")) for _try in range(6))


def test_who_asked_for_stillness_sees_a_still(visitor):
    artist = visitor("artist", reduced_motion="reduce")
    artist.add_init_script(NOTES)
    seen = next(filter(None, (pictures_of(artist, start(artist, BALLOON, steps=50)) for _try in range(6))))
    assert {each["moving"] for each in seen} == {0}
