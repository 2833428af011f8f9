"""What an artist is told before and while they wait: the place in line, and a guess of the time. Decides nothing."""

from dataclasses import dataclass
from math import prod

from django.db.models import Count, Q
from django.utils import timezone

from . import workers
from .engine import Recipe, catalog
from .models import Attempt, Job, Seat
from .queue import in_turn

RECENT = 10  # takes from which the usual time is told
MEASURES = ("steps", "width", "height", "frames")  # a take's time grows with their product


@dataclass(frozen=True)
class Forecast:
    """Of a take that somebody might ask for now."""

    seconds: float  # that it takes once it has begun, at least one
    before: int  # takes whose turn comes first, all models alike
    service: workers.Service


def forecast(owner, recipe: Recipe) -> Forecast:
    mine = 1 + Job.objects.queued().filter(owner=owner).count()
    seconds = _usual_seconds(recipe) or catalog.estimate_seconds(recipe)
    return Forecast(max(seconds, 1), _place(owner.pk, mine) - 1, workers.service_of(recipe.model))


def position(job: Job) -> int | None:
    """Place in the queue, from 1, as the fair share would serve it; None unless the job waits."""
    if job.status != Job.Status.QUEUED:
        return None
    before = Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk)
    return _place(job.owner_id, 1 + Job.objects.queued().filter(before, owner=job.owner_id).count())


def _place(owner_id, k: int) -> int:
    """Of a member's k-th take that waits, which may be yet to come.

    Every other member is served at most k times before it (k - 1 times if their turn comes after one's own), so no
    simulation is needed.
    """
    waiting = Seat.objects.filter(owner__jobs__status=Job.Status.QUEUED).annotate(
        waiting=Count("owner__jobs")
    )
    seats = list(in_turn(waiting).values_list("pk", "waiting", "last_served_at"))
    turn = next((place for place, (owner, *_told) in enumerate(seats) if owner == owner_id), None)
    if turn is None:
        turn = _turn_among(seats, owner_id)
    others = ((place, waiting) for place, (owner, waiting, _at) in enumerate(seats) if owner != owner_id)
    return k + sum(min(waiting, k if place < turn else k - 1) for place, waiting in others)


def _turn_among(seats, owner_id) -> int:
    """How many of those who wait would come before a member who doesn't yet."""
    served = Seat.objects.filter(pk=owner_id).values_list("last_served_at", flat=True).first()
    if served is None:
        return sum(at is None and owner < owner_id for owner, _waiting, at in seats)
    return sum(at is None or (at, owner) < (served, owner_id) for owner, _waiting, at in seats)


def _usual_seconds(wanted: Recipe | Job) -> float | None:
    """What recent takes of the same model took, by steps x pixels x frames; None when there is nothing to go by."""
    recent = Job.objects.filter(model=wanted.model, status=Job.Status.SUCCEEDED, started_at__isnull=False)
    paces = sorted(
        (job.finished_at - job.started_at).total_seconds() / _work(job)
        for job in recent.order_by("-finished_at").only("started_at", "finished_at", *MEASURES)[:RECENT]
    )
    return paces[len(paces) // 2] * _work(wanted) if paces else None


def _work(recipe: Recipe | Job) -> int:
    return prod(getattr(recipe, name) for name in MEASURES)


def seconds_left(job: Job, attempt: Attempt | None, place: int | None) -> float | None:
    """A guess from what recent jobs of the same model took; None when there is nothing to go by."""
    usual = _usual_seconds(job)
    if job.status == Job.Status.QUEUED:
        return usual * place if usual else None
    if job.status != Job.Status.RUNNING or attempt is None:
        return None
    spent = (timezone.now() - attempt.started_at).total_seconds()
    if attempt.step >= 2:
        return max(spent / attempt.step * (job.steps - attempt.step), 0.0)
    return usual - spent if usual and usual > spent else None
