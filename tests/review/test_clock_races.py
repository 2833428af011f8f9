"""Two sweeps, and acts that meet a sweep, on PostgreSQL: everything once, and nobody waits for anybody for ever."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Notice
from review import asking, clocks, gate, queue
from review.models import Clock, Decision, Milestone, Question, Reply, Submission
from review.permissions import Conflict
from tests import factories

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


def due(count: int) -> list[Submission]:
    found = [factories.submission() for _number in range(count)]
    Clock.objects.update(due_at=timezone.now(), rings_at=timezone.now() - timedelta(hours=24))
    return found


def outcome(act, *args, **kwargs):
    try:
        return act(*args, **kwargs)
    except Conflict:
        return None


def test_four_sweeps_at_once_pass_each_milestone_once():
    lead, reviewers = factories.member("lead"), [factories.member("reviewer") for _number in range(3)]
    found = due(8)
    sum_of = sum(at_once(*[clocks.ring_due] * 4))
    left = clocks.ring_due()  # what a lock was held on when each of them looked
    assert sum_of + left == 3 * len(found) == Milestone.objects.count()
    for user in reviewers:
        assert Notice.objects.filter(user=user, kind="review-half").count() == 1
    assert Notice.objects.filter(user=lead, kind="review-late").count() == 1
    assert Notice.objects.filter(kind="submission-late").count() == len(found)


def test_a_sweep_passes_over_whom_somebody_decides_on_and_waits_for_nobody():
    (submission,) = due(1)
    reviewer = factories.member("reviewer")
    assert queue.claim(submission, by=reviewer)

    def decide():
        return gate.decide(submission, by=reviewer, outcome="approve", content_hash=submission.content_hash)

    held_up(
        Submission,
        submission.pk,
        decide,
        meanwhile=lambda: None if not at_once(clocks.ring_due)[0] else 1 / 0,
    )
    assert Decision.objects.count() == 1
    assert clocks.ring_due() == 0
    assert not Milestone.objects.exists(), "it was decided first"


def test_sweeps_and_acts_at_once_never_lock_each_other_out():
    for _round in range(5):
        submissions = due(3)
        reviewers = [factories.member("reviewer") for _each in submissions]
        for submission, reviewer in zip(submissions, reviewers, strict=True):
            assert queue.claim(submission, by=reviewer)

        acts = [
            lambda s=submission, r=reviewer: outcome(asking.ask, s, by=r, text="Why?")
            for submission, reviewer in zip(submissions, reviewers, strict=True)
        ]
        at_once(clocks.ring_due, clocks.ring_due, *acts)
        assert Question.objects.filter(submission__in=submissions).count() == 3
        assert Clock.objects.paused().filter(submission__in=submissions).count() == 3


def test_two_questions_at_once_are_one():
    submission, reviewer = factories.submission(), factories.member("reviewer")
    assert queue.claim(submission, by=reviewer)
    told = held_up(
        Submission,
        submission.pk,
        *[
            lambda text=text: outcome(asking.ask, submission, by=reviewer, text=text)
            for text in ("One?", "Two?")
        ],
    )
    assert sum(each is not None for each in told) == 1
    assert Question.objects.count() == 1


def test_a_question_and_a_decision_at_once_leave_the_clock_as_whoever_was_last_found_it():
    submission, reviewer = factories.submission(), factories.member("reviewer")
    assert queue.claim(submission, by=reviewer)

    def decide():
        return gate.decide(submission, by=reviewer, outcome="approve", content_hash=submission.content_hash)

    asked, decided = held_up(
        Submission,
        submission.pk,
        lambda: outcome(asking.ask, submission, by=reviewer, text="Why?"),
        lambda: outcome(decide),
    )
    assert (asked is None) != (decided is None), "the claim is gone with either"
    clock = Clock.objects.get()
    assert (clock.paused_at is not None, clock.stopped_at is not None) == (bool(asked), bool(decided))


def test_the_same_answer_twice_at_once_moves_the_clock_once():
    submission = factories.submission()
    factories.asked(submission)
    Clock.objects.update(paused_at=timezone.now() - timedelta(hours=5))
    due_at = Clock.objects.get().due_at
    reply = lambda: asking.reply(submission, by=submission.artist, number=1, text="Mine.")  # noqa: E731
    first, second = held_up(Submission, submission.pk, reply, reply)
    assert first == second
    assert Reply.objects.count() == 1
    assert timedelta(hours=5) <= Clock.objects.get().due_at - due_at < timedelta(hours=5, minutes=1)
