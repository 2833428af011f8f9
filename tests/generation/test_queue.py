"""Whose job runs next, and that one job makes one clip whatever workers, members and the clock do."""

import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from generation import queue
from generation.models import Attempt, Clip, Job, Rendition
from tests import factories

from .claiming import claims, finish, let_lapse, serve_all

pytestmark = pytest.mark.django_db


def test_a_member_with_thirty_jobs_keeps_nobody_with_one_waiting(settings):
    settings.MAX_QUEUED = 30
    busy, others = factories.member(), [factories.member() for _ in range(5)]
    many = [factories.job(busy) for _ in range(30)]
    single = [factories.job(other) for other in others]
    order = serve_all()
    assert set(order[:6]) == {many[0].pk, *(job.pk for job in single)}
    assert order[6:] == [job.pk for job in many[1:]]


def test_the_member_served_longest_ago_comes_first(settings):
    members = [factories.member() for _ in range(3)]
    for member in members:
        factories.job(member)
    first_round = [Job.objects.get(pk=pk).owner_id for pk in serve_all()]
    for member in reversed(members):
        factories.job(member)
    newcomer = factories.member()
    factories.job(newcomer)
    second_round = [Job.objects.get(pk=pk).owner_id for pk in serve_all()]
    assert second_round == [newcomer.pk, *first_round]


def test_a_member_runs_no_more_jobs_at_once_than_the_cap(settings, artist):
    settings.MAX_RUNNING = 2
    waiting = [factories.job(artist) for _ in range(3)]
    first, second, third = claims(3)
    assert ([first.job_id, second.job_id], third) == ([waiting[0].pk, waiting[1].pk], None)
    assert not queue.is_waiting()
    assert finish(first)
    assert queue.is_waiting()
    assert claims()[0].job_id == waiting[2].pk


def test_one_job_is_claimed_once(artist):
    job = factories.job(artist)
    attempt, nothing = claims(2)
    job.refresh_from_db()
    assert (attempt.job_id, attempt.number, nothing) == (job.pk, 1, None)
    assert (job.status, job.attempts_made) == ("running", 1)
    assert job.started_at is not None


def test_a_renewal_extends_the_lease_and_tells_the_progress(settings, artist):
    factories.job(artist)
    (attempt,) = claims()
    before = Attempt.objects.get().lease_until
    time.sleep(0.01)
    assert queue.renew(attempt, stage="denoising", step=3)
    now = Attempt.objects.get()
    assert (now.stage, now.step) == ("denoising", 3)
    assert now.lease_until > before
    assert abs(now.lease_until - timezone.now() - settings.LEASE) < timedelta(seconds=2)


def test_a_lapsed_lease_can_not_be_renewed(artist):
    factories.job(artist)
    (attempt,) = claims()
    let_lapse(attempt)
    assert not queue.renew(attempt, stage="denoising", step=3)
    assert Attempt.objects.get().step == 0


def test_a_lapsed_job_waits_again_and_the_zombie_can_not_finish_it(artist):
    job = factories.job(artist)
    (zombie,) = claims()
    let_lapse(zombie)
    assert queue.put_back_lapsed() == 1
    assert not finish(zombie)
    (second,) = claims()
    assert (second.job_id, second.number) == (job.pk, 2)
    assert not finish(zombie)
    assert not queue.renew(zombie, stage="storing", step=8)
    assert not queue.give_up(zombie, retry=False, sentence="The zombie says no.")
    assert finish(second)
    job.refresh_from_db()
    assert (job.status, job.error, Clip.objects.count(), Rendition.objects.count()) == ("succeeded", "", 1, 2)
    outcomes = list(Attempt.objects.order_by("number").values_list("outcome", flat=True))
    assert outcomes == ["lapsed", "succeeded"]


def test_an_attempt_finishes_once(artist):
    factories.job(artist)
    (attempt,) = claims()
    assert finish(attempt)
    assert not finish(attempt)
    assert Clip.objects.count() == 1


def test_a_lease_renewed_at_the_last_moment_is_not_taken_away(artist):
    factories.job(artist)
    (attempt,) = claims()
    assert not queue.give_up(attempt, outcome=Attempt.Outcome.LAPSED, retry=True)
    assert queue.renew(attempt, stage="denoising", step=1)


def test_three_lapses_end_in_a_sentence(artist):
    job = factories.job(artist)
    for number in (1, 2, 3):
        (attempt,) = claims()
        assert attempt.number == number
        let_lapse(attempt)
        assert queue.put_back_lapsed() == 1
    job.refresh_from_db()
    assert claims() == [None]
    assert job.status == "failed"
    assert job.finished_at is not None
    assert job.error == (
        "We tried 3 times and couldn't finish this take. It isn't your prompt: something on our side keeps "
        "failing. Try again later, or tell the program's team."
    )


def test_a_failure_that_no_retry_helps_ends_at_once_in_its_own_sentence(artist):
    job = factories.job(artist)
    (attempt,) = claims()
    assert queue.give_up(attempt, retry=False, sentence="It can't be drawn.", detail="x" * 5000)
    job.refresh_from_db()
    assert (job.status, job.error) == ("failed", "It can't be drawn.")
    assert len(Attempt.objects.get().detail) == 2000


def test_a_waiting_job_that_is_cancelled_is_never_claimed(artist):
    job = factories.job(artist)
    assert queue.cancel(job, by=artist)
    assert claims() == [None]
    assert not queue.cancel(job, by=artist)


def test_a_running_job_that_is_cancelled_is_lost_to_its_worker(artist):
    job = factories.job(artist)
    (attempt,) = claims()
    assert queue.cancel(job, by=artist)
    assert not queue.renew(attempt, stage="denoising", step=1)
    assert not finish(attempt)
    assert not queue.give_up(attempt, retry=True)
    job.refresh_from_db()
    assert (job.status, Attempt.objects.get().outcome) == ("cancelled", "cancelled")
    assert not Clip.objects.exists()
    assert claims() == [None]


def test_a_lapsed_job_that_is_cancelled_is_not_put_back(artist):
    job = factories.job(artist)
    (attempt,) = claims()
    let_lapse(attempt)
    assert queue.cancel(job, by=artist)
    assert queue.put_back_lapsed() == 0
    assert claims() == [None]


@pytest.mark.parametrize("end", ["finished", "failed"])
def test_a_job_that_is_over_can_not_be_cancelled(artist, end):
    job = factories.job(artist)
    (attempt,) = claims()
    assert finish(attempt) if end == "finished" else queue.give_up(attempt, retry=False, sentence="No.")
    assert not queue.cancel(job, by=artist)
    job.refresh_from_db()
    assert job.status == {"finished": "succeeded", "failed": "failed"}[end]


def test_a_cancelled_job_frees_its_member_for_the_next(artist):
    first, second = factories.job(artist), factories.job(artist)
    claims()
    assert queue.claim_next("tests") is None
    queue.cancel(first, by=artist)
    assert claims()[0].job_id == second.pk


def test_the_same_form_twice_gives_the_same_job_and_another_members_form_another(artist):
    key = uuid.uuid4()
    first = queue.enqueue(artist, factories.recipe(), form_key=key)
    again = queue.enqueue(artist, factories.recipe(), form_key=key)
    foreign = queue.enqueue(factories.member(), factories.recipe(), form_key=key)
    assert first.pk == again.pk != foreign.pk
    assert Job.objects.count() == 2


def test_more_than_the_program_allows_is_refused_with_a_sentence(settings, artist):
    settings.MAX_QUEUED = 2
    key = uuid.uuid4()
    queue.enqueue(artist, factories.recipe(), form_key=key)
    factories.job(artist)
    with pytest.raises(queue.QueueFull, match="You have 2 takes waiting, which is the most"):
        factories.job(artist)
    assert queue.enqueue(artist, factories.recipe(), form_key=key)  # a double click is no third job
    factories.job(factories.member())  # and nobody else is held up
    claims(2)
    factories.job(artist)
