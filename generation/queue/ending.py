"""Out of the queue: a clip, a sentence, another try, or an artist who thought better of it."""

import math
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import allowance, audit
from accounts.models.exclusion import kept_out

from .. import news
from ..models import Attempt, Clip, Job, Rendition
from ..models.job import MAX_ATTEMPTS


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
    spent = (timezone.now() - attempt.started_at).total_seconds()
    allowance.settle(job.pk, max(1, math.ceil(spent)))
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


def put_back_lapsed() -> int:
    """Ends attempts whose worker fell silent; their jobs wait again, or fail after the third. Returns how many."""
    lapsed = Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).select_related("job")
    return sum(give_up(attempt, outcome=Attempt.Outcome.LAPSED, retry=True) for attempt in lapsed)


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
        allowance.give_back(job.pk)
        audit.record("job.cancelled", by=by, subject=job)
    return bool(changed)


def cancel_of_kept_out() -> int:
    """Cancels what the suspended and the ended still have waiting or running. Returns how many."""
    unfinished = Job.objects.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    return sum(cancel(job, by=None) for job in unfinished.filter(owner__in=kept_out().values("user")))


def _end(attempt: Attempt, outcome: str, *, to: str, error: str = "", detail: str = "") -> bool:
    """Compare-and-set on the attempt and its job, both or neither; the job's row is locked first, as `cancel` does."""
    if Job.objects.select_for_update().filter(pk=attempt.job_id).first() is None:
        return False  # cancelled and deleted, while its worker was still at it
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
    if to == Job.Status.FAILED:
        allowance.give_back(attempt.job_id)
    if over:
        # No partial: Django names a callback that failed by its __qualname__, and fails itself without one.
        transaction.on_commit(lambda: news.tell_of_end(attempt.job_id), robust=True)
    return True
