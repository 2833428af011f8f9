"""Whose job runs next, and that one job makes one clip whatever workers, members and the clock do."""

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from generation import queue
from generation.models import Attempt, Clip, Job, Rendition, Seat
from tests import factories

pytestmark = pytest.mark.django_db

MADE = {"width": 128, "height": 128, "frames": 12, "fps": 12.0}


def finish(attempt: Attempt) -> bool:
    """What a worker does at the end, with files that nobody looks at."""
    name = f"{attempt.pk:064x}"
    files = [queue.Stored("video", name, 1), queue.Stored("poster", name, 1)]
    return queue.finish(attempt, recipe=attempt.job.recipe.to_json(), files=files, **MADE)


def let_lapse(attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def claims(count: int = 1) -> list[Attempt | None]:
    """Claims one after the other, each at a later tick of the database's clock."""
    taken = []
    for _ in range(count):
        time.sleep(0.002)
        taken.append(queue.claim_next("tests"))
    return taken


def serve_all() -> list:
    """Claims and finishes, as one worker would, until nothing waits; returns the jobs' ids in that order."""
    order = []
    while attempt := claims()[0]:
        order.append(attempt.job_id)
        assert finish(attempt)
    return order


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


# --- The place that a page tells ----------------------------------------------------------------


@st.composite
def queues(draw):
    """Members, each with (when last served or never, how many jobs wait, whether one runs)."""
    count = draw(st.integers(1, 5))
    served = draw(st.permutations(range(count)))
    return [(draw(st.booleans()) and place, draw(st.integers(0, 4)), draw(st.booleans())) for place in served]


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(line=queues(), shuffle=st.randoms(use_true_random=False))
def test_the_place_told_is_the_one_that_real_claims_give(db, line, shuffle):
    from django.db import transaction

    with transaction.atomic():
        _compare_places(line, shuffle)
        transaction.set_rollback(True)


def _compare_places(line, shuffle):
    running, turns = [], []
    start = timezone.now() - timedelta(hours=1)
    for number, (served, waiting, runs) in enumerate(line):
        owner = User.objects.create(email=f"m{number}@example.com", name="M")
        turns += [owner] * waiting
        Seat.objects.create(owner=owner)
        if runs:
            running.append(factories.job(owner))
            claims()
        if served is not False:
            Seat.objects.filter(pk=owner.pk).update(last_served_at=start + timedelta(minutes=served))
    shuffle.shuffle(turns)
    waiting = [factories.job(owner) for owner in turns]
    told = {job.pk: queue.position(job) for job in waiting}
    for attempt in Attempt.objects.filter(ended_at=None).select_related("job"):
        assert finish(attempt)
    order = serve_all()
    assert told == {pk: place for place, pk in enumerate(order, 1)}
    assert all(queue.position(job) is None for job in Job.objects.filter(pk__in=[job.pk for job in running]))


def test_only_a_waiting_job_has_a_place(artist):
    job = factories.job(artist)
    assert queue.position(job) == 1
    (attempt,) = claims()
    job.refresh_from_db()
    assert queue.position(job) is None
    finish(attempt)
    job.refresh_from_db()
    assert queue.position(job) is None


def test_the_time_left_is_told_from_what_recent_jobs_took(artist):
    job = factories.job(artist)
    assert queue.seconds_left(job, None, 1) is None
    (attempt,) = claims()
    finish(attempt)
    Job.objects.filter(pk=job.pk).update(finished_at=F("started_at") + timedelta(seconds=20))
    second = factories.job(artist)
    assert queue.seconds_left(second, None, 3) == pytest.approx(60)
    (attempt,) = claims()
    second.refresh_from_db()
    attempt = Attempt.objects.get(pk=attempt.pk)
    assert queue.seconds_left(second, attempt, None) == pytest.approx(20, abs=1)
    attempt.step, attempt.started_at = 4, timezone.now() - timedelta(seconds=8)
    assert queue.seconds_left(second, attempt, None) == pytest.approx(8, abs=0.5)


# --- Several at once ----------------------------------------------------------------------------


def together(count: int, act):
    """Runs act(number) in as many threads, each with a connection of its own."""

    def run(number):
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cap", [1, 2])
def test_six_workers_claim_no_job_twice_and_keep_every_cap(settings, cap):
    settings.MAX_RUNNING, settings.MAX_QUEUED = cap, 40
    members = [factories.member() for _ in range(7)]
    jobs = [factories.job(members[number % 7]) for number in range(40)]
    seen = []

    def work(number):
        done, idle = [], 0
        while idle < 5:
            attempt = queue.claim_next(f"worker {number}")
            if attempt is None:
                idle += 1
                time.sleep(0.02)
                continue
            idle = 0
            running = Counter(Job.objects.running().values_list("owner", flat=True))
            seen.append(max(running.values(), default=0))
            time.sleep(0.005)
            assert finish(attempt)
            done.append(attempt.job_id)
        return done

    claimed = [pk for done in together(6, work) for pk in done]
    assert sorted(claimed) == sorted(job.pk for job in jobs)
    assert set(Job.objects.values_list("status", "attempts_made")) == {("succeeded", 1)}
    assert Clip.objects.count() == 40
    assert max(seen) == cap


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_putting_a_lapsed_job_back_one_does():
    job = factories.job(factories.member())
    (attempt,) = claims()
    let_lapse(attempt)
    assert sum(together(6, lambda _: queue.put_back_lapsed())) == 1
    job.refresh_from_db()
    assert (job.status, job.attempts_made) == ("queued", 1)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_finishing_and_cancelling_at_the_same_moment_never_both_happen(_round):
    owner = factories.member()
    job = factories.job(owner)
    (attempt,) = claims()
    acts = [lambda: finish(attempt), lambda: queue.cancel(job, by=owner)]
    finished, cancelled = together(2, lambda number: acts[number]())
    job.refresh_from_db()
    assert finished != cancelled
    assert job.status == ("succeeded" if finished else "cancelled")
    assert Clip.objects.count() == int(finished)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_a_job_cancelled_while_it_is_being_claimed_stays_cancelled(_round):
    owner = factories.member()
    job = factories.job(owner)
    acts = [lambda: queue.claim_next("tests"), lambda: queue.cancel(job, by=owner)]
    attempt, cancelled = together(2, lambda number: acts[number]())
    job.refresh_from_db()
    assert cancelled
    assert job.status == "cancelled"
    assert attempt is None or not finish(attempt)
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_double_click_that_arrives_at_once_makes_one_job():
    owner, key = factories.member(), uuid.uuid4()
    made = together(5, lambda _: queue.enqueue(owner, factories.recipe(), form_key=key).pk)
    assert len(set(made)) == 1
    assert Job.objects.count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_the_limit_of_waiting_jobs_holds_against_many_tabs(settings):
    settings.MAX_QUEUED = 3
    owner = factories.member()

    def send(_):
        try:
            return bool(factories.job(owner))
        except queue.QueueFull:
            return False

    assert sum(together(8, send)) == 3
    assert Job.objects.count() == 3
