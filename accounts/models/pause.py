"""The program's kill switch: while a Pause has no Resumption, no take is accepted or started."""

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from . import audit
from .exclusion import check_runs_program
from .user import User


class PauseQuerySet(models.QuerySet):
    def in_force(self):
        return self.filter(resumption=None)


class Pause(models.Model):
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)  # members read it
    erased_at = models.DateTimeField(null=True)

    objects = PauseQuerySet.as_manager()

    def __str__(self):
        return f"Pause {self.pk}"


class Resumption(models.Model):
    pause = models.OneToOneField(Pause, models.PROTECT, related_name="resumption")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Resumption of pause {self.pause_id}"


def current() -> Pause | None:
    return Pause.objects.in_force().order_by("-at").first()


@transaction.atomic
def pause(*, by: User | None, reason: str = "") -> Pause:
    """Stops the program's machines from taking work; asked twice, it gives the same pause."""
    audit.lock()
    check_runs_program(by)
    found = current()
    if found is None:
        found = Pause.objects.create(by=by, reason=reason.strip())
        audit.record("program.paused", by=by, subject=found, words=found.reason)
    return found


@transaction.atomic
def resume(*, by: User | None) -> bool:
    """Undoes every pause in force; False if there was none."""
    audit.lock()
    check_runs_program(by)
    found = list(Pause.objects.in_force())
    for each in found:
        Resumption.objects.create(pause=each, by=by)
        audit.record("program.resumed", by=by, subject=each)
    return bool(found)
