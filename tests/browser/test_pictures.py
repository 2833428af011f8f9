"""The pictures in docs/: the main pages as they are now. SORAHUB_PICTURES=docs/images keeps them (`make pictures`)."""

import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from .conftest import first_link

pytestmark = pytest.mark.browser

COLORS = 192  # of a kept picture: pages are flat, so that this halves the bytes and nobody sees it
# Name: who looks, where (a pattern is followed from the page before), width, height, scheme.
WATCH, CLIP = re.compile(r"^/watch/\w+/$"), re.compile(r"^/studio/clips/[\w-]+/$")
SUBMISSION, ROOM = re.compile(r"^/studio/submissions/[\w-]+/$"), re.compile(r"^/desk/submissions/[\w-]+/$")
MEMBER = re.compile(r"^/program/members/[\w-]+/$")
PICTURES = {
    "gallery": (None, ["/"], 1280, 860, "dark"),
    "gallery-phone": (None, ["/"], 390, 844, "light"),
    "watch": (None, ["/", WATCH], 1280, 720, "dark"),
    "studio": ("artist", ["/studio/"], 1280, 860, "dark"),
    "submission": ("artist", ["/studio/", CLIP, SUBMISSION], 1280, 720, "light"),
    "desk": ("reviewer", ["/desk/"], 1280, 720, "dark"),
    "room": ("reviewer", ["/desk/", ROOM], 1280, 860, "dark"),
    "program": ("admin", ["/program/"], 1280, 860, "dark"),
    "member": ("admin", ["/program/members/?q=artist", MEMBER], 1280, 860, "light"),
    "invitations": ("admin", ["/program/invitations/"], 1280, 720, "dark"),
}


# But for those in a closed fold: they are not fetched, and would be waited for without an end.
WHEN_PICTURES_ARE_THERE = """Promise.all([...document.images]
    .filter((image) => image.checkVisibility())
    .map((image) => image.decode().catch(() => {})))"""
# Until it could play, a player draws a wheel over its clip. In the page and as a promise: its policy lets nobody ask
# it the same question over and over.
WHEN_IT_COULD_PLAY = """Promise.all([...document.querySelectorAll("video")].map((video) => new Promise((done) => {
    video.addEventListener("canplaythrough", done, { once: true });
    video.preload = "auto";
    video.load();
})))"""


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of(onlooker, tmp_path, name):
    who, way, width, height, scheme = PICTURES[name]
    page = onlooker(who, width=width, height=height, scheme=scheme)
    for stop in way:
        page.goto(stop if isinstance(stop, str) else first_link(page, stop))
    page.locator("h1").first.wait_for()
    page.evaluate(WHEN_PICTURES_ARE_THERE)
    page.evaluate(WHEN_IT_COULD_PLAY)
    kept = Path(os.environ.get("SORAHUB_PICTURES") or tmp_path, f"{name}.png")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(kept, optimize=True)
    assert len(picture.getcolors(maxcolors=width * height)) > 50  # a page, and not a blank
