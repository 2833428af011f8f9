"""The room in a real browser: a claim that lasts as long as its holder is there, and a decision that can be undone."""

import re
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from .conftest import opened_without_worker, visitors_of
from .test_access import sideways, violations

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("free")]

WHOLE_HOLD = "00:09"
MAKE = """
from accounts.models import User
from tests import factories
artist = User.objects.get(email="artist@example.com")
for number in range(40):
    factories.submission(artist=artist, title=f"Work {number}")
second = factories.member("reviewer", email="second@example.com")
second.set_password("browser-Suite-2026")
second.save()
"""
CLAIMED_UNTIL = """
from review.models import Claim
from django.utils import timezone
claim = Claim.objects.filter(submission="{pk}").first()
print(claim and (claim.reviewer.email, round((claim.expires_at - timezone.now()).total_seconds())))
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A house with a long queue, and two reviewers; nothing is made in it, so that no worker is needed."""
    with opened_without_worker(tmp_path_factory.mktemp("desk"), MAKE, SORAHUB_TESTCARD="1") as made:
        yield made


@pytest.fixture
def come(chromium, desk):
    with visitors_of(desk, chromium) as come:
        yield come


@pytest.fixture
def reviewer(come):
    """With a clock of the page's own, so that minutes pass at a word."""
    page = come("reviewer")
    page.clock.install()
    return page


@pytest.fixture
def free(desk):
    """Nothing is claimed when a test begins, whatever the one before left."""
    desk.manage("shell", "-v0", "-c", "from review.models import Claim; Claim.objects.all().delete()")


def enter(page) -> str:
    """Into the next room, by the desk; returns the submission's id."""
    page.goto("/desk/")
    with beating(page):
        page.get_by_role("button", name=re.compile("Review the next one|Go on with your clip")).click()
    return re.search(r"submissions/([^/]+)/", page.url)[1]


@contextmanager
def beating(page):
    """Waits for the page's sign of life that what is done here brings about."""
    with page.expect_response(re.compile("/renewal/")) as answer:
        yield answer
    answer.value.finished()


def holder(desk, pk: str) -> tuple[str, int] | None:
    """Who holds the claim, and for how many seconds from now on."""
    told = desk.manage("shell", "-v0", "-c", CLAIMED_UNTIL.format(pk=pk))
    return None if told == "None" else eval(told)


def shorten(desk, pk: str, seconds: int) -> None:
    code = (
        "from datetime import timedelta; from django.utils import timezone; from review.models import Claim;"
        f"Claim.objects.filter(submission='{pk}').update(expires_at=timezone.now() + timedelta(seconds={seconds}))"
    )
    desk.manage("shell", "-v0", "-c", code)


def decided(page, pk: str) -> bool:
    """Asked of the room itself, from another page, so that nothing in this one changes."""
    return "Approved by a reviewer" in page.request.get(f"/desk/submissions/{pk}/").text()


def approve(page) -> None:
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Approving", exact=True)).to_be_visible()


# --- The claim -------------------------------------------------------------------------------------------


def test_any_line_at_the_desk_is_claimed_by_its_own_button(reviewer, desk):
    reviewer.goto("/desk/")
    line = reviewer.locator(".desk-item", has_text="Work 7")
    with beating(reviewer):
        line.get_by_role("button", name="Claim").click()
    expect(reviewer.get_by_role("heading", level=1)).to_contain_text("Work 7")
    pk = re.search(r"submissions/([^/]+)/", reviewer.url)[1]
    assert holder(desk, pk)[0] == "reviewer@example.com"
    reviewer.goto("/desk/")
    expect(line.get_by_role("link", name="Yours")).to_be_visible()


def test_the_claim_is_renewed_while_somebody_is_there(reviewer, desk):
    pk = enter(reviewer)
    shorten(desk, pk, 60)
    reviewer.clock.fast_forward("00:20")
    reviewer.mouse.move(200, 200)
    with beating(reviewer):
        reviewer.clock.fast_forward("00:15")
    who, left = holder(desk, pk)
    assert (who, left > 280) == ("reviewer@example.com", True)
    expect(reviewer.get_by_text("Yours for 5 min")).to_be_visible()


def test_nobody_there_for_five_minutes_frees_it_and_keeps_what_was_typed(reviewer, desk):
    pk = enter(reviewer)
    reviewer.fill("[name=note]", "Half a sentence")
    reviewer.clock.fast_forward("04:20")
    expect(reviewer.get_by_text(re.compile(r"Goes back in \d+ s, unless you go on"))).to_be_visible()
    with reviewer.expect_response(re.compile("/leaving/")):
        reviewer.clock.fast_forward("00:45")
    expect(reviewer.get_by_role("alert")).to_contain_text("You were away for 5 minutes")
    assert holder(desk, pk)[1] <= 10
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")
    expect(reviewer.get_by_role("button", name="Approve", exact=True)).to_be_disabled()

    with beating(reviewer):
        reviewer.get_by_role("button", name="Claim it again").click()
    expect(reviewer.get_by_role("alert")).to_be_hidden()
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")
    expect(reviewer.get_by_role("button", name="Approve", exact=True)).to_be_enabled()
    assert holder(desk, pk)[1] > 280


def test_a_claim_lost_to_somebody_else_is_said_and_keeps_what_was_typed(reviewer, come, desk):
    pk = enter(reviewer)
    reviewer.fill("[name=note]", "Half a sentence")
    shorten(desk, pk, -1)
    second = come("second")
    assert enter(second) == pk
    reviewer.mouse.move(100, 100)
    with beating(reviewer):
        reviewer.clock.fast_forward("00:35")
    expect(reviewer.get_by_role("alert")).to_contain_text("somebody else has claimed it meanwhile")
    with beating(reviewer):
        reviewer.get_by_role("button", name="Claim it again").click()
    expect(reviewer.get_by_role("alert")).to_contain_text("somebody else has claimed it meanwhile")
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")
    assert holder(desk, pk)[0] == "second@example.com"


def test_leaving_the_room_frees_it(reviewer, come, desk):
    pk = enter(reviewer)
    reviewer.goto("/policy/")
    assert soon(lambda: holder(desk, pk)[1] <= 10)
    pk = enter(reviewer)
    assert holder(desk, pk)[1] > 280
    reviewer.close()
    reviewer.context.new_page().goto("/policy/")
    assert soon(lambda: holder(desk, pk)[1] <= 10)


def soon(holds, seconds: float = 5) -> bool:
    """What a page says on its way out arrives a moment after it is gone."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_a_reload_and_the_way_back_lose_nothing(reviewer, desk):
    pk = enter(reviewer)
    reviewer.fill("[name=note]", "Half a sentence")
    reviewer.get_by_label("Hatred").check()
    with beating(reviewer):
        reviewer.reload()
    assert holder(desk, pk)[1] > 280
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")
    expect(reviewer.get_by_label("Hatred")).to_be_checked()
    reviewer.goto("/policy/")
    with beating(reviewer):
        reviewer.go_back()
    assert holder(desk, pk)[1] > 280
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")


def test_of_two_tabs_the_one_that_stays_keeps_it(reviewer, desk):
    pk = enter(reviewer)
    other = reviewer.context.new_page()
    with beating(other):
        other.goto(f"/desk/submissions/{pk}/")
    with beating(reviewer):
        other.close()
    assert holder(desk, pk)[1] > 280


# --- The decision ------------------------------------------------------------------------------------------


def test_a_decision_goes_out_after_its_eight_seconds(reviewer):
    pk = enter(reviewer)
    approve(reviewer)
    reviewer.clock.fast_forward("00:04")
    expect(reviewer.get_by_text(re.compile("in [34] s"))).to_be_visible()
    assert not decided(reviewer, pk)
    reviewer.clock.fast_forward("00:05")
    reviewer.wait_for_url(re.compile(r"/desk/$"))
    expect(reviewer.get_by_text("Approved.", exact=True)).to_be_visible()
    assert decided(reviewer, pk)


@pytest.mark.parametrize("how", ["button", "escape"])
def test_a_decision_is_undone_within_them(reviewer, how):
    pk = enter(reviewer)
    reviewer.fill("[name=note]", "Half a sentence")
    approve(reviewer)
    expect(reviewer.locator("[data-hold-status]")).to_contain_text("sent in 8 seconds")
    expect(reviewer.get_by_role("button", name="Undo")).to_be_focused()
    reviewer.clock.fast_forward("00:05")
    if how == "button":
        reviewer.get_by_role("button", name="Undo").click()
    else:
        reviewer.keyboard.press("Escape")
    expect(reviewer.locator("[data-hold-status]")).to_contain_text("Undone. Nothing was sent.")
    expect(reviewer.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    reviewer.clock.fast_forward(WHOLE_HOLD)
    expect(reviewer.locator("[name=note]")).to_have_value("Half a sentence")
    assert not decided(reviewer, pk)


def test_a_double_click_neither_undoes_nor_sends(reviewer):
    pk = enter(reviewer)
    reviewer.clock.pause_at(reviewer.evaluate("Date.now()") / 1000 + 1)
    reviewer.get_by_role("button", name="Approve", exact=True).dblclick(no_wait_after=True)
    for name in ("Undo", "Send now"):
        reviewer.get_by_role("button", name=name).click()  # in the same moment
        expect(reviewer.get_by_text("Approving", exact=True)).to_be_visible()
    assert not decided(reviewer, pk)
    reviewer.clock.run_for(9000)
    reviewer.wait_for_url(re.compile(r"/desk/$"))
    assert decided(reviewer, pk)


def test_send_now_is_for_the_hurried(reviewer):
    pk = enter(reviewer)
    approve(reviewer)
    reviewer.clock.fast_forward("00:01")
    reviewer.get_by_role("button", name="Send now").click()
    reviewer.wait_for_url(re.compile(r"/desk/$"))
    assert decided(reviewer, pk)


def test_a_refusal_without_its_reasons_is_told_so_at_once(reviewer):
    enter(reviewer)
    reviewer.get_by_role("button", name="Refuse", exact=True).click()
    expect(reviewer.get_by_text("A refusal names at least one clause")).to_be_visible()


def test_a_tab_closed_meanwhile_sends_nothing_and_asks_before(reviewer, come, desk):
    pk = enter(reviewer)
    approve(reviewer)
    asked = []
    reviewer.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    reviewer.close(run_before_unload=True)
    reviewer.wait_for_event("close") if not reviewer.is_closed() else None
    assert asked == ["beforeunload"]
    second = come("second")
    assert not decided(second, pk)
    assert holder(desk, pk)[1] <= 10
    shorten(desk, pk, -1)
    assert enter(second) == pk


def test_a_claim_lost_meanwhile_undoes_the_decision(reviewer, desk):
    pk = enter(reviewer)
    reviewer.clock.fast_forward("00:31")
    shorten(desk, pk, -1)
    reviewer.clock.pause_at(reviewer.evaluate("Date.now()") / 1000 + 1)
    reviewer.get_by_role("button", name="Approve", exact=True).click()
    with beating(reviewer):
        reviewer.clock.run_for(2000)
    expect(reviewer.get_by_role("alert")).to_contain_text("Your claim on this clip has ended")
    expect(reviewer.get_by_text("Approving", exact=True)).to_be_hidden()
    reviewer.clock.run_for(9000)
    assert not decided(reviewer, pk)


def test_without_javascript_a_decision_is_sent_at_once(come):
    page = come("reviewer", java_script_enabled=False)
    page.goto("/desk/")
    page.get_by_role("button", name=re.compile("Review the next one|Go on with your clip")).click()
    pk = re.search(r"submissions/([^/]+)/", page.url)[1]
    expect(page.get_by_text("Yours for 5 minutes")).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    page.wait_for_url(re.compile(r"/desk/$"))
    assert decided(page, pk)


# --- Stepping aside ------------------------------------------------------------------------------------------


def test_pass_and_recuse_with_a_reason(reviewer, desk):
    passed = enter(reviewer)
    reviewer.get_by_text("Not now, or not you?").click()
    reviewer.get_by_role("button", name="Pass").click()
    expect(reviewer.get_by_text("Say why: the other reviewers will read it.")).to_be_visible()
    reviewer.get_by_label("Reason", exact=True).fill("Tomorrow.")
    reviewer.get_by_role("button", name="Pass").click()
    expect(reviewer.get_by_text("Passed on. You are offered others first.")).to_be_visible()

    recused = enter(reviewer)
    assert recused != passed
    reviewer.get_by_text("Not now, or not you?").click()
    reviewer.get_by_label("Reason", exact=True).fill("The artist is a friend.")
    reviewer.get_by_role("button", name="Recuse myself").click()
    expect(reviewer.get_by_text("You have recused yourself")).to_be_visible()
    reviewer.goto(f"/desk/submissions/{recused}/")
    expect(reviewer.get_by_text("somebody else decides on it")).to_be_visible()
    expect(reviewer.get_by_text("The artist is a friend.")).to_be_visible()
    assert holder(desk, recused) is None
    assert enter(reviewer) not in (passed, recused)


# --- On paper ------------------------------------------------------------------------------------------------


def test_a_decision_prints_as_a_record_and_nothing_else(reviewer):
    pk = enter(reviewer)
    reviewer.fill("[name=note]", "Without the logo, please.")
    reviewer.get_by_label("Someone else's work").check()
    reviewer.get_by_role("button", name="Refuse", exact=True).click()
    reviewer.clock.fast_forward(WHOLE_HOLD)
    reviewer.wait_for_url(re.compile(r"/desk/$"))
    reviewer.goto(f"/desk/submissions/{pk}/")
    reviewer.emulate_media(media="print")
    paper = reviewer.locator("body").inner_text()
    for word in (
        "Refused by a reviewer",
        "closely enough to be taken for it",
        "Without the logo",
        "version 2026-11",
    ):
        assert word in paper
    assert re.search(r"\b[0-9a-f]{64}\b", paper)
    for word in ("Log out", "Gallery", "History", "Prompt", "Demo Reviewer"):
        assert word not in paper
    assert reviewer.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


# --- For everybody ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width,scheme", [(1440, "dark"), (390, "light")])
def test_the_room_shuts_nobody_out_in_any_of_its_states(come, width, scheme):
    page = come("reviewer", width=width, scheme=scheme)
    page.clock.install()
    enter(page)
    found = {"claimed": violations(page) + sideways(page)}
    page.get_by_role("button", name="Approve", exact=True).click()
    found["held"] = violations(page) + sideways(page)
    page.keyboard.press("Escape")
    page.clock.fast_forward("05:30")
    expect(page.get_by_role("alert")).to_be_visible()
    found["lost"] = violations(page) + sideways(page)
    page.get_by_text("Not now, or not you?").click()
    page.get_by_role("button", name="Pass").click()
    expect(page.get_by_text("Say why")).to_be_visible()
    found["asked why"] = violations(page) + sideways(page)
    assert not any(found.values()), found
