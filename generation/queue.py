"""Whose job runs next, who is running it, and how long that holds: the queue of record, in the database.

Messages only say "look"; losing one costs seconds, never a job. Every write about a running job goes through its
open Attempt, so that a worker whose lease has lapsed can't finish what another has taken over.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit

from .engine import Recipe
from .models import Attempt, Clip, Job, Rendition, Seat
from .models.job import MAX_ATTEMPTS

CANDIDATES = 20  # members looked at in one claim before it gives up and is called again


class QueueFull(Exception):
    """A member who has as many jobs waiting as the program allows; says so in a sentence."""


@transaction.atomic
def enqueue(owner, recipe: Recipe, *, form_key=None) -> Job:
    """Adds a job; the same form posted twice gives the same job."""
    seat, _created = Seat.objects.get_or_create(owner=owner)
    Seat.objects.select_for_update(no_key=True).get(pk=seat.pk)
    key = {"form_key": form_key} if form_key else {}
    if key and (twin := Job.objects.filter(owner=owner, **key).first()):
        return twin
    if Job.objects.queued().filter(owner=owner).count() >= settings.MAX_QUEUED:
        raise QueueFull(
            _("You have %(count)s takes waiting, which is the most. Let some finish first.")
            % {"count": settings.MAX_QUEUED}
        )
    return Job.objects.create(owner=owner, **key, **recipe.to_json())


# --- Claiming ------------------------------------------------------------------------------------


@transaction.atomic
def claim_next(worker: str) -> Attempt | None:
    """Takes the next job by fair share: first the member who was served longest ago, up to a cap each.

    The member's seat is locked, passing over seats that another worker holds; caps are counted under that lock.
    """
    for owner in _members_in_turn():
        seat = Seat.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=owner).first()
        if seat is None or Job.objects.running().filter(owner=owner).count() >= settings.MAX_RUNNING:
            continue
        job = Job.objects.queued().filter(owner=owner).order_by("created_at", "pk").first()
        if job is None:
            continue
        taken = (
            Job.objects.queued()
            .filter(pk=job.pk)
            .update(status=Job.Status.RUNNING, started_at=Now(), attempts_made=F("attempts_made") + 1)
        )
        if not taken:
            continue
        Seat.objects.filter(pk=owner).update(last_served_at=Now())
        return Attempt.objects.create(
            job=job, number=job.attempts_made + 1, worker=worker, lease_until=Now() + settings.LEASE
        )
    return None


def _members_in_turn() -> list:
    """Owners with a job waiting and room under their cap, least recently served first."""
    busy = (
        Job.objects.running()
        .values("owner")
        .annotate(count=Count("pk"))
        .filter(count__gte=settings.MAX_RUNNING)
    )
    waiting = Seat.objects.filter(Exists(Job.objects.queued().filter(owner=OuterRef("pk"))))
    return list(
        _in_turn(waiting.exclude(pk__in=busy.values("owner"))).values_list("pk", flat=True)[:CANDIDATES]
    )


def _in_turn(seats):
    return seats.order_by(F("last_served_at").asc(nulls_first=True), "pk")


def renew(attempt: Attempt, *, stage: str, step: int, preview: bytes | None = None) -> bool:
    """Extends the lease and tells the progress, in one write; False when the attempt is no longer this worker's.

    A `preview` (JPEG) takes the place of the one before; without one, that one stays.
    """
    held = Attempt.objects.filter(pk=attempt.pk, ended_at=None, lease_until__gt=Now())
    picture = {} if preview is None else {"preview": preview}
    return bool(held.update(lease_until=Now() + settings.LEASE, stage=stage, step=step, **picture))


def put_back_lapsed() -> int:
    """Ends attempts whose worker fell silent; their jobs wait again, or fail after the third. Returns how many."""
    lapsed = Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).select_related("job")
    return sum(give_up(attempt, outcome=Attempt.Outcome.LAPSED, retry=True) for attempt in lapsed)


def is_waiting() -> bool:
    """Is there anything for a worker to do?"""
    return bool(_members_in_turn()) or Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).exists()


# --- Ending --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """A file that lies in the private store already."""

    kind: str
    sha256: str
    size: int


@transaction.atomic
def finish(
    attempt: Attempt, *, recipe: dict, width: int, height: int, frames: int, fps: float, files
) -> bool:
    """Makes the clip, once: False if the attempt lapsed or the job was cancelled meanwhile."""
    if not _end(attempt, Attempt.Outcome.SUCCEEDED, to=Job.Status.SUCCEEDED):
        return False
    job = Job.objects.get(pk=attempt.job_id)
    clip = Clip.objects.create(
        owner_id=job.owner_id, job=job, recipe=recipe, width=width, height=height, frames=frames, fps=fps
    )
    Rendition.objects.bulk_create(
        Rendition(clip=clip, kind=file.kind, sha256=file.sha256, size=file.size) for file in files
    )
    return True


@transaction.atomic
def give_up(
    attempt: Attempt, *, retry: bool, outcome=Attempt.Outcome.FAILED, sentence: str = "", detail: str = ""
) -> bool:
    """Ends an attempt that made nothing: the job waits again if that can help, or fails with a sentence."""
    if retry and attempt.number < MAX_ATTEMPTS:
        return _end(attempt, outcome, to=Job.Status.QUEUED, detail=detail)
    if retry:
        sentence = _(
            "We tried %(count)s times and couldn't finish this take. It isn't your prompt: something on our "
            "side keeps failing. Try again later, or tell the program's team."
        ) % {"count": attempt.number}
    return _end(attempt, outcome, to=Job.Status.FAILED, error=sentence, detail=detail)


@transaction.atomic
def cancel(job: Job, *, by) -> bool:
    """Stops a job that waits or runs; its worker notices at the next renewal and ends the engine's work."""
    changed = Job.objects.filter(pk=job.pk, status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).update(
        status=Job.Status.CANCELLED, finished_at=Now()
    )
    if changed:
        Attempt.objects.filter(job=job, ended_at=None).update(
            ended_at=Now(), outcome=Attempt.Outcome.CANCELLED, preview=None
        )
        audit.record("job.cancelled", by=by, subject=job)
    return bool(changed)


def _end(attempt: Attempt, outcome: str, *, to: str, error: str = "", detail: str = "") -> bool:
    """Compare-and-set on the attempt and its job, both or neither; the job's row is locked first, as `cancel` does."""
    Job.objects.select_for_update().get(pk=attempt.job_id)
    held = Attempt.objects.filter(pk=attempt.pk, ended_at=None)
    if outcome == Attempt.Outcome.LAPSED:
        held = held.filter(lease_until__lte=Now())  # it may have been renewed since we looked
    if not held.update(ended_at=Now(), outcome=outcome, detail=detail[:2000], preview=None):
        return False
    over = to != Job.Status.QUEUED
    changed = (
        Job.objects.running()
        .filter(pk=attempt.job_id, attempts_made=attempt.number)
        .update(status=to, error=error, finished_at=Now() if over else None)
    )
    if not changed:
        raise IntegrityError(f"Attempt {attempt.pk} was open, but its job wasn't running it.")
    return True


# --- What the artist sees ------------------------------------------------------------------------


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
    seats = list(_in_turn(waiting).values_list("pk", "waiting"))
    before = Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk)
    k = 1 + Job.objects.queued().filter(before, owner=job.owner_id).count()
    turn = next((place for place, (owner, _n) in enumerate(seats) if owner == job.owner_id), 0)
    others = ((place, waiting) for place, (owner, waiting) in enumerate(seats) if owner != job.owner_id)
    return k + sum(min(waiting, k if place < turn else k - 1) for place, waiting in others)


def seconds_left(job: Job, attempt: Attempt | None, place: int | None) -> float | None:
    """A guess from what recent jobs of the same model took; None when there is nothing to go by."""
    recent = [
        (end - start).total_seconds()
        for start, end in Job.objects.filter(model=job.model, status=Job.Status.SUCCEEDED)
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
