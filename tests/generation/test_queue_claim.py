"""A claim to the letter: whose turn it is, what is written, and what stays as it was.

Found by mutants: each of these tests kills one that every other test let live.
"""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models.exclusion import Suspension
from generation import queue
from generation.models import Attempt, Job, Seat
from generation.queue import claiming, opening
from tests import factories

from .claiming import claims, finish, let_lapse, serve_all

pytestmark = pytest.mark.django_db


def test_members_with_nothing_to_do_hide_nobody():
    """A claim looks at a limited number of members: those who wait for nothing must not be among them."""
    for _number in range(queue.LOOKS + 1):
        factories.job(factories.member())
    assert len(serve_all()) == queue.LOOKS + 1
    assert not queue.is_waiting()
    Seat.objects.update(last_served_at=None)
    late = factories.member()
    Seat.objects.create(owner=late, last_served_at=timezone.now())
    waiting = factories.job(late)
    assert queue.is_waiting()
    assert claims()[0].job_id == waiting.pk


def test_a_member_s_own_jobs_come_in_the_order_of_their_asking(artist):
    jobs = [factories.job(artist) for _number in range(4)]
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=jobs[3].pk).update(created_at=long_ago)
    Job.objects.filter(pk__in=[job.pk for job in jobs[:3]]).update(created_at=long_ago + timedelta(minutes=1))
    assert serve_all() == [jobs[3].pk, *sorted(job.pk for job in jobs[:3])]


def test_members_who_were_never_served_come_in_a_fixed_order():
    jobs = [factories.job(factories.member()) for _number in range(4)]
    by_owner = sorted(jobs, key=lambda job: job.owner_id)
    assert serve_all() == [job.pk for job in by_owner]


def test_who_was_never_served_comes_before_everybody_who_was():
    """PostgreSQL takes what is NULL for the latest of all, unless told otherwise."""
    served, new = factories.member(), factories.member()
    Seat.objects.create(owner=served, last_served_at=timezone.now() - timedelta(days=300))
    for member in (served, new):
        factories.job(member)
    assert queue.claim_next("a worker").job.owner == new


def test_a_claim_writes_about_one_job_one_seat_and_one_attempt(settings):
    first, second = factories.member(), factories.member()
    jobs = {member.pk: [factories.job(member), factories.job(member)] for member in (first, second)}
    before = timezone.now() - timedelta(seconds=1)
    attempt = queue.claim_next("worker 7")
    owner = attempt.job.owner_id
    assert (attempt.job_id, attempt.number, attempt.worker) == (jobs[owner][0].pk, 1, "worker 7")
    attempt.refresh_from_db()
    assert (
        before + settings.LEASE < attempt.lease_until < timezone.now() + settings.LEASE + timedelta(seconds=1)
    )
    job = Job.objects.get(pk=attempt.job_id)
    assert (job.status, job.attempts_made) == (Job.Status.RUNNING, 1)
    assert before < job.started_at < timezone.now() + timedelta(seconds=1)
    assert Job.objects.queued().filter(attempts_made=0, started_at=None).count() == 3
    assert list(Seat.objects.exclude(last_served_at=None).values_list("pk", flat=True)) == [owner]
    assert Attempt.objects.count() == 1


def test_a_second_try_is_counted_on(artist):
    waiting = factories.job(artist)
    for number in (1, 2):
        attempt = claims()[0]
        assert (attempt.job_id, attempt.number) == (waiting.pk, number)
        assert Job.objects.get().attempts_made == number
        let_lapse(attempt)
        assert queue.put_back_lapsed() == 1


def test_running_jobs_count_for_their_own_member_alone(settings):
    settings.MAX_RUNNING = 1
    first, second = factories.member(), factories.member()
    mine, _theirs, more = factories.job(first), factories.job(second), factories.job(first)
    taken = claims(3)
    assert {attempt.job.owner_id for attempt in taken[:2]} == {first.pk, second.pk}
    assert taken[2] is None
    done = next(attempt for attempt in taken[:2] if attempt.job_id == mine.pk)
    assert finish(done)
    assert claims()[0].job_id == more.pk


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_fails_half_way_leaves_the_job_waiting():
    """In the claim's own transaction: there is none around it that would undo the rest."""
    artist = factories.member()
    waiting = factories.job(artist)
    Attempt.objects.create(job=waiting, number=1, worker="ghost", lease_until=timezone.now())
    with pytest.raises(IntegrityError):
        queue.claim_next("tests")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts_made) == (Job.Status.QUEUED, 0)
    assert Seat.objects.get(owner=artist).last_served_at is None


@contextmanager
def just_before_query(number: int, act):
    """Does something right before the claim's query of this number, as another session could in that moment."""
    seen = 0

    def watch(execute, sql, params, many, context):
        nonlocal seen
        seen += "generation_" in sql
        if seen == number:
            seen += 100  # the act's own queries, and those after it, don't count
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    assert seen > 100, "the claim asked less often than that"


@pytest.mark.parametrize("number", [2, 3] if connection.vendor == "sqlite" else [2])
def test_a_job_lost_in_the_midst_of_a_claim_is_passed_over_and_the_next_member_served(number):
    """Between the seat's lock, the second look, which finds the job, and its taking, which PostgreSQL does in one."""
    first, second = sorted((factories.member() for _number in range(2)), key=lambda member: member.pk)
    lost, kept = factories.job(first), factories.job(second)
    with just_before_query(
        number, lambda: Job.objects.filter(pk=lost.pk).update(status=Job.Status.CANCELLED)
    ):
        attempt = queue.claim_next("tests")
    assert attempt.job_id == kept.pk
    lost.refresh_from_db()
    assert (lost.status, lost.attempts_made) == (Job.Status.CANCELLED, 0)
    assert Attempt.objects.get() == attempt


def test_a_member_kept_out_in_the_midst_of_a_claim_is_not_served():
    """Their job still waits in that moment: what looks again, under the lock, must see the suspension itself."""
    first, second = sorted((factories.member() for _number in range(2)), key=lambda member: member.pk)
    waiting, served = factories.job(first), factories.job(second)
    by_record = {"membership": first.membership, "reason": "A reason."}
    with just_before_query(2, lambda: Suspension.objects.create(**by_record)):
        assert queue.claim_next("tests").job_id == served.pk
    waiting.refresh_from_db()
    assert waiting.status == Job.Status.QUEUED


def test_a_claim_s_questions_are_put_once_and_ask_for_the_cap_of_the_moment(settings, artist):
    factories.job(artist), factories.job(artist)
    settings.MAX_RUNNING = 1
    assert [bool(attempt) for attempt in claims(2)] == [True, False]
    settings.MAX_RUNNING = 2
    assert claims()[0]


def test_a_seat_that_is_gone_from_the_list_when_it_is_locked_is_passed_over():
    """What another worker holds is skipped: here, the row can't be had at all."""
    first, second = sorted((factories.member() for _number in range(2)), key=lambda member: member.pk)
    factories.job(first), factories.job(second)
    with just_before_query(2, lambda: Seat.objects.filter(owner=first).delete()):
        assert queue.claim_next("tests").job.owner == second


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows one way alone")
def test_an_attempt_opened_at_once_is_like_one_opened_step_by_step(settings, monkeypatch):
    def opened() -> tuple[dict, dict, bool]:
        job = factories.job(factories.member())
        (attempt,) = claims()
        told = {name: value for name, value in vars(attempt).items() if name[0] != "_"}
        assert attempt == Attempt.objects.get(job=job)
        assert vars(attempt.job).keys() >= {field.attname for field in Job._meta.concrete_fields}
        kept = Attempt.objects.values().get(pk=attempt.pk)
        assert {name: kept[name] for name in told if name != "lease_until"} | {
            "lease_until": None
        } == told | {"lease_until": None}
        return (
            {name: kept[name] for name in kept if name not in ("id", "job_id")},
            Job.objects.values("status", "attempts_made", "error", "finished_at").get(pk=job.pk),
            Seat.objects.filter(pk=job.owner_id, last_served_at__gte=job.created_at).exists(),
        )

    at_once = opened()
    monkeypatch.setattr(opening, "goes_at_once", lambda: False)
    claiming._questions.cache_clear()
    step_by_step = opened()
    for one in (at_once[0], step_by_step[0]):
        length = one.pop("lease_until") - one.pop("started_at")
        assert abs(length - settings.LEASE) < timedelta(seconds=1)
    assert at_once == step_by_step
    assert at_once[2]
