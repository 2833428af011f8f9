"""The frame that is seen is the frame that is said: every frame of films at every rate that a model here makes."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from generation import encoding
from generation.encoding.video import decode

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
READY = 120_000
SIDE, COUNT = 64, 25
BITS = 5

# The picture of the frame that the player says it shows, as it lies on the screen: gray, and small.
SEEN = """([wanted, width, height]) => new Promise((done) => {
    const video = document.querySelector("video[data-player]"), player = players.of(video);
    const draw = () => {
        const canvas = Object.assign(document.createElement("canvas"), { width, height });
        const pen = canvas.getContext("2d", { willReadFrequently: true });
        pen.drawImage(video, 0, 0, width, height);
        const told = document.querySelector("[data-told]").textContent;
        const bytes = pen.getImageData(0, 0, width, height).data;
        let text = "";
        for (const byte of bytes) text += String.fromCharCode(byte);
        done({ told, pixels: btoa(text) });  // a list of numbers takes Playwright a second on its way
    };
    const isThere = () => !video.seeking && player.shown() === wanted;
    const look = () => (isThere() ? requestAnimationFrame(draw) : setTimeout(look, 5));
    player.goTo(wanted);
    look();
})"""


def seen(page, frame: int, shape) -> tuple[str, np.ndarray]:
    height, width = shape[:2]
    told = page.evaluate(SEEN, [frame, width, height])
    pixels = np.frombuffer(base64.b64decode(told["pixels"]), np.uint8)
    return told["told"], pixels.astype(np.float32).reshape(height, width, 4)[..., :3]


def nearest(picture: np.ndarray, frames: list[np.ndarray]) -> int:
    return int(np.argmin([np.abs(picture - frame).mean() for frame in frames]))


def seen_frame(page, number: int, frames: list[np.ndarray]) -> tuple[int, str]:
    """Which frame is to be seen when this one was asked for, and what the page says of it."""
    for _look in range(3):  # on a busy machine a canvas may still get the picture before, for a moment
        told, picture = seen(page, number, frames[0].shape)
        if nearest(picture, frames) == number:
            break
        page.wait_for_timeout(100)
    return nearest(picture, frames), told


def film(path: Path, fps: float) -> list[np.ndarray]:
    """Each frame is its number, in black and white bars: nothing else could be taken for it."""
    numbered = []
    for number in range(COUNT):
        bars = np.repeat([200 * (number >> bit & 1) + 28 for bit in range(BITS)] + [128], SIDE // 4)
        numbered.append(np.broadcast_to(bars[:, None, None], (bars.size, SIDE, 3)).astype(np.uint8))
    encoding.encode(iter(numbered), path, fps)
    return [frame.astype(np.float32) for frame in decode(path)]


PLAYER = """<div class="player"><div data-stage><div class="player-picture">
<video data-player data-fps="{fps}" data-frames="{count}" preload="auto" muted src="{source}"></video>
<svg data-overlay></svg></div></div><div data-player-bar>
<input type="range" min="1" max="{count}" data-seek><span data-range></span>
<output data-told data-words="Frame %n of {count}"></output>
<span data-timecode></span><select data-speed><option>0.25<option>0.5<option selected>1<option>2</select>
<button data-do="toggle" data-other="Pause">Play</button><button data-do="clear" data-words="%a-%b"></button>
<button data-do="zoom" data-words="Zoom %n"></button><button data-do="mute"></button></div></div>"""


@pytest.fixture
def player(chromium, tmp_path):
    """player(fps): a page with nothing but the player and a film of numbered frames, and these frames."""
    pages = []

    def come(fps: float):
        frames = film(tmp_path / "film.mp4", fps)
        source = "data:video/mp4;base64," + base64.b64encode((tmp_path / "film.mp4").read_bytes()).decode()
        page = chromium.new_page()
        pages.append(page)
        page.set_content(PLAYER.format(fps=repr(fps), count=COUNT, source=source))
        page.add_script_tag(path=str(PROJECT / "static/js/player.js"))
        page.wait_for_function("document.querySelector('video').readyState >= 2")
        return page, frames

    yield come
    for page in pages:
        page.close()


def shown(page) -> int:
    return int(re.search(r"\d+", page.locator("[data-told]").text_content())[0]) - 1


RATES = [8.0, 12.0, 12.5, 16.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 60.0]


@pytest.mark.parametrize("fps", RATES, ids=[f"{fps:.3f}" for fps in RATES])
def test_every_frame_is_the_one_that_is_said(player, fps):
    page, frames = player(fps)
    assert len(frames) == COUNT
    order = [*range(COUNT), *np.random.default_rng(1).permutation(COUNT).tolist()]
    for number in order:
        assert seen_frame(page, number, frames) == (number, f"Frame {number + 1} of {COUNT}")


@pytest.mark.parametrize("fps", [12.5, 24.0, 60.0])
def test_keys_step_by_one_frame_and_hold_at_both_ends(player, fps):
    page, frames = player(fps)
    page.hover("video")
    page.keyboard.press("Home")
    for number in range(1, COUNT + 2):
        page.keyboard.press("." if number % 2 else "ArrowRight")
        expect(page.locator("[data-told]")).to_have_text(f"Frame {min(number + 1, COUNT)} of {COUNT}")
    assert seen_frame(page, COUNT - 1, frames)[0] == COUNT - 1
    for _press in range(3):
        page.keyboard.press(",")  # faster than the seeks: none of them is lost
    assert shown(page) == COUNT - 4


def test_shuttle_loop_and_speed(player):
    page, _frames = player(24.0)
    page.hover("video")
    video = page.locator("video")
    for key, frame in (("i", 5), ("o", 9)):
        page.evaluate(f"players.of(document.querySelector('video')).goTo({frame})")
        page.keyboard.press(key)
    page.keyboard.press("<")
    page.keyboard.press("<")
    assert video.evaluate("video => video.playbackRate") == 0.25
    page.keyboard.press(">")
    page.keyboard.press(">")
    page.keyboard.press("l")
    assert video.evaluate("video => !video.paused")
    met = set()
    for _look in range(60):
        met.add(shown(page))
        page.wait_for_timeout(20)
    assert met <= set(range(5, 11)), met
    assert len(met) >= 4, met
    page.keyboard.press("l")
    assert video.evaluate("video => video.playbackRate") == 2
    page.keyboard.press("k")
    assert video.evaluate("video => video.paused")
    page.keyboard.press("x")
    page.evaluate("players.of(document.querySelector('video')).goTo(20)")
    page.keyboard.press("j")
    page.wait_for_function("players.of(document.querySelector('video')).shown() < 15")
    page.keyboard.press("k")
    still = shown(page)
    page.wait_for_timeout(200)
    assert shown(page) == still < 20


def test_a_clip_of_the_model_that_comes_with_it(visitor, tmp_path):
    artist = visitor("artist")
    artist.goto("/studio/")
    artist.fill("textarea[name=prompt]", "a red balloon over the sea at dusk")
    artist.get_by_role("button", name="Generate").click()
    artist.get_by_role("link", name="Open the clip").wait_for(timeout=READY)
    artist.get_by_role("link", name="Open the clip").click()
    artist.get_by_label("Title").wait_for()
    every_frame_is_right(artist, tmp_path / "clip.mp4")

    artist.fill("[name=title]", "Frames")
    artist.get_by_role("button", name="Submit for review").click()
    artist.get_by_role("heading", name="Next to be reviewed").wait_for(timeout=READY)
    every_frame_is_right(artist, tmp_path / "submitted.mp4")

    reviewer = visitor("reviewer")
    reviewer.goto("/desk/")
    reviewer.get_by_role("button", name="Review the next one").click()
    reviewer.locator("video[data-player]").wait_for(timeout=READY)
    every_frame_is_right(reviewer, tmp_path / "copy.mp4")
    reviewer.get_by_role("button", name="Put it back").click()


def every_frame_is_right(page, path: Path) -> None:
    """What the page draws against what is decoded from the same bytes, apart from the browser."""
    expect(page.locator("[data-told]")).to_contain_text("Frame 1 of")
    source = page.locator("video[data-player]").evaluate("video => video.currentSrc")
    path.write_bytes(page.request.get(source).body())
    frames = [frame.astype(np.float32) for frame in decode(path)]
    for number in range(len(frames)):
        assert seen_frame(page, number, frames) == (number, f"Frame {number + 1} of {len(frames)}")
