"""What a waiting artist is told: the place in line, and a guess of the time that is left. Decides nothing."""

from django.db.models import Count, Q
from django.utils import timezone

from .models import Attempt, Job, Seat
from .queue import in_turn


def position(job: Job) -> int | None:
    """Place in the queue, from 1, as the fair share would serve it; None unless the job waits.

    With k jobs of one's own up to this one, every other member is served at most k times before it (k - 1 times
    if their turn comes after one's own), so no simulation is needed.
    """
    if job.status != Job.Status.QUEUED:
        return None
    waiting = Seat.objects.filter(owner__jobs__status=Job.Status.QUEUED).annotate(
        waiting=Count("owner__jobs")
    )
    seats = list(in_turn(waiting).values_list("pk", "waiting"))
    before = Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk)
    k = 1 + Job.objects.queued().filter(before, owner=job.owner_id).count()
    turn = next((place for place, (owner, _n) in enumerate(seats) if owner == job.owner_id), 0)
    others = ((place, waiting) for place, (owner, waiting) in enumerate(seats) if owner != job.owner_id)
    return k + sum(min(waiting, k if place < turn else k - 1) for place, waiting in others)


def seconds_left(job: Job, attempt: Attempt | None, place: int | None) -> float | None:
    """A guess from what recent jobs of the same model took; None when there is nothing to go by."""
    recent = [
        (end - start).total_seconds()
        for start, end in Job.objects.filter(
            model=job.model, status=Job.Status.SUCCEEDED, started_at__isnull=False
        )
        .order_by("-finished_at")
        .values_list("started_at", "finished_at")[:10]
    ]
    usual = sorted(recent)[len(recent) // 2] if recent else None
    if job.status == Job.Status.QUEUED:
        return usual * place if usual else None
    if job.status != Job.Status.RUNNING or attempt is None:
        return None
    spent = (timezone.now() - attempt.started_at).total_seconds()
    if attempt.step >= 2:
        return max(spent / attempt.step * (job.steps - attempt.step), 0.0)
    return usual - spent if usual and usual > spent else None
