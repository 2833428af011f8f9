"""Tells an artist who has left that a take has ended: in the inbox each time, by mail at times, never in words."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from accounts import emails
from accounts.models import Notice, User
from accounts.models.exclusion import is_kept_out
from accounts.models.notice import notify

from .models import Job

log = logging.getLogger(__name__)

WATCHED = 10  # seconds after which a page that no longer asks counts as closed
MAIL_EVERY = 600  # seconds: of many takes that end, the first one in this time sends a mail
KIND = {Job.Status.SUCCEEDED: Notice.Kind.TAKE_READY, Job.Status.FAILED: Notice.Kind.TAKE_FAILED}


def watching(job: Job, *, seconds: int | None = None) -> None:
    """Somebody looks at this job's page, or at that of a take of the same click."""
    try:
        cache.set(_mark(job), True, WATCHED if seconds is None else seconds)
    except Exception as error:  # a cache that is away costs a needless notice, not the page
        log.warning("could not note who is watching: %s", type(error).__name__)


def tell_of_end(job_id) -> None:
    """To be called once the end is committed. A page that is open tells it by itself."""
    job = Job.objects.select_related("owner").filter(pk=job_id).first()
    if job is None or job.status not in KIND or _is_watched(job):
        return
    notify(job.owner, KIND[job.status], path=reverse("job", args=[job.pk]))
    if job.owner.wants_mail and cache.add(f"news-mailed:{job.owner_id}", True, MAIL_EVERY):
        mail_news.apply_async([str(job.owner_id)], retry=False)


@shared_task(name="generation.mail_news")  # not in tasks.py: those wait for a free engine
def mail_news(user_id: str) -> None:
    """Says that there is news in the inbox, if there still is."""
    user = User.objects.filter(pk=user_id, is_active=True, wants_mail=True).first()
    if user and not is_kept_out(user) and user.notices.filter(read_at=None, kind__in=KIND.values()).exists():
        emails.send(
            "take_ended", to=user.email, context={"user": user, "inbox": settings.SITE_URL + reverse("inbox")}
        )


def _is_watched(job: Job) -> bool:
    try:
        return bool(cache.get(_mark(job)))
    except Exception as error:
        log.warning("could not learn who is watching: %s", type(error).__name__)
        return False


def _mark(job: Job) -> str:
    return f"watched:{job.batch or job.pk}"
