"""Taking a take away: its rows, words and picture go. The ledger and the audit log keep that it was there."""

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import audit

from . import feedback, pictures
from .models import Clip, Fingerprint, Job, Picture


class NotRemovable(Exception):
    """A take that can't be taken away now; says why in a sentence."""


@transaction.atomic
def remove(job: Job, *, by) -> None:
    """A take that failed or was cancelled; gone already, it stays gone."""
    job = Job.objects.select_for_update().filter(pk=job.pk).first()
    if job is None:
        return
    if not job.is_over:
        raise NotRemovable(_("This take is still being made. Cancel it first."))
    if Clip.objects.filter(job=job).exists():
        raise NotRemovable(_("This take has become a clip. Delete it from the clip's page."))
    key = job.pk
    _remove_rows(job)
    audit.record("job.deleted", by=by, subject=Job(pk=key))


def remove_clip(clip: Clip) -> list[str]:
    """Deletes a clip's rows and its job's, and returns the sha256 of each file that they named.

    For review alone, which holds the clip's lock and knows whether it was ever submitted. The database would refuse
    a clip that a submission names, too.
    """
    digests = list(clip.renditions.values_list("sha256", flat=True))
    job = Job.objects.select_for_update().get(pk=clip.job_id)
    frame = Picture.objects.filter(clip=clip).values_list("pk", flat=True).first()
    clip.renditions.all().delete()
    Fingerprint.objects.filter(sha256__in=digests).delete()  # one that another clip shares is made again
    feedback.take_back(clip)
    Clip.objects.filter(pk=clip.pk).delete()
    _remove_rows(job)
    if frame:
        pictures.let_go(frame)
    return digests


def _remove_rows(job: Job) -> None:
    job.owner.notices.filter(path=reverse("job", args=[job.pk])).delete()
    job.attempts.all().delete()
    Job.objects.filter(pk=job.pk).delete()
    if job.picture_id:
        pictures.let_go(job.picture_id)  # which stays if another take begins with it
