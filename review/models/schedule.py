"""When an artist wants a work to go public by itself, and what came of that."""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .submission import Submission


class ScheduleQuerySet(models.QuerySet):
    def open(self):
        return self.filter(end=None)

    def due(self):
        """By the database's clock: whose own is fast must publish nothing early."""
        return self.open().filter(publish_at__lte=Now())


class Schedule(models.Model):
    """A time at which a submission goes public if the gate allows it then. They count up; one is open at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="schedules")
    number = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    publish_at = models.DateTimeField()
    zone = models.CharField(
        max_length=64
    )  # in which the artist meant it, as in Europe/Berlin: only to show it again

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "number"], name="schedules_count_up")]
        indexes = [models.Index(fields=["publish_at", "id"], name="schedule_by_time")]

    def __str__(self):
        return f"Schedule {self.number} of submission {self.submission_id}"

    @property
    def there(self) -> datetime:
        """The moment as clocks in the artist's own zone show it: naive, or a template would turn it into the site's."""
        return self.publish_at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


class ScheduleEnd(models.Model):
    """What came of a Schedule: one for each, for ever, so that nothing is tried twice."""

    class Outcome(models.TextChoices):
        PUBLISHED = "published", _("It went public.")
        CALLED_OFF = "called-off", _("Called off by its artist.")
        # From here on: it didn't go public, and why.
        UNDECIDED = "undecided", _("No reviewer had approved it by then.")
        REFUSED = "refused", _("A reviewer had refused it.")
        WITHDRAWN = "withdrawn", _("You had withdrawn it.")
        TAKEN_DOWN = "taken-down", _("It had been taken down.")
        REVOKED = "revoked", _("You had revoked your consent to the gallery.")
        KEPT_OUT = "kept-out", _("Your membership was suspended, or had ended.")
        CHANGED = "changed", _("It was no longer what a reviewer had approved.")

    schedule = models.OneToOneField(Schedule, models.PROTECT, related_name="end")
    outcome = models.CharField(max_length=16, choices=Outcome)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # null: the program
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        *("published", "called-off", "undecided", "refused", "withdrawn"),
                        *("taken-down", "revoked", "kept-out", "changed"),
                    ]
                ),
                name="schedule_ends_in_a_known_way",
            )
        ]

    def __str__(self):
        return f"{self.outcome}: schedule {self.schedule_id}"

    @property
    def is_failure(self) -> bool:
        return self.outcome not in (self.Outcome.PUBLISHED, self.Outcome.CALLED_OFF)
