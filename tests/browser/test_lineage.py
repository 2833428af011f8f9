"""From a picture to a take, its extension, its family, and two takes in step, in a real browser."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .conftest import WEB, WORKER, opened_house, visitors_of

pytestmark = pytest.mark.browser

READY = 90_000  # milliseconds for a clip, from the prompt on
JOB = re.compile(r"/studio/jobs/[\w-]+/$")


@pytest.fixture(scope="module")
def testing_house(tmp_path_factory):
    """Its own, because it offers the test card, which can begin with a picture."""
    with opened_house(tmp_path_factory.mktemp("testing"), WEB, WORKER, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, testing_house):
    with visitors_of(testing_house, chromium) as come:
        yield come


def photo() -> dict:
    """A red disk on a slope of blue."""
    y, x = np.mgrid[0:400, 0:600]
    pixels = np.stack([y // 4 + 60, y // 6 + 40, 250 - y // 3], axis=-1).astype(np.uint8)
    pixels[(x - 300) ** 2 + (y - 200) ** 2 < 90**2] = (220, 50, 40)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return {"name": "disk.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def with_test_card(page) -> None:
    page.goto("/studio/")
    if page.locator("[name=model]").input_value() != "testcard":
        page.locator("details", has=page.locator("[name=steps]")).evaluate("fold => fold.open = true")
        with page.expect_navigation():
            page.select_option("[name=model]", "testcard")
    expect(page.locator("[name=model]")).to_have_value("testcard")


def open_fold(page) -> None:
    page.locator("details", has=page.locator("#beginning")).evaluate("fold => fold.open = true")


def generate(page) -> str:
    """To the clip's page."""
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(JOB)
    link = page.get_by_role("link", name="Open the clip")
    expect(link).to_be_visible(timeout=READY)
    page.goto(link.get_attribute("href"))
    return page.url


def moments(page) -> list[float]:
    return page.evaluate("[...document.querySelectorAll('video')].map(video => video.currentTime)")


def test_a_picture_becomes_a_take_that_is_extended_and_compared(come):
    artist = come("artist")
    with_test_card(artist)
    artist.fill("textarea[name=prompt]", "a red disk at dusk")
    open_fold(artist)
    artist.set_input_files("[name=image]", photo())
    beginning = artist.locator("#beginning")
    expect(beginning.get_by_text("Begins with your picture")).to_be_visible()
    expect(beginning.get_by_text("cut at the left and the right")).to_be_visible()
    artist.locator(".segments label", has_text="192 × 128").click()
    expect(beginning.get_by_text("The whole picture is seen, made 192 × 128 from 600 × 400.")).to_be_visible()

    artist.get_by_role("button", name="Generate").click()  # without a word on the rights: nothing is lost
    expect(beginning.get_by_text("Say first that you may use this picture.")).to_be_visible()
    expect(artist.locator("textarea[name=prompt]")).to_have_value("a red disk at dusk")
    expect(beginning.get_by_text("Begins with your picture")).to_be_visible()
    artist.goto("/studio/")  # not even when the page is left
    expect(beginning.get_by_text("Begins with your picture")).to_be_visible()
    artist.get_by_label(re.compile("I made this picture")).check()
    first = generate(artist)
    expect(artist.get_by_text("Begins with your picture")).to_be_visible()

    artist.get_by_role("button", name="Extend from its last frame").click()
    expect(beginning.get_by_text("Begins with the last frame")).to_be_visible()
    expect(beginning.get_by_text("Goes on from your take")).to_be_visible()
    artist.fill("textarea[name=prompt]", "the red disk goes down")
    second = generate(artist)

    tree = artist.locator(".lineage")
    expect(tree.locator("[aria-current]")).to_contain_text("Extended: other words")
    tree.get_by_role("link", name="a red disk at dusk", exact=True).click()
    artist.wait_for_url(first)
    expect(
        tree.locator("li li").get_by_role("link", name="the red disk goes down", exact=True)
    ).to_be_visible()
    tree.get_by_role("link", name=re.compile("^Compare")).click()
    assert second.rstrip("/").rpartition("/")[2] in artist.url

    play = artist.get_by_role("button", name="Play")
    expect(play).to_be_visible()
    for _ in range(2):
        artist.get_by_role("button", name="Next frame").click()
    expect(artist.locator("[data-time]")).to_have_text("0.17 s, frame 3")
    one, other = moments(artist)
    assert one == pytest.approx(other, abs=0.001) == pytest.approx(2.5 / 12, abs=0.001)
    artist.get_by_role("button", name="Frame back").click()
    expect(artist.locator("[data-time]")).to_have_text("0.08 s, frame 2")
    artist.keyboard.press("Tab")
    artist.locator("h2").first.click()  # away from the buttons: the keys are for both clips
    artist.keyboard.press("ArrowRight")
    expect(artist.locator("[data-time]")).to_have_text("0.17 s, frame 3")
    artist.locator("[data-seek]").fill("1")
    assert moments(artist) == pytest.approx([12.5 / 12] * 2, abs=0.001)
    play.click()
    artist.wait_for_function("[...document.querySelectorAll('video')].every(video => !video.paused)")
    artist.get_by_role("button", name="Pause").click()
    one, other = moments(artist)
    assert one == pytest.approx(other, abs=0.001)
    assert artist.evaluate("[...document.querySelectorAll('video')].every(video => video.paused)")
    artist.get_by_label("One over the other").check()
    expect(artist.locator("[data-stage]")).to_have_attribute("data-over", "")

    plain = come("artist", java_script_enabled=False)
    plain.goto(artist.url)
    expect(plain.locator("video[controls]")).to_have_count(2)
    expect(plain.locator("[data-bar]")).to_be_hidden()
    plain.goto("/studio/?from=" + job_of(artist, first))
    expect(plain.locator("[name=image]")).to_have_count(1)


def job_of(page, clip: str) -> str:
    page.goto(clip)
    link = page.get_by_role("link", name="Use this recipe again").get_attribute("href")
    return link.partition("from=")[2]
