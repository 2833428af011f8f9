"""What Celery carries for `review`: the sweep, and what follows from files that were asked about."""

from functools import partial

from celery import shared_task
from django.db import transaction

from generation import fingerprints

from . import recognizing
from . import sweep as sweeping
from .models import PublicFile


@shared_task
def sweep(*, reread: bool = False) -> None:
    sweeping.sweep(reread=reread)


@shared_task
def fingerprint() -> None:
    """Makes the fingerprints that are missing: public videos first, for those are what strangers ask about."""
    public = PublicFile.objects.filter(kind="video").values_list("sha256", flat=True)
    for names in (public, fingerprints.of_clips()):
        fingerprints.make_missing(names)


@shared_task
def follow_up() -> None:
    recognizing.follow_up()


def nudge_follow_up() -> None:
    """Sent for every file alike, whatever was found in it; if it gets lost, the clock comes by."""
    transaction.on_commit(partial(follow_up.apply_async, retry=False), robust=True)
