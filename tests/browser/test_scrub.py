"""A clip's card is scrubbed through in a real browser: by pointer and by keys, and nothing moves by itself."""

import pytest
from playwright.sync_api import expect

from generation.engine import SPRITE_MOMENTS

pytestmark = pytest.mark.browser

SHOWN = "canvas => canvas.toDataURL()"


@pytest.fixture
def card(onlooker):
    """The first card of the demo artist's studio, and the requests that the page makes from now on."""
    page = onlooker("artist", reduced_motion="reduce")
    page.goto("/studio/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return page.locator(".clip-card[data-sprite]").first, asked


def test_the_picture_follows_the_pointer_and_the_poster_comes_back(card):
    card, asked = card
    canvas, box = card.locator("canvas"), card.locator(".frame").bounding_box()
    mouse = card.page.mouse
    seen = []
    for part in (0.02, 0.5, 0.98, 0.5):
        mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
        expect(canvas).to_be_visible()
        seen.append(canvas.evaluate(SHOWN))
    assert seen[1] == seen[3]
    assert len(set(seen)) == 3
    mouse.move(2, 2)
    expect(canvas).to_have_count(0)
    assert len([url for url in asked if url.endswith("/sprite.jpg")]) == 1


def test_arrow_keys_step_through_the_clip_while_its_link_has_the_focus(card):
    card, _asked = card
    canvas, link = card.locator("canvas"), card.get_by_role("link")
    link.focus()
    expect(canvas).to_have_count(0)
    seen = []
    for _press in range(SPRITE_MOMENTS + 1):
        link.press("ArrowRight")
        expect(canvas).to_be_visible()
        seen.append(canvas.evaluate(SHOWN))
    assert len(set(seen)) > SPRITE_MOMENTS / 2  # neighbors may look alike in a still moment
    assert seen[-1] == seen[-2]
    link.press("ArrowLeft")
    assert canvas.evaluate(SHOWN) == seen[-3]
    link.blur()
    expect(canvas).to_have_count(0)
