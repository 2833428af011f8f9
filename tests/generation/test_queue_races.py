"""Several at once: workers, tabs and cancels that meet in one moment still make one job and one clip, on PostgreSQL."""

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections, transaction

from accounts.models import AllowanceEntry, Cohort, Membership, allowance, exclusion, grants, roles
from generation import queue
from generation.models import Attempt, Clip, Job
from tests import factories

from .claiming import claims, finish, let_lapse

pytestmark = pytest.mark.django_db


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
    members = [factories.member() for _ in range(4)]
    jobs = [factories.job(members[number % 4]) for number in range(40)]
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
def test_a_member_s_cap_holds_while_a_claim_that_nobody_can_see_yet_takes_another_of_their_jobs():
    """Workers with different models don't meet over one job: it is the seat's lock that keeps them apart."""
    owner = factories.member()
    first, second = factories.job(owner), factories.job(owner)
    Job.objects.filter(pk=second.pk).update(model="another")
    others = []

    def claim_another(_number):
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '3s'")  # nothing here may wait for the first claim
        return queue.claim_next("other", runs=["another"])

    def just_before_the_commit(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if "generation_attempt" in sql and not others:
            others.extend(together(1, claim_another))
        return done

    with connection.execute_wrapper(just_before_the_commit):
        attempt = queue.claim_next("tests", runs=["testcard"])
    assert attempt.job_id == first.pk
    assert others == [None]
    assert Job.objects.running().count() == 1


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


def with_allowance(owner, seconds: int):
    cohort = owner.membership.cohort
    cohort.allowance = seconds
    cohort.save()
    allowance.grant(owner.membership, seconds, by=None)
    return owner


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_the_allowance_holds_against_many_tabs_and_is_spent_once_for_each_take():
    owner = with_allowance(factories.member(), 5)

    def send(_):
        try:
            return bool(queue.enqueue(owner, factories.recipe(), takes=2))
        except queue.AllowanceSpent:
            return False

    assert sum(together(8, send)) == 2
    assert Job.objects.count() == 4
    assert allowance.left(owner.membership) == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_whatever_ends_a_job_first_its_seconds_are_closed_once(_round):
    """A worker that finishes, one that gives up, a lapse that is seen, the artist's cancel and the workers' own."""
    owner = with_allowance(factories.member(), 10)
    job = factories.job(owner)
    (attempt,) = claims()
    let_lapse(attempt)
    acts = [
        lambda: finish(attempt),
        lambda: queue.give_up(attempt, retry=False, sentence="No."),
        lambda: queue.put_back_lapsed(),
        lambda: queue.cancel(job, by=owner),
        lambda: exclusion.suspend(owner.membership, by=None, reason="Now.") and queue.cancel_of_kept_out(),
    ]
    together(len(acts), lambda number: acts[number]())
    queue.cancel_of_kept_out()
    job.refresh_from_db()
    closed = list(AllowanceEntry.objects.filter(job=job.pk).exclude(kind="reserved"))
    assert [entry.kind for entry in closed] == ["settled" if job.status == "succeeded" else "given-back"]
    assert allowance.left(owner.membership) == (9 if job.status == "succeeded" else 10)
    assert Clip.objects.count() == int(job.status == "succeeded")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_a_job_sent_while_its_member_is_being_suspended_is_refused_or_cancelled(_round):
    owner = with_allowance(factories.member(), 10)
    factories.job(owner)

    def send():
        with suppress(PermissionDenied):
            return queue.enqueue(owner, factories.recipe(), takes=2)

    acts = [
        send,
        lambda: queue.claim_next("tests"),
        lambda: exclusion.suspend(owner.membership, by=None, reason="Now.") and queue.cancel_of_kept_out(),
    ]
    together(3, lambda number: acts[number]())
    queue.cancel_of_kept_out()
    assert set(Job.objects.values_list("status", flat=True)) == {"cancelled"}
    assert allowance.left(owner.membership) == 10
    assert queue.claim_next("tests") is None
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["enqueue", "suspend", "change_role", "grant_extra"])
def test_what_meets_a_move_to_another_cohort_waits_for_it_and_happens(act):
    owner, admin = factories.member(), factories.member("admin")
    to = Cohort.objects.create(name="Another", allowance=100)
    acts = {
        "enqueue": lambda: queue.enqueue(owner, factories.recipe()),
        "suspend": lambda: exclusion.suspend(owner.membership, by=admin, reason="A reason."),
        "change_role": lambda: roles.change_role(owner.membership, "reviewer", by=admin),
        "grant_extra": lambda: grants.grant_extra(owner.membership, 5, by=admin),
    }
    has_moved = Event()

    def move_slowly():
        with transaction.atomic():
            roles.move(owner.membership, to, by=admin)
            has_moved.set()
            time.sleep(0.3)

    def meet():
        assert has_moved.wait(10)
        return acts[act]()

    _moved, done = together(2, lambda number: (move_slowly, meet)[number]())
    assert done
    assert allowance.left(Membership.objects.get(user=owner)) == {"enqueue": 99, "grant_extra": 105}.get(
        act, 100
    )
