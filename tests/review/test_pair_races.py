"""Two pairs of eyes when acts meet at the submission's row, on PostgreSQL: never two decisions, nor one by one."""

import pytest
from django.db import IntegrityError, connection

from review import gate, queue, sensitivity
from review.models import Assessment, Claim, Decision, Sensitivity, Submission
from review.permissions import Conflict
from tests import factories

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]
ROUNDS = 6


def says(submission, by, outcome="approve"):
    """Claims it as long as it takes, and says so."""

    def act():
        words = {"reasons": ["rights"], "note": "Why."} if outcome == "refuse" else {}
        for _try in range(200):
            if queue.claim(submission, by=by):
                try:
                    return gate.decide(
                        submission, by=by, outcome=outcome, content_hash=submission.content_hash, **words
                    )
                except Conflict:
                    return None
        return None

    return act


def marks(submission, by=None, source="reviewer"):
    def act():
        try:
            return sensitivity.mark(submission, kind="sensitive", why="Why.", source=source, by=by)
        except Conflict:
            return None

    return act


def test_two_assessors_at_once_never_make_two_decisions_nor_one_by_one():
    people = [factories.member("reviewer") for _person in range(3)]
    for _round in range(ROUNDS):
        submission = factories.marked()
        at_once(*(says(submission, by) for by in people))
        said = Assessment.objects.filter(submission=submission)
        decision = Decision.objects.get(submission=submission)
        assert said.count() == 2
        assert {decision.by} < {each.by for each in said}


def test_who_writes_without_the_lock_is_refused_by_the_database():
    """Both were told that they may, and only one of them has said anything by then."""
    submission = factories.marked()
    first, second = (factories.member("reviewer") for _person in range(2))
    said = {"submission": submission, "outcome": "approve", "content_hash": submission.content_hash}
    said |= {"policy_version": "2026-11"}

    def act(by):
        try:
            Assessment.objects.create(by=by, **said)
            return Decision.objects.create(by=by, **said)
        except IntegrityError:
            return None

    made = at_once(lambda: act(first), lambda: act(second))
    decisions = Decision.objects.filter(submission=submission)
    assert decisions.count() == len([each for each in made if each]) <= 1
    assert Assessment.objects.count() == 2


def test_a_mark_that_races_a_decision_never_ends_in_an_approval_by_one():
    reviewer, other = (factories.member("reviewer") for _person in range(2))
    ends = set()
    for number in range(ROUNDS):
        submission = factories.submission()
        assert queue.claim(submission, by=reviewer)
        acts = [says(submission, reviewer), marks(submission, other)]
        held_up(Submission, submission.pk, *(acts if number % 2 else acts[::-1]))
        is_marked = Sensitivity.objects.filter(submission=submission).exists()
        is_decided = Decision.objects.filter(submission=submission).exists()
        assert is_marked != is_decided
        assert Assessment.objects.filter(submission=submission).exists() == is_marked
        ends.add(is_marked)
    assert ends  # whichever came first; both are right


@pytest.mark.parametrize("meanwhile", ["mark", "decision"])
def test_who_comes_second_sees_what_the_first_did(meanwhile):
    reviewer, other = (factories.member("reviewer") for _person in range(2))
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    decide, mark = says(submission, reviewer), marks(submission, source="machine")
    if meanwhile == "mark":
        assert isinstance(held_up(Submission, submission.pk, decide, meanwhile=mark)[0], Assessment)
        assert not Claim.objects.filter(submission=submission).exists()
        assert isinstance(says(submission, other)(), Decision)
    else:
        assert held_up(Submission, submission.pk, mark, meanwhile=decide) == [None]
        assert Decision.objects.get().by == reviewer
        assert not Sensitivity.objects.exists()


def test_two_marks_at_once_are_one():
    submission = factories.submission()
    people = [factories.member("reviewer") for _person in range(2)]
    made = held_up(Submission, submission.pk, *(marks(submission, by) for by in people))
    assert {each.pk for each in made} == {Sensitivity.objects.get().pk}
