"""Two workers, or a worker and an artist, at one submission: it is sealed once, by one of them, or not at all."""

import pytest
from django.db import connection

from accounts.models import AuditEntry
from review import leases, making, preparing, sealing
from review.models import Preparation, PublicFile, StaffCopy, Submission, Withdrawal
from tests import factories

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]
ROUNDS = 5


def sent():
    artist = factories.member()
    return sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")


def trying(act, *args, **kwargs):
    def tried():
        try:
            act(*args, **kwargs)
        except leases.Lost:
            return False
        return True

    return tried


def test_of_eight_workers_each_preparation_is_taken_by_one():
    waiting = {sent().pk for _number in range(6)}
    taken = [work.submission_id for work in at_once(*[leases.claim_next] * 8) if work]
    while (work := leases.claim_next()) is not None:  # those that all eight saw locked
        taken.append(work.submission_id)
    assert sorted(taken) == sorted(waiting)


def test_workers_that_make_it_at_the_same_time_seal_it_once():
    for _round in range(ROUNDS):
        submission = sent()
        first = leases.claim_next()
        Preparation.objects.filter(pk=first.pk).update(lease_until=first.asked_at)  # it seemed silent
        second = leases.claim_next()
        made = [factories._public_files(), factories._public_files()]
        won = held_up(
            Submission,
            submission.pk,
            trying(preparing.finish, first, made[0]),
            trying(preparing.finish, second, made[1]),
        )
        assert won == [False, True]
        kept = set(PublicFile.objects.filter(submission=submission).values_list("sha256", flat=True))
        assert kept == {file.sha256 for file in made[1]}
        assert AuditEntry.objects.filter(subject=f"submission:{submission.pk}").count() == 2


def test_a_withdrawal_and_a_seal_at_once_leave_a_withdrawn_submission_sealed_or_not_but_never_in_between():
    for _round in range(ROUNDS):
        submission = sent()
        work = leases.claim_next()
        sealed, _withdrawn = held_up(
            Submission,
            submission.pk,
            trying(preparing.finish, work, factories._public_files()),
            trying(sealing.withdraw, submission, by=submission.artist),
        )
        found = Submission.objects.get(pk=submission.pk)
        assert Withdrawal.objects.filter(submission=submission).exists()
        assert (found.content_hash is not None) == sealed == found.files.exists()
        assert not Submission.objects.waiting().exists()


def test_two_whole_workers_at_once_make_all_and_none_twice():
    waiting = [sent() for _number in range(4)]
    taken = at_once(making.work, making.work)
    assert sum(taken) == 4
    for submission in waiting:
        found = Submission.objects.get(pk=submission.pk)
        assert (found.state, found.files.count()) == ("waiting", 3)
    assert AuditEntry.objects.filter(act="submission.sealed").count() == 4


def test_two_pages_that_ask_for_a_copy_at_once_ask_for_one():
    from review import copying

    submission, reviewer = factories.submission(), factories.member("reviewer")
    asked = at_once(*[lambda: copying.ask(submission, viewer=reviewer).pk] * 4)
    assert len(set(asked)) == StaffCopy.objects.count() == 1
