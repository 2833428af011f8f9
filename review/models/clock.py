"""How much time is left until a submission's promised decision, and what its clock has passed on the way.

A Clock is machine progress: it moves on. A Milestone is what the public numbers are counted from: it never changes.
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .submission import Submission


class ClockQuerySet(models.QuerySet):
    def running(self):
        """Of what waits for a decision, and not for its artist's answer."""
        return self.filter(stopped_at=None, paused_at=None)

    def paused(self):
        return self.filter(stopped_at=None, paused_at__isnull=False)


class Clock(models.Model):
    """One for each sealed submission: the desk goes by it. All its times are the database's.

    What still waits is found by indexes of running and of paused clocks alone, however much was ever decided.
    """

    submission = models.OneToOneField(Submission, models.PROTECT, primary_key=True, related_name="clock")
    started_at = models.DateTimeField()
    allowed = models.DurationField()  # as the setting was then: a promise isn't changed afterwards
    due_at = models.DateTimeField()  # moved on by as long as each pause lasted
    # By which the desk goes: the deadline, or some hours earlier for what a machine has flagged. Moved on with it.
    turn_at = models.DateTimeField()
    is_flagged = models.BooleanField(default=False)
    rings_at = models.DateTimeField(null=True)  # the next milestone; null when all are passed
    paused_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)  # by the decision, or the withdrawal

    objects = ClockQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["turn_at", "submission"],
                condition=Q(stopped_at=None, paused_at=None),
                name="clock_running_in_turn",
            ),
            models.Index(
                fields=["turn_at", "submission"],
                condition=Q(stopped_at=None, paused_at=None, is_flagged=True),
                name="clock_flagged_in_turn",
            ),
            models.Index(
                fields=["turn_at", "submission"],
                condition=Q(stopped_at=None, paused_at__isnull=False),
                name="clock_paused_in_turn",
            ),
            models.Index(
                fields=["rings_at"], condition=Q(stopped_at=None, paused_at=None), name="clock_rings_next"
            ),
        ]

    def __str__(self):
        return f"Clock of submission {self.pk}"

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None and self.stopped_at is None

    @property
    def left(self) -> timedelta:
        """Below zero past the deadline; while it is paused, it stays the same."""
        return self.due_at - (self.paused_at or timezone.now())

    @property
    def is_overdue(self) -> bool:
        return self.left < timedelta(0)

    @property
    def steps(self) -> list[dict]:
        """What comes, or came, as the clock runs now: `kind`, `at`, and `is_past`."""
        now = timezone.now()
        moments = [(kind, self.moment(kind)) for kind in Milestone.Kind]
        return [
            {"kind": kind.value, "at": at, "is_past": at <= (self.paused_at or now)} for kind, at in moments
        ]

    def moment(self, kind: str) -> datetime:
        """When this milestone comes, or came, as the clock runs now."""
        return self.due_at - (1 - Milestone.SHARES[kind]) * self.allowed


class Milestone(models.Model):
    """That a clock has passed a share of its time. Each is recorded once, with what it causes, and never again."""

    class Kind(models.TextChoices):
        REMINDER = "reminder", _("Reviewers were reminded")
        ESCALATION = "escalation", _("Leads were told")
        OVERDUE = "overdue", _("Past its deadline")

    SHARES = {Kind.REMINDER: 0.5, Kind.ESCALATION: 0.8, Kind.OVERDUE: 1.0}

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="milestones")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField()
    due_at = models.DateTimeField()  # the deadline as it stood then

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "kind"], name="milestone_passed_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["reminder", "escalation", "overdue"]), name="milestone_kind"
            ),
        ]
        indexes = [models.Index(fields=["kind", "at"], name="milestone_by_time")]

    def __str__(self):
        return f"{self.kind} of submission {self.submission_id}"
