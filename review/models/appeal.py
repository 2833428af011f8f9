"""An artist's Appeal against one refusal or takedown, what is said in it, and how it ends: by a Dismissal, or upheld.

What moves while it is open is its Hearing; everything else here stays as it was written.
"""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..rules.appeals import MOST_WRITTEN
from .clock import Milestone
from .decision import Decision
from .holding import Holding
from .publication import Takedown
from .submission import Submission


class Appeal(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What was refused, or taken down. It comes to one of the two once at most, so it is appealed once.
    submission = models.OneToOneField(Submission, models.PROTECT, related_name="appeal")
    refusal = models.OneToOneField(Decision, models.PROTECT, null=True, related_name="appeal")
    takedown = models.OneToOneField(Takedown, models.PROTECT, null=True, related_name="appeal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()  # as the setting was then: a promise isn't changed afterwards
    text = models.TextField(max_length=MOST_WRITTEN)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(refusal__isnull=False, takedown=None) | Q(refusal=None, takedown__isnull=False),
                name="appeal_is_against_one_act",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="appeal_by_time")]

    def __str__(self):
        return f"Appeal {self.pk}"

    @property
    def state(self) -> str:
        if hasattr(self, "upholding"):
            return "upheld"
        return "dismissed" if hasattr(self, "dismissal") else "open"

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def is_overdue(self) -> bool:
        return self.due_at < timezone.now()

    def moment(self, kind: str) -> datetime:
        """When this share of its time is over."""
        return self.due_at - (1 - Milestone.SHARES[kind]) * (self.due_at - self.at)


class AppealMessage(models.Model):
    """One message of the thread: by the artist, or by whoever hears the appeal."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(max_length=MOST_WRITTEN)
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Message {self.pk} in appeal {self.appeal_id}"

    @property
    def is_artists(self) -> bool:
        return self.by_id == self.appeal.by_id


class Dismissal(models.Model):
    """The act stands, and its artist reads why."""

    appeal = models.OneToOneField(Appeal, models.PROTECT, related_name="dismissal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    note = models.TextField(max_length=MOST_WRITTEN)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="dismissal_by_time")]

    def __str__(self):
        return f"Dismissal of appeal {self.appeal_id}"


class Upholding(models.Model):
    """The act doesn't stand: the same content is decided anew, by whoever heard the appeal."""

    appeal = models.OneToOneField(Appeal, models.PROTECT, related_name="upholding")
    submission = models.OneToOneField(Submission, models.PROTECT, related_name="upholding")  # what it opened
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Upholding of appeal {self.appeal_id}"


class Hearing(Holding):
    """Who hears an appeal now, and when somebody must be reminded of it."""

    appeal = models.OneToOneField(Appeal, models.PROTECT, primary_key=True, related_name="hearing")
    due_at = models.DateTimeField()  # as the appeal says: here it is in the desk's index
    rings_at = models.DateTimeField(null=True)  # null when everybody was told

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "appeal"], condition=Q(closed_at=None), name="hearing_open"),
            models.Index(fields=["rings_at"], condition=Q(closed_at=None), name="hearing_rings_next"),
        ]

    def __str__(self):
        return f"Hearing of appeal {self.pk}"
