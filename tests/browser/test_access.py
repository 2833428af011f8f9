"""Every page for everybody: axe-core finds nothing, in the dark and in the light, on a desk and on a phone."""

import re
from importlib.resources import files

import pytest

from .conftest import first_link

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIGHTS = [(1440, "dark"), (1440, "light"), (390, "dark"), (390, "light")]
sights = pytest.mark.parametrize("width,scheme", SIGHTS, ids=[f"{w}-{s}" for w, s in SIGHTS])

# By person; a pattern stands for the first link like it on the page before it, words for a button there.
PAGES = {
    None: [
        "/",
        re.compile(r"^/watch/\w+/$"),
        re.compile(r"^/artists/\w+/$"),
        "/?q=nothing+is+called+that",
        "/policy/",
        "/policy/2026-11/",
        "/transparency/",
        "/verify/",
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-used-up/",
        "/accounts/signup/",
        "/nowhere/",
        "/invitations/wrong-key/",
    ],
    "artist": [
        "/studio/",
        re.compile(r"^/studio/clips/[\w-]+/$"),
        re.compile(r"^/studio/submissions/[\w-]+/$"),
        "/studio/compare/",
        re.compile(r"^/studio/compare/\?a=[\w-]+$"),
        re.compile(r"^/studio/compare/\?a=[\w-]+&b=[\w-]+$"),
        "/inbox/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/sessions/",
        "/accounts/reauthenticate/",
        "/allowance/",
        "/inbox/",
        "/desk/",
        "/standing/",
    ],
    "reviewer": [
        "/desk/",
        "/desk/?show=asked",
        "/desk/?show=free",
        re.compile(r"^/desk/submissions/[\w-]+/$"),
        "/desk/",
        "Review the next one|Go on with your clip",
    ],
    "admin": [
        "/program/",
        "/program/members/",
        re.compile(r"^/program/members/[\w-]{36}/$"),
        "/program/feedback/",
        "/program/cohorts/",
        re.compile(r"^/program/cohorts/\d+/$"),
        "/program/cohorts/new/",
        "/program/models/",
        "/program/ledger/",
        "/program/sightings/",
        "/program/uses/",
        "/program/audit/",
        "/program/policy/",
        "/program/invitations/new/",
        "/program/invitations/many/",
        "/program/invitations/",
        re.compile(r"^/program/invitations/[\w-]{36}/$"),
        "/studio/",
    ],
}


@sights
@pytest.mark.parametrize("who", PAGES, ids=[str(who or "stranger") for who in PAGES])
def test_no_page_shuts_anybody_out(onlooker, who, width, scheme):
    page, found = onlooker(who, width=width, scheme=scheme), {}
    for stop in PAGES[who]:
        go(page, stop)
        if faults := violations(page) + sideways(page):
            found[page.url] = faults
    assert found == {}


def go(page, stop: str | re.Pattern) -> None:
    if isinstance(stop, re.Pattern):
        page.goto(first_link(page, stop))
    elif stop.startswith("/"):
        page.goto(stop)
    else:
        page.get_by_role("button", name=re.compile(stop)).click()


def violations(page) -> list[str]:
    """What axe-core finds, a line each: the rule, and the element that breaks it."""
    page.evaluate(AXE)
    told = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    return [
        f"{rule['id']}: {node['html'][:160]} ({' '.join(check['message'] for check in node['any'][:1])})"
        for rule in told["violations"]
        for node in rule["nodes"]
    ]


def sideways(page) -> list[str]:
    """A page that scrolls to the side is broken on a phone."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"the page is {over} pixels wider than the window"] if over > 0 else []
