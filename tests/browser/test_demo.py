"""What somebody finds who has just started the demo."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_makings_of_the_demo_are_no_news(onlooker):
    page = onlooker("artist")
    page.goto("/studio/")
    expect(page.locator("#take-list article").nth(8)).to_be_visible()  # six in the gallery, three at the desk
    page.goto("/inbox/")
    expect(page.locator("main .empty")).to_be_visible()
