"""What a member may ask of the machines: caps, allowance, models, and nothing while kept out or during a pause."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AllowanceEntry, AuditEntry, allowance, cohorts, exclusion, pause
from generation import queue
from generation.models import Attempt, Job
from review.models import Submission
from tests import factories

from .claiming import claims, finish, let_lapse

pytestmark = pytest.mark.django_db

SUSPENDED = "Your membership is suspended or has ended."


def cohort(member, **terms):
    """Sets the terms of the member's cohort; what the member is granted stays as it is."""
    found = member.membership.cohort
    for name, value in terms.items():
        setattr(found, name, value)
    found.save()
    return found


def granted(member, seconds: int):
    cohort(member, allowance=seconds)
    allowance.grant(member.membership, seconds, by=None)
    return member


def left(member) -> int:
    return allowance.left(member.membership)


def ledger(job) -> list[tuple[str, int]]:
    entries = AllowanceEntry.objects.filter(job=job.pk).order_by("pk")
    return list(entries.values_list("kind", "seconds"))


def long_recipe(**changes):
    """Three GPU seconds by the catalog's estimate."""
    found = factories.recipe(steps=50, size=(192, 128), duration=2, **changes)
    assert queue.price_of(found) == 3
    return found


def suspend(member):
    return exclusion.suspend(member.membership, by=None, reason="For a reason.")


# --- Caps -----------------------------------------------------------------------------------------


def test_a_cohort_s_cap_of_waiting_takes_stands_before_the_program_s(artist, settings):
    settings.MAX_QUEUED = 20
    cohort(artist, max_queued=2)
    factories.job(artist), factories.job(artist)
    with pytest.raises(queue.QueueFull, match="You have 2 takes waiting, which is the most"):
        factories.job(artist)
    cohort(artist, max_queued=None)
    factories.job(artist)


def test_a_cohort_s_cap_of_running_takes_stands_before_the_program_s(artist, settings):
    settings.MAX_RUNNING = 1
    cohort(artist, max_running=2)
    for _ in range(3):
        factories.job(artist)
    assert [bool(attempt) for attempt in claims(3)] == [True, True, False]
    cohort(artist, max_running=3)
    assert claims()[0]


def test_a_cohort_with_no_running_takes_waits(artist):
    cohort(artist, max_running=0)
    factories.job(artist)
    assert claims() == [None]
    assert not queue.is_waiting()


def test_a_model_that_the_cohort_does_not_use_is_refused(artist):
    cohort(artist, model_ids=["embedded"])
    with pytest.raises(queue.NotOffered, match="Your cohort doesn't use this model"):
        factories.job(artist)
    cohort(artist, model_ids=["embedded", "testcard"])
    factories.job(artist)


# --- Takes of one click ---------------------------------------------------------------------------


def test_takes_of_one_click_share_a_batch_and_count_their_seeds_up(artist):
    first = queue.enqueue(artist, factories.recipe(seed=7), takes=3)
    jobs = Job.objects.order_by("created_at")
    assert jobs[0] == first
    assert [job.seed for job in jobs] == [7, 8, 9]
    assert {job.batch for job in jobs} == {first.batch}
    assert first.batch is not None
    assert len({(job.prompt, job.steps, job.model) for job in jobs}) == 1
    assert factories.job(artist).batch is None


def test_the_seed_after_the_last_is_the_first(artist):
    queue.enqueue(artist, factories.recipe(seed=2**32 - 1), takes=2)
    assert list(Job.objects.order_by("created_at").values_list("seed", flat=True)) == [2**32 - 1, 0]


def test_several_takes_posted_twice_are_made_once(artist):
    key = uuid.uuid4()
    made = [queue.enqueue(artist, factories.recipe(seed=7), takes=4, form_key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert Job.objects.count() == 4


def test_takes_that_do_not_all_fit_are_refused_together_and_told_how_many_would(artist):
    cohort(artist, max_queued=3)
    factories.job(artist)
    with pytest.raises(queue.QueueFull, match="Your queue has room for 2 of these 4 takes"):
        queue.enqueue(artist, factories.recipe(), takes=4)
    assert Job.objects.count() == 1
    assert queue.enqueue(artist, factories.recipe(), takes=2)


def test_takes_beyond_the_allowance_are_refused_together_and_told_how_many_would_fit(artist):
    granted(artist, 8)
    with pytest.raises(
        queue.AllowanceSpent, match="4 takes need about 12 GPU seconds and you have 8 left, enough for 2"
    ):
        queue.enqueue(artist, long_recipe(), takes=4)
    assert (left(artist), Job.objects.count(), AllowanceEntry.objects.exclude(job=None).count()) == (8, 0, 0)
    queue.enqueue(artist, long_recipe(), takes=2)
    assert left(artist) == 2
    with pytest.raises(queue.AllowanceSpent, match="This take needs about 3 GPU seconds and you have 2 left"):
        queue.enqueue(artist, long_recipe())
    assert Job.objects.count() == 2


# --- The allowance --------------------------------------------------------------------------------


def test_a_take_costs_what_it_took_and_never_more_than_was_reserved(artist):
    granted(artist, 10)
    job = queue.enqueue(artist, long_recipe())
    assert left(artist) == 7
    (attempt,) = claims()
    assert finish(attempt)
    assert ledger(job) == [("reserved", -3), ("settled", 2)]  # it took no second, and one is the least
    assert left(artist) == 9

    slow = queue.enqueue(artist, long_recipe())
    (attempt,) = claims()
    attempt.started_at = attempt.started_at.replace(year=2020)
    assert finish(attempt)
    assert ledger(slow) == [("reserved", -3), ("settled", 0)]
    assert left(artist) == 6


def test_a_try_that_is_repeated_keeps_what_was_reserved(artist):
    granted(artist, 10)
    job = queue.enqueue(artist, long_recipe())
    (zombie,) = claims()
    let_lapse(zombie)
    queue.put_back_lapsed()
    assert ledger(job) == [("reserved", -3)]
    (second,) = claims()
    assert not finish(zombie)
    assert finish(second)
    assert not finish(zombie)
    assert not queue.give_up(zombie, retry=False, sentence="No.")
    assert ledger(job) == [("reserved", -3), ("settled", 2)]


@pytest.mark.parametrize("end", ["failed", "cancelled waiting", "cancelled running", "lapsed"])
def test_work_that_came_to_nothing_costs_nothing(artist, end):
    granted(artist, 10)
    job = queue.enqueue(artist, long_recipe())
    if end == "cancelled waiting":
        queue.cancel(job, by=artist)
    for _ in range(3 if end == "lapsed" else 1 if end != "cancelled waiting" else 0):
        (attempt,) = claims()
        if end == "lapsed":
            let_lapse(attempt)
            queue.put_back_lapsed()
    if end == "failed":
        assert queue.give_up(attempt, retry=False, sentence="It can't be drawn.")
    if end == "cancelled running":
        assert queue.cancel(job, by=artist)
        assert not finish(attempt)
    job.refresh_from_db()
    assert job.is_over
    assert job.status != "succeeded"
    assert (ledger(job), left(artist)) == ([("reserved", -3), ("given-back", 3)], 10)
    assert not queue.cancel(job, by=artist)
    assert len(ledger(job)) == 2


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_a_refused_clip_s_seconds_are_given_back(artist, outcome):
    granted(artist, 10)
    clip = factories.clip(artist)
    submission = factories.submission(clip)
    assert left(artist) == 9
    factories.decision(submission, outcome)
    assert left(artist) == (10 if outcome == "refuse" else 9)
    if outcome == "refuse":  # the next version of it costs nothing anew, and gives nothing back twice
        second = factories.submission(clip)
        factories.decision(Submission.objects.get(pk=second.pk), "refuse")
        assert left(artist) == 10
        assert [kind for kind, _seconds in ledger(clip.job)] == ["reserved", "settled", "given-back"]


@pytest.mark.parametrize("end", ["cancelled", "finished", "refused"])
def test_what_was_spent_before_there_was_a_limit_comes_back_on_top_of_none(artist, admin, end):
    found = cohort(artist, allowance=None)
    submission = factories.submission(artist=artist)
    job = queue.enqueue(artist, long_recipe())
    (attempt,) = claims()
    cohorts.change(found, by=admin, allowance=10)
    found.refresh_from_db()
    assert left(artist) == 10
    if end == "cancelled":
        queue.cancel(job, by=artist)
    elif end == "finished":
        assert finish(attempt)
    else:
        factories.decision(submission, "refuse")
    assert left(artist) == 10
    later = queue.enqueue(artist, long_recipe())
    queue.cancel(later, by=artist)
    assert ledger(later) == [("reserved", -3), ("given-back", 3)]
    assert left(artist) == 10


def test_a_cohort_without_a_limit_keeps_its_books_all_the_same(artist):
    job = factories.job(artist)
    assert left(artist) is None
    assert ledger(job) == [("reserved", -1)]


# --- Kept out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [exclusion.suspend, exclusion.end])
def test_whoever_is_kept_out_asks_for_nothing_and_is_served_nothing(artist, act):
    job = factories.job(artist)
    act(artist.membership, by=None, reason="For a reason.")
    with pytest.raises(PermissionDenied, match=SUSPENDED):
        factories.job(artist)
    assert not queue.is_waiting()
    assert claims() == [None]
    job.refresh_from_db()
    assert job.attempts_made == 0


def test_a_person_without_a_membership_asks_for_nothing(db):
    from accounts.models import User

    outsider = User.objects.create_user("no-member@example.com", factories.PASSWORD, name="Nobody")
    with pytest.raises(PermissionDenied, match="The studio is for members of the program"):
        factories.job(outsider)


def test_a_suspension_cancels_what_waits_and_takes_the_running_one_from_its_worker(artist, settings):
    granted(artist, 10)
    other = factories.member()
    running, waiting = queue.enqueue(artist, long_recipe()), queue.enqueue(artist, long_recipe())
    (attempt,) = claims()
    theirs = factories.job(other)
    suspend(artist)
    assert not queue.renew(attempt, stage="denoising", step=2)
    assert queue.cancel_of_kept_out() == 2
    assert queue.cancel_of_kept_out() == 0
    assert not finish(attempt)
    for job in (running, waiting):
        job.refresh_from_db()
        assert job.status == "cancelled"
    assert Attempt.objects.get(pk=attempt.pk).outcome == "cancelled"
    assert left(artist) == 10
    assert AuditEntry.objects.filter(act="job.cancelled", by=None).count() == 2
    assert claims()[0].job_id == theirs.pk  # and nobody else is touched


def test_a_member_let_in_again_goes_on(artist):
    suspension = suspend(artist)
    exclusion.lift(suspension, by=None)
    job = factories.job(artist)
    (attempt,) = claims()
    assert attempt.job_id == job.pk
    assert queue.renew(attempt, stage="denoising", step=1)
    assert queue.cancel_of_kept_out() == 0


# --- The pause ------------------------------------------------------------------------------------


def test_during_a_pause_nothing_is_accepted_or_started_and_what_runs_may_finish(artist):
    other = factories.member()
    running = factories.job(artist)
    (attempt,) = claims()
    waiting = factories.job(other)
    pause.pause(by=None, reason="A new graphics card goes in.")
    with pytest.raises(queue.Paused, match=r"The program is paused: .* A new graphics card goes in\."):
        factories.job(artist)
    assert not queue.is_waiting()
    assert claims() == [None]
    assert queue.renew(attempt, stage="denoising", step=1)
    assert finish(attempt)
    running.refresh_from_db()
    assert running.status == "succeeded"
    assert claims() == [None]
    pause.resume(by=None)
    assert queue.is_waiting()
    assert claims()[0].job_id == waiting.pk
    factories.job(artist)


def test_a_job_whose_worker_died_during_a_pause_waits_for_its_end(artist):
    job = factories.job(artist)
    (attempt,) = claims()
    pause.pause(by=None)
    let_lapse(attempt)
    assert queue.is_waiting()  # not for work: the lapsed lease wants to be seen
    assert queue.put_back_lapsed() == 1
    assert claims() == [None]
    pause.resume(by=None)
    assert claims()[0].job_id == job.pk
