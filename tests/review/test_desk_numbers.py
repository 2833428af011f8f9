"""The desk's own numbers: right on both databases, for leads and admins alone, and no dearer with more rows."""

import csv
import io
import math
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import agreement, asking, desk_numbers, queue, second_looks
from review.models import Clock
from tests import factories

pytestmark = pytest.mark.django_db
NOW = f"{timezone.now():%Y-%m}"


@pytest.fixture
def lead(db):
    return factories.member("lead")


def decided(outcome="approve", *, hours: float, by=None, paused: float = 0, **more):
    """A decision whose clock had run for so many hours, and had stood still for others."""
    submission = factories.submission()
    made = factories.decision(submission, outcome, by=by, **more)
    times = {"stopped_at": F("started_at") + timedelta(hours=hours + paused)}
    Clock.objects.filter(submission=submission).update(due_at=F("due_at") + timedelta(hours=paused), **times)
    return made


def counted(period="30") -> desk_numbers.Numbers:
    return desk_numbers.count(desk_numbers.period(period))


def table(client, period="30") -> dict[tuple[str, str], str]:
    told = client.get(f"/desk/numbers.csv?period={period}")
    return {
        (row["figure"], row["of"]): row["value"]
        for row in csv.DictReader(io.StringIO(told.getvalue().decode()))
    }


def test_it_is_for_leads_and_admins(login, lead, admin, reviewer, artist):
    for path in ("/desk/numbers/", "/desk/numbers.csv"):
        for who, status in ((lead, 200), (admin, 200), (reviewer, 403), (artist, 403)):
            answer = login(who).get(path)
            assert answer.status_code == status
        assert {"private", "no-store"} <= set(login(lead).get(path)["Cache-Control"].split(", "))
        assert login().get(path).status_code == 302


def test_an_empty_house_has_numbers_too(login, lead):
    page = login(lead).get("/desk/numbers/").text
    assert "No second look was taken in this time." in page
    assert counted().median is None
    assert counted().agreement == agreement.Agreement(0, 0, None, None)


def test_each_decision_counts_where_it_belongs(login, lead):
    ann, bob = factories.member("reviewer", name="Ann"), factories.member("reviewer", name="bob")
    for number in range(5):
        decided(hours=number + 1, by=bob)
    decided("refuse", hours=10, by=ann, reasons=["rights", "hate"])
    decided("refuse", hours=20, by=bob, reasons=["hate"])
    told = counted()
    assert (told.decisions, told.approvals, told.refusals) == (7, 5, 2)
    assert told.clauses == {"rights": 1, "hate": 2}
    assert [(each.name, each.approvals, each.refusals, each.is_few) for each in told.reviewers] == [
        ("Ann", 0, 1, True),
        ("bob", 5, 1, False),
    ]
    assert [round(told.median / 3600, 3), round(told.p95 / 3600, 3)] == [4, 20]
    assert round(told.reviewers[1].median / 3600, 3) == 3
    assert told.reviewers[1].refused_percent == 17
    assert sum(part.approvals for part in told.parts) == 5
    assert (told.parts[-1].approvals, told.parts[-1].refusals) == (5, 2)
    page = login(lead).get("/desk/numbers/").text
    for words in ("Ann", "bob", "too few to tell", "17 %", "It is no ranking", "<svg"):
        assert words in page
    rows = table(login(lead))
    assert (rows["decisions", ""], rows["refused", "hate"], rows["median_seconds", ""]) == ("7", "2", "14400")
    assert (rows["decisions_by", "bob"], rows["median_seconds_by", "bob"]) == ("6", "10800")
    assert rows["median_seconds_by", "Ann"] == "", "of one person too few decisions tell nothing here either"


def test_pauses_don_t_count(reviewer):
    decided(hours=3, paused=50)
    told = counted()
    assert round(told.median / 3600, 3) == 3


def test_a_pause_that_lasted_until_the_decision_doesn_t_count_either(reviewer):
    """Decided without an answer: the clock stood from the question on."""
    submission = factories.submission()
    factories.asked(submission)
    Clock.objects.update(paused_at=F("started_at") + timedelta(hours=2))
    factories.decision(submission)
    Clock.objects.update(stopped_at=F("started_at") + timedelta(hours=40))
    assert round(counted().median / 3600, 3) == 2


def test_an_answered_question_takes_its_pause_off_as_the_clock_does(reviewer):
    submission = factories.submission()
    asked = factories.asked(submission)
    Clock.objects.update(paused_at=timezone.now() - timedelta(hours=5))
    asking.reply(submission, by=submission.artist, number=asked.number, text="Mine.")
    factories.decision(submission)
    assert counted().median < -4 * 3600, "five hours of pause, in a clock of a few seconds"


def test_a_decision_without_a_clock_counts_from_its_seal():
    made = factories.decision(factories.submission())
    Clock.objects.all().delete()
    expected = (made.at - made.submission.sealed_at).total_seconds()
    assert counted().median == pytest.approx(expected, abs=0.01)


def test_percentiles_are_by_nearest_rank():
    """As Python would count them, from any number of decisions on."""
    drawn = random.Random(5)
    hours: list[float] = []
    for _number in range(23):
        hours.append(round(drawn.uniform(0.5, 40), 2))
        decided(hours=hours[-1])
    told, hours = counted(), sorted(hours)
    for seconds, percent in ((told.median, 50), (told.p95, 95)):
        assert seconds / 3600 == pytest.approx(hours[math.ceil(len(hours) * percent / 100) - 1], abs=0.001)


def test_what_waits_is_told_by_how_much_of_its_promise_is_over(login, lead, settings):
    settings.REVIEW_DEADLINE = timedelta(hours=48)
    for over in (1, 11.5, 13, 25, 37, 47, 49, 500):
        submission = factories.submission()
        Clock.objects.filter(submission=submission).update(due_at=timezone.now() + timedelta(hours=48 - over))
    factories.asked(factories.submission())
    told = counted()
    assert (told.waiting, told.asked) == ([2, 1, 1, 2, 2], 1)
    rows = table(login(lead))
    assert (rows["waiting_until_hours", "12.0"], rows["waiting", "late"]) == ("2", "2")
    assert "past the deadline" in login(lead).get("/desk/numbers/").text


def test_a_period_is_one_that_there_is(login, lead):
    decided(hours=1)
    for period, many in (
        ("30", 1),
        ("90", 1),
        (NOW, 1),
        ("2001-01", 0),
        ("nonsense", 1),
        ("2026-13", 1),
        ("\0", 1),
    ):
        answer = login(lead).get("/desk/numbers/", {"period": period})
        assert answer.status_code == 200, period
        assert answer.context["told"].decisions == many, period
    assert desk_numbers.period("nonsense").name == "30"
    for period in ("30", "90", "2026-02", "2026-03"):
        asked = desk_numbers.period(period)
        parts = desk_numbers.count(asked).parts
        assert 9 <= len(parts) <= 12
        assert parts[0].begin == asked.begin
        assert asked.end - asked.step <= parts[-1].begin < asked.end


# --- Agreement -------------------------------------------------------------------------------------------


def test_second_looks_are_told_as_agreement(login, lead, settings, reviewer):
    settings.SECOND_LOOK = 1.0
    first = factories.member("reviewer")
    for outcome, other in (("approve", "approve"), ("refuse", "refuse"), ("refuse", "approve")):
        made = factories.decision(factories.submission(), outcome, by=first)
        second_looks.say(
            made.submission, by=reviewer, outcome=other, reasons=["hate"] if other == "refuse" else []
        )
    told = counted().agreement
    assert (told.seen, told.agreed, told.kappa) == (3, 2, None)
    page = login(lead).get("/desk/numbers/").text
    assert "67 % (21 – 94 %)" in page
    assert "told from 30 second looks on" in page
    assert table(login(lead))["agreement", "low"] == "0.2077"


def test_kappa_is_as_the_books_have_it():
    counts = {("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}
    found, low, high = agreement.kappa(counts)
    assert found == pytest.approx(0.4)  # 0.7 agreed, 0.5 by chance
    assert (low, high) == (pytest.approx(0.1511, abs=1e-3), pytest.approx(0.6489, abs=1e-3))
    assert agreement.kappa({("a", "a"): 40}) is None
    assert agreement.kappa({}) is None
    assert agreement.kappa({("a", "a"): 20, ("b", "b"): 20}) == (1, 1, 1)
    assert agreement.kappa({("a", "b"): 20, ("b", "a"): 20})[0] == -1


def test_wilson_s_interval_holds_at_the_ends():
    share, low, high = agreement.wilson(10, 10)
    assert (share, high) == (1, pytest.approx(1))
    assert low == pytest.approx(0.7225, abs=1e-4)
    assert agreement.wilson(0, 0) is None


# --- The price -------------------------------------------------------------------------------------------


def cost(client, path) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
        assert answer.status_code == 200
        answer.getvalue()
    return len(queries)


def test_the_page_costs_the_same_with_one_row_and_with_many(login, lead, settings):
    settings.SECOND_LOOK = 1.0
    made = decided("refuse", hours=1)
    client = login(lead)
    before = [
        cost(client, path) for path in ("/desk/numbers/", "/desk/numbers.csv", "/desk/numbers/?period=90")
    ]
    for number in range(7):
        decided("refuse" if number % 2 else "approve", hours=number, reasons=["hate", "rights"])
        assert queue.claim(factories.submission(), by=factories.member("reviewer"))
    second_looks.say(made.submission, by=factories.member("reviewer"), outcome="approve")
    factories.policy_version()
    assert before == [
        cost(client, path) for path in ("/desk/numbers/", "/desk/numbers.csv", "/desk/numbers/?period=90")
    ]
