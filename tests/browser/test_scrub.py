"""A clip's card is scrubbed through in a real browser: by pointer and by keys, and nothing moves by itself."""

import pytest
from playwright.sync_api import expect

from generation.engine import SPRITE_MOMENTS

pytestmark = pytest.mark.browser

SHOWN = "canvas => canvas.toDataURL()"
PLACES = """JSON.stringify(
    [...document.querySelectorAll(".clip-card, main")].map((each) => each.getBoundingClientRect())
)"""


@pytest.fixture(params=["/studio/", "/"], ids=["studio", "gallery"])
def card(onlooker, request):
    """The first card of the demo artist's studio or of the gallery, and the sprites that the page asks for."""
    page = onlooker("artist" if request.param == "/studio/" else None, reduced_motion="reduce")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "sprite" in request.url else None)
    page.goto(request.param)
    return page.locator(".clip-card[data-sprite]").first, asked


def test_the_picture_follows_the_pointer_and_the_poster_comes_back(card):
    card, asked = card
    canvas, box = card.locator("canvas"), card.locator(".frame").bounding_box()
    mouse, seen = card.page.mouse, []
    assert asked == [], "no sprite before somebody points at its card"
    for part in (0.02, 0.5, 0.98, 0.5):
        mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
        expect(canvas).to_be_visible()
        seen.append(canvas.evaluate(SHOWN))
    assert seen[1] == seen[3]
    assert len(set(seen)) == 3
    mouse.move(2, 2)
    expect(canvas).to_have_count(0)
    assert len(asked) == 1
    assert asked[0].endswith(card.get_attribute("data-sprite"))


def test_nothing_on_the_page_moves_aside_while_a_card_is_scrubbed(card):
    card, _asked = card
    before, box = card.page.evaluate(PLACES), card.locator(".frame").bounding_box()
    card.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    expect(card.locator("canvas")).to_be_visible()
    assert card.locator("canvas").bounding_box()["width"] == pytest.approx(box["width"], rel=0.03)
    assert card.page.evaluate(PLACES) == before
    assert card.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_finger_opens_a_card_and_loads_no_sprite(onlooker):
    page = onlooker(None, width=390, height=844, has_touch=True)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "sprite" in request.url else None)
    page.goto("/")
    page.locator(".clip-card[data-sprite] a").first.tap()
    page.wait_for_url("**/watch/*/")
    assert asked == []


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
