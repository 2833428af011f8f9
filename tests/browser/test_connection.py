"""What people see when the network is slow, gone, or comes back; and that nothing happens twice."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

OFFLINE = "You are offline."
UNREACHABLE = "The site doesn't answer right now."


def test_being_offline_is_said_and_what_was_written_stays(onlooker):
    page = onlooker("artist")
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", "a red ball")
    page.context.set_offline(True)
    expect(page.get_by_text(OFFLINE)).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text(OFFLINE)).to_be_hidden()
    expect(page.locator("textarea[name=prompt]")).to_have_value("a red ball")


def test_a_page_that_asks_for_news_says_when_the_site_is_gone_and_goes_on_by_itself(onlooker):
    page = onlooker("artist")
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", "a red ball that waits")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/studio/jobs/"))  # nobody works in this house, so it waits
    for trouble in (lambda route: route.abort(), lambda route: route.fulfill(status=502)):
        page.route("**/studio/jobs/**", trouble)
        expect(page.get_by_text(UNREACHABLE)).to_be_visible(timeout=10_000)
        page.unroute("**/studio/jobs/**")
        expect(page.get_by_text(UNREACHABLE)).to_be_hidden(timeout=10_000)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Nothing was kept of it.")).to_be_visible()


def test_a_button_shows_that_it_was_pressed_and_sends_once(onlooker):
    page, sent = onlooker("artist"), []
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", "a red ball on a slow line")
    held = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.route("**/studio/jobs/", lambda route: held.append(route))  # the answer doesn't come
    # Through the page itself: Playwright's own clicks and looks wait for the navigation to end.
    pressed = """() => {
        const button = document.querySelector("form.form button[type=submit]");
        button.click();
        button.click();
        return button.getAttribute("aria-busy");
    }"""
    assert page.evaluate(pressed) == "true"
    page.wait_for_timeout(300)
    assert len(sent) == 1
    held[0].continue_()
    page.wait_for_url(re.compile("/studio/jobs/."))
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Nothing was kept of it.")).to_be_visible()
