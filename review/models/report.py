"""What anybody may say against a public clip, and what the program answers: once, to all who said something by then.

Nobody needs an account to report, and nothing is kept of who did but the address that they left for the answer.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..clauses import CODE_LENGTH
from ..rules.reports import MOST_ANSWERED, MOST_REPORTED, OTHER
from .holding import Holding
from .publication import Publication


class Report(models.Model):
    """Reports on one publication count up from 1, so that an answer can say how many it has answered."""

    publication = models.ForeignKey(Publication, models.PROTECT, related_name="reports")
    number = models.PositiveIntegerField()
    reason = models.CharField(max_length=CODE_LENGTH)  # the code of a clause, or `OTHER`
    text = models.TextField(max_length=MOST_REPORTED, blank=True)
    email = models.EmailField(blank=True)  # where an answer goes
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "number"], name="reports_count_up")]
        indexes = [models.Index(fields=["at"], name="report_by_time")]

    def __str__(self):
        return f"Report {self.number} on {self.publication_id}"

    @property
    def is_other(self) -> bool:
        return self.reason == OTHER


class ReportAnswer(models.Model):
    """Answers every report up to `last_number` that had no answer yet."""

    class Outcome(models.TextChoices):
        KEPT = "kept", _("It stays")
        TAKEN_DOWN = "taken-down", _("It is taken down")

    publication = models.ForeignKey(Publication, models.PROTECT, related_name="report_answers")
    last_number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    note = models.TextField(max_length=MOST_ANSWERED)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "last_number"], name="reports_answered_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["kept", "taken-down"]), name="report_answer_outcome"
            ),
        ]

    def __str__(self):
        return f"Answer to reports on {self.publication_id}"


class Inquiry(Holding):
    """What is open about one publication: its unanswered reports, and who looks into them now."""

    publication = models.OneToOneField(Publication, models.PROTECT, primary_key=True, related_name="inquiry")
    opened_at = models.DateTimeField(default=timezone.now)  # by the first report since the last answer

    class Meta:
        indexes = [
            models.Index(
                fields=["opened_at", "publication"], condition=Q(closed_at=None), name="inquiry_open"
            )
        ]

    def __str__(self):
        return f"Inquiry into {self.pk}"

    @cached_property
    def answered(self) -> int:
        """Up to which number reports have been answered."""
        answers = ReportAnswer.objects.filter(publication=self.pk)
        return answers.aggregate(last=models.Max("last_number"))["last"] or 0

    @property
    def open_reports(self):
        return Report.objects.filter(publication=self.pk, number__gt=self.answered).order_by("number")
