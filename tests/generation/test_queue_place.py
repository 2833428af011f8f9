"""The place and the time that a waiting job's page tells are those that real claims then give."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from generation import outlook
from generation.models import Attempt, Job, Seat
from tests import factories

from .claiming import claims, finish, serve_all

pytestmark = pytest.mark.django_db


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
    for served, waiting, runs in line:
        owner = factories.member()
        turns += [owner] * waiting
        Seat.objects.create(owner=owner)
        if runs:
            running.append(factories.job(owner))
            claims()
        if served is not False:
            Seat.objects.filter(pk=owner.pk).update(last_served_at=start + timedelta(minutes=served))
    shuffle.shuffle(turns)
    waiting = [factories.job(owner) for owner in turns]
    told = {job.pk: outlook.position(job) for job in waiting}
    for attempt in Attempt.objects.filter(ended_at=None).select_related("job"):
        assert finish(attempt)
    order = serve_all()
    assert told == {pk: place for place, pk in enumerate(order, 1)}
    assert all(
        outlook.position(job) is None for job in Job.objects.filter(pk__in=[job.pk for job in running])
    )


def test_only_a_waiting_job_has_a_place(artist):
    job = factories.job(artist)
    assert outlook.position(job) == 1
    (attempt,) = claims()
    job.refresh_from_db()
    assert outlook.position(job) is None
    finish(attempt)
    job.refresh_from_db()
    assert outlook.position(job) is None


def test_the_time_left_is_told_from_what_recent_jobs_took(artist):
    job = factories.job(artist)
    assert outlook.seconds_left(job, None, 1) is None
    (attempt,) = claims()
    finish(attempt)
    Job.objects.filter(pk=job.pk).update(finished_at=F("started_at") + timedelta(seconds=20))
    second = factories.job(artist)
    assert outlook.seconds_left(second, None, 3) == pytest.approx(60)
    copied = factories.clip(factories.member()).job  # the demo's copies of clips took no time at all
    Job.objects.filter(pk=copied.pk).update(started_at=None)
    assert outlook.seconds_left(second, None, 3) == pytest.approx(60)
    (attempt,) = claims()
    second.refresh_from_db()
    attempt = Attempt.objects.get(pk=attempt.pk)
    assert outlook.seconds_left(second, attempt, None) == pytest.approx(20, abs=1)
    attempt.step, attempt.started_at = 4, timezone.now() - timedelta(seconds=8)
    assert outlook.seconds_left(second, attempt, None) == pytest.approx(8, abs=0.5)
