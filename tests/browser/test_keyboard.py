"""The whole way by keyboard alone, with the focus always in sight."""

import re

import pytest

pytestmark = pytest.mark.browser

MOST_TABS = 60  # stops on one page before something counts as out of reach
READY = 60_000

FOCUSED = """() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const ring = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== 'none';
    const name = at.getAttribute('aria-label') || (at.labels?.[0] ?? at).textContent || '';
    return { name: name.trim().replace(/\\s+/g, ' '), ring, tag: at.tagName, box: at.getBoundingClientRect().toJSON() };
}"""


def reach(page, name: str, tag: str = "") -> None:
    """Tabs on to the control of that name; every stop on the way must show where the focus is."""
    for _stop in range(MOST_TABS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUSED)
        if focus["tag"] == "BODY":
            continue
        assert focus["ring"] or focus["tag"] == "VIDEO", f"no focus ring on {focus['name']!r} at {page.url}"
        assert focus["box"]["width"] > 0, f"the focus is on something unseen: {focus['name']!r}"
        if focus["name"].startswith(name) and tag in ("", focus["tag"]):
            return
    raise AssertionError(f"{name!r} can't be reached at {page.url}")


def write(page, name: str, words: str) -> None:
    reach(page, name)
    page.keyboard.type(words)


def press(page, name: str, key: str = "Enter", tag: str = "") -> None:
    reach(page, name, tag)
    page.keyboard.press(key)


def log_in(page, who: str) -> None:
    from .conftest import PASSWORD

    page.goto("/")
    press(page, "Log in")
    page.wait_for_url(re.compile("/accounts/login/"))
    write(page, "Email", f"{who}@example.com")
    write(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def test_from_a_prompt_to_the_gallery_without_a_mouse(visitor):
    artist, reviewer = visitor(), visitor()
    log_in(artist, "artist")
    artist.goto("/studio/")
    write(artist, "Prompt", "a green ball on a field by day")
    artist.keyboard.press("Control+Enter")
    artist.wait_for_url(re.compile("/studio/jobs/"))
    artist.get_by_role("link", name="Open the clip").wait_for(timeout=READY)
    press(artist, "Open the clip")
    artist.wait_for_url(re.compile("/studio/clips/"))
    write(artist, "Title", "By hand")
    press(artist, "Submit for review")
    artist.wait_for_url(re.compile("/studio/submissions/"))
    artist.get_by_role("heading", name="Next to be reviewed").wait_for(timeout=READY)

    log_in(reviewer, "reviewer")
    press(reviewer, "Review the next one")
    reviewer.wait_for_url(re.compile("/desk/submissions/"))
    press(reviewer, "Approve", tag="BUTTON")
    reviewer.wait_for_timeout(800)  # the second half of a double press is no word
    press(reviewer, "Send now")
    reviewer.wait_for_url(re.compile("/desk/$"))

    artist.reload()
    press(artist, "Publish")
    artist.get_by_text("It is public now.").wait_for()
