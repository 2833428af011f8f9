"""Who is making which files and how long that holds: the queue of record for preparations and staff's copies.

As with jobs, messages only say "look": losing one costs seconds, and a worker that dies leaves a lease that lapses.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from .models import Preparation, StaffCopy
from .models.making import Making

MAX_TRIES = 3
PATIENCE = (
    3  # times a job's lease: the encoder's last frames come out all at once, with no sign of life before
)
RETRY_AFTER = timedelta(seconds=10)  # times the tries so far: a store or a disk may be back by then


class Lost(Exception):
    """The work is no longer this worker's: withdrawn, or its lease lapsed and another has taken it up."""


def claim_next() -> Making | None:
    """Staff's copies first: somebody sits before the page."""
    _end_hopeless()
    return _claim(StaffCopy) or _claim(Preparation)


def is_waiting() -> bool:
    """Is there anything for a worker to do?"""
    return StaffCopy.objects.free().exists() or Preparation.objects.free().exists()


def renew(work: Making) -> None:
    """Raises Lost when the work is no longer this worker's."""
    if not _held(work).update(lease_until=Now() + PATIENCE * settings.LEASE):
        raise Lost


def end(work: Making, **made) -> None:
    """To be called in the transaction that keeps what was made: Lost undoes it all."""
    if not _held(work).update(ended_at=Now(), lease_until=None, error="", **made):
        raise Lost


def give_up(work: Making, *, retry: bool, sentence: str = "", detail: str = "") -> None:
    """Ends a try that made nothing. Another one comes later if that can help, three in all."""
    told = {"detail": detail[:2000]}
    if retry and work.tries < MAX_TRIES:
        _held(work).update(lease_until=Now() + work.tries * RETRY_AFTER, **told)
    else:
        _held(work).update(ended_at=Now(), lease_until=None, error=_hopeless() if retry else sentence, **told)


def put_off(work: Making) -> None:
    """For what failed by no fault of its own: a store that is away. Doesn't count as a try."""
    _held(work).update(lease_until=Now() + RETRY_AFTER, tries=F("tries") - 1)


def ask_again(work: Making, **emptied) -> bool:
    """Begins anew what has ended; False if somebody did so already."""
    begun = {"asked_at": Now(), "ended_at": None, "lease_until": None, "error": "", "detail": "", "tries": 0}
    ended = type(work).objects.filter(pk=work.pk, ended_at__isnull=False)
    return bool(ended.update(**begun, **emptied))


def _claim(kind: type[Making]) -> Making | None:
    free = kind.objects.free().filter(tries__lt=MAX_TRIES).order_by("asked_at", "pk")
    with transaction.atomic():
        found = free.select_for_update(skip_locked=True).first()
        if found is None:
            return None
        kind.objects.filter(pk=found.pk).update(
            token=F("token") + 1, tries=F("tries") + 1, lease_until=Now() + PATIENCE * settings.LEASE
        )
    return kind.objects.select_related("submission__clip", "submission__artist").get(pk=found.pk)


def _held(work: Making):
    return type(work).objects.open().filter(pk=work.pk, token=work.token)


def _end_hopeless() -> None:
    """Whoever made the third try has fallen silent too."""
    for kind in (StaffCopy, Preparation):
        silent = kind.objects.free().filter(tries__gte=MAX_TRIES)
        silent.update(ended_at=Now(), lease_until=None, error=_hopeless())


def _hopeless() -> str:
    return _(
        "We tried %(count)s times and couldn't make the files. It isn't your clip: something on our side keeps "
        "failing. Try again later, or tell the program's team."
    ) % {"count": MAX_TRIES}
