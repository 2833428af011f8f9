"""Takes in a real browser: several at a click, a seed that stays, deletion, drafts, and news for whoever left."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import PASSWORD

pytestmark = pytest.mark.browser

READY = 60_000  # milliseconds for a clip, from the prompt on


def write(page, prompt: str, *, steps: str = "2") -> None:
    page.goto("/studio/")
    page.fill("textarea[name=prompt]", prompt)
    page.locator("details", has=page.locator("[name=steps]")).evaluate("fold => fold.open = true")
    page.fill("[name=steps]", steps)


def generate(page) -> str:
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/studio/jobs/[\w-]+/$"))
    return page.url


def log_out(page) -> None:
    page.locator(".menu-button").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def log_in(page, who: str = "artist") -> None:
    page.goto("/accounts/login/?next=/studio/")
    page.fill("[name=login]", f"{who}@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/studio/$"))


def test_three_takes_at_a_click_keep_their_seed_and_one_is_deleted(visitor):
    artist = visitor("artist")
    write(artist, "a red balloon over the sea at dusk")
    price = artist.locator("[data-price]")
    one = int(price.text_content())
    artist.get_by_role("radio", name="3", exact=True).check()
    expect(price).to_have_text(str(3 * one))
    artist.fill("[name=seed]", "41")
    artist.get_by_label("Keep this seed for the next take").check()
    generate(artist)

    strip = artist.get_by_role("navigation", name="Takes of this click")
    expect(strip.get_by_role("link")).to_have_count(3)
    expect(strip.get_by_text("Ready")).to_have_count(3, timeout=3 * READY)
    expect(artist.get_by_role("link", name="Open the clip")).to_be_visible()
    strip.get_by_role("link", name=re.compile("Take 3")).click()
    expect(artist.locator(".recipe")).to_contain_text("43")

    artist.goto("/studio/")
    expect(artist.locator("[name=seed]")).to_have_value("41")
    expect(artist.get_by_label("Keep this seed for the next take")).to_be_checked()
    expect(artist.locator("textarea[name=prompt]")).to_have_value("")

    takes = artist.locator("#take-list .clip-card")
    shown = takes.count()
    takes.first.get_by_role("link").click()
    expect(artist.get_by_role("link", name="Same recipe, new seed")).to_be_visible()
    clip = artist.url
    artist.get_by_role("link", name="Delete this take").click()
    artist.get_by_role("link", name="Keep it").click()
    assert artist.url == clip
    artist.get_by_role("link", name="Delete this take").click()
    artist.get_by_role("button", name="Delete for good").click()
    expect(artist.get_by_text("The take and its files are gone.")).to_be_visible()
    expect(takes).to_have_count(shown - 1)
    assert artist.request.get(clip).status == 404
    log_out(artist)


def test_a_draft_waits_behind_the_login_and_not_behind_a_logout(visitor):
    artist = visitor("artist")
    write(artist, "half a thought about a fox", steps="7")
    artist.get_by_role("radio", name="2", exact=True).check()
    artist.goto("/")  # at once: the page reports on leaving, and the browser sends that when it likes
    for _look in range(20):
        artist.goto("/studio/")
        if artist.locator("textarea[name=prompt]").input_value():
            break
        artist.wait_for_timeout(250)
    expect(artist.locator("textarea[name=prompt]")).to_have_value("half a thought about a fox")
    expect(artist.locator("[name=steps]")).to_have_value("7")
    expect(artist.get_by_role("radio", name="2", exact=True)).to_be_checked()

    artist.context.clear_cookies()  # the session is over
    artist.goto("/studio/")
    expect(artist.locator("[name=login]")).to_be_visible()
    log_in(artist)
    expect(artist.locator("textarea[name=prompt]")).to_have_value("half a thought about a fox")

    log_out(artist)
    log_in(artist)
    expect(artist.locator("textarea[name=prompt]")).to_have_value("")


def test_a_take_that_ends_with_no_page_open_is_told_in_the_inbox(visitor):
    """The answer to the click is not followed, as when a tab is closed in that moment."""
    artist = visitor("artist")
    artist.goto("/studio/")
    token = artist.locator("form[data-draft] [name=csrfmiddlewaretoken]").get_attribute("value")
    sent = {"prompt": "a blue cube at sea", "steps": "1", "csrfmiddlewaretoken": token}
    assert artist.request.post("/studio/jobs/", form=sent, max_redirects=0).status == 302

    artist.goto("/inbox/")
    news = artist.locator(".news-item[data-unread]").get_by_role("link", name="Your take is ready.")
    for _look in range(60):
        if news.count():
            break
        artist.wait_for_timeout(1000)
        artist.reload()
    artist.reload()  # the dot is asked for before the list is
    expect(artist.locator(".menu-button .news-dot")).to_be_visible()
    news.first.click()
    expect(artist.get_by_role("link", name="Open the clip")).to_be_visible()
    expect(artist.locator(".menu-button .news-dot")).to_have_count(0)

    artist.goto("/inbox/")
    artist.get_by_label(re.compile("Write to me")).uncheck()
    artist.get_by_role("button", name="Save").click()
    expect(artist.get_by_text("No mails about news any more.")).to_be_visible()
    expect(artist.get_by_label(re.compile("Write to me"))).not_to_be_checked()


def test_a_pause_is_said_and_what_was_written_is_kept(visitor, house):
    artist = visitor("artist")
    write(artist, "a cat in the snow")
    house.manage(
        "shell", "-c", "from accounts.models import pause; pause.pause(by=None, reason='New cards.')"
    )
    try:
        artist.get_by_role("button", name="Generate").click()
        expect(artist.locator(".form-errors")).to_contain_text("The program is paused")
        expect(artist.locator("main").get_by_text("New cards.").first).to_be_visible()
        expect(artist.locator("textarea[name=prompt]")).to_have_value("a cat in the snow")
        expect(artist.get_by_role("button", name="Generate")).to_be_disabled()
    finally:
        house.manage("shell", "-c", "from accounts.models import pause; pause.resume(by=None)")
    artist.goto("/studio/")
    expect(artist.locator("textarea[name=prompt]")).to_have_value("a cat in the snow")
    generate(artist)
