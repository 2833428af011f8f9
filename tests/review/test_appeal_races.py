"""Two people end an appeal at once, or an artist appeals and submits at once: one of them comes second, and is told."""

import pytest
from django.db import connection

from review import appealing, holding, reporting, sealing
from review.models import Appeal, Dismissal, Hearing, Inquiry, Report, ReportAnswer, Submission, Upholding
from review.permissions import NotAllowed
from tests import factories

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="threads and SQLite take turns anyway"),
]


def tried(act, *args, **kwargs):
    """The act as a thread does it: what came of it, or the sentence."""

    def _try():
        try:
            return act(*args, **kwargs)
        except NotAllowed as refusal:
            return str(refusal)

    return _try


@pytest.fixture
def appeal():
    return factories.appeal(hearer=factories.member("reviewer"))


def test_two_hearers_claim_and_one_gets_it():
    made, people = factories.appeal(), [factories.member("reviewer") for _ in range(4)]
    told = at_once(*(tried(appealing.claim, made, by=who) for who in people))
    assert told.count(None) == 1
    assert holding.holder_of(made.hearing) == people[told.index(None)]


def test_one_who_upholds_twice_opens_one_submission(appeal):
    by = Hearing.objects.get().holder
    acts = [tried(appealing.uphold, appeal, by=by) for _ in range(2)]
    first, second = held_up(Submission, appeal.submission_id, *acts)
    assert first == second
    assert Submission.objects.count() == 2


def test_upheld_and_dismissed_at_once_it_ends_one_way(appeal):
    by = Hearing.objects.get().holder
    acts = [tried(appealing.uphold, appeal, by=by), tried(appealing.dismiss, appeal, by=by, note="No.")]
    told = held_up(Submission, appeal.submission_id, *acts)
    assert sum(isinstance(each, str) for each in told) == 1
    assert Dismissal.objects.count() + Upholding.objects.count() == 1
    assert Submission.objects.count() == 1 + Upholding.objects.count()


def test_a_claim_that_is_lost_while_its_holder_waits_ends_nothing(appeal):
    by, other = Hearing.objects.get().holder, factories.member("reviewer")

    def taken_over():
        holding.release(appeal.hearing, by=by)
        holding.claim(appeal.hearing, by=other)

    (told,) = held_up(
        Submission, appeal.submission_id, tried(appealing.uphold, appeal, by=by), meanwhile=taken_over
    )
    assert other.name in told
    assert not Upholding.objects.exists()


def test_an_appeal_and_a_new_version_at_once_are_one_of_the_two():
    refused = factories.decision(factories.submission(), "refuse").submission
    words = {"title": "Again", "statement": ""}
    acts = [
        tried(appealing.appeal, refused, by=refused.artist, text="Look again."),
        tried(sealing.submit, refused.clip, by=refused.artist, **words),
    ]
    told = held_up(type(refused.clip), refused.clip_id, *acts)
    assert sum(isinstance(each, str) for each in told) == 1
    assert Appeal.objects.count() + Submission.objects.filter(version=2).count() == 1


def test_reports_that_come_at_once_count_up():
    public = factories.publication()
    acts = [
        tried(reporting.report, public, reason="hate", text=f"Report {number}.", email="")
        for number in range(4)
    ]
    at_once(*acts)
    assert sorted(Report.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_reports_are_answered_once(appeal):
    by, public = factories.member("reviewer"), factories.publication()
    inquiry = factories.inquiry(public, by=by)
    acts = [
        tried(reporting.answer, inquiry, by=by, outcome=outcome, note="So it is.", seen=1)
        for outcome in ("kept", "taken-down")
    ]
    told = held_up(Submission, public.submission.pk, *acts)
    assert sum(isinstance(each, str) for each in told) == 1
    assert ReportAnswer.objects.count() == 1
    assert Inquiry.objects.get().closed_at
