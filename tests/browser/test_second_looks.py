"""A second look from the list to the numbers, in a real browser: open to everybody, in the dark and in the light."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import opened_without_worker, visitors_of
from .test_access import SIGHTS, sideways, violations

pytestmark = pytest.mark.browser

MAKE = """
from datetime import timedelta
from django.db.models import F
from accounts.models import User
from review import copying, making, second_looks
from review.models import Clock, Submission
from tests import factories
artist, first = User.objects.get(email="artist@example.com"), factories.member("reviewer", name="Frida First")
lead = factories.member("lead", email="lead@example.com", name="Leonora Lead")
lead.set_password("browser-Suite-2026")
lead.save()
viewer = User.objects.get(email="reviewer@example.com")
for number in range(12):
    made = factories.submission(artist=artist, title=f"Work {number}", statement="A short study of going away.")
    factories.decision(made, "refuse" if number % 3 == 0 else "approve", by=(first, lead)[number % 2])
    Clock.objects.filter(submission=made).update(stopped_at=F("started_at") + timedelta(hours=3 + 3 * number))
for number in range(5):
    waits = factories.submission(artist=artist, title=f"Waiting {number}")
    Clock.objects.filter(submission=waits).update(due_at=F("due_at") - timedelta(hours=13 * number))
for work in Submission.objects.filter(title__in=["Work 0", "Work 1"]):
    copying.ask(work, viewer=viewer)
making.work()
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A house in which every decision gets a second look."""
    settings = {"SORAHUB_TESTCARD": "1", "SORAHUB_SECOND_LOOK": "1"}
    with opened_without_worker(tmp_path_factory.mktemp("seconds"), MAKE, **settings) as made:
        yield made


@pytest.fixture
def come(chromium, desk):
    with visitors_of(desk, chromium) as come:
        yield come


def test_from_the_list_to_what_a_lead_reads(come):
    page, found = come("reviewer", width=390), {}
    page.goto("/desk/")
    page.get_by_role("link", name="Second looks").click()
    page.get_by_role("link", name=re.compile("Look.*: Work 0$")).click()
    expect(page.get_by_role("heading", name="What would you have decided?")).to_be_visible()
    expect(page.locator("video")).to_be_visible()
    page.get_by_role("button", name="I would refuse").click()
    expect(page.get_by_text("A refusal names at least one clause of the policy.")).to_be_visible()
    found["form"] = violations(page) + sideways(page)
    page.get_by_label("Note").fill("I see nothing wrong in it.")
    page.get_by_role("button", name="I would approve").click()
    expect(page.get_by_role("heading", name="You disagree")).to_be_visible()
    expect(page.get_by_text("Frida First")).to_be_visible()
    found["both"] = violations(page) + sideways(page)
    page.get_by_role("link", name="Back to the second looks").click()
    found["list"] = violations(page) + sideways(page)
    lead = come("lead")
    lead.goto("/desk/")
    lead.get_by_role("link", name="Numbers").click()
    expect(lead.get_by_text("In 0 of them both came to the same outcome.")).to_be_visible()
    lead.get_by_role("link", name="Where we disagreed").click()
    expect(lead.get_by_text("I see nothing wrong in it.")).to_be_visible()
    found["disagreements"] = violations(lead) + sideways(lead)
    assert {where: faults for where, faults in found.items() if faults} == {}


@pytest.mark.parametrize("width,scheme", SIGHTS, ids=[f"{w}-{s}" for w, s in SIGHTS])
def test_the_numbers_shut_nobody_out(come, width, scheme):
    page = come("lead", width=width, scheme=scheme)
    page.goto("/desk/numbers/")
    expect(page.get_by_role("heading", name="The desk in numbers")).to_be_visible()
    page.get_by_text("The charts as tables").click()
    assert violations(page) + sideways(page) == []
