"""A reviewer's Approval or Refusal: one per submission, for ever, in one table.

Two tables with a common parent would break the gate: a raw Approval row over a Refusal's parent once published a
refused clip. So the outcome is a checked column, and the two words are proxies.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .. import content_warnings
from ..clauses import Clause
from ..content_warnings import ContentWarning
from .policy import named
from .submission import Submission


class Decision(models.Model):
    class Outcome(models.TextChoices):
        APPROVE = "approve", _("Approve")
        REFUSE = "refuse", _("Refuse")

    submission = models.OneToOneField(Submission, models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=16, choices=Outcome)
    content_hash = models.CharField(max_length=64)  # what the reviewer saw: a trigger checks it
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    at = models.DateTimeField(default=timezone.now)
    policy_version = models.CharField(max_length=16)
    reasons = models.CharField(max_length=400, blank=True)  # codes of clauses, separated by spaces
    note = models.TextField(blank=True)
    # What an approval warns visitors of: codes of kinds, separated by spaces, and a line in the reviewer's words.
    warning_kinds = models.CharField(max_length=80, blank=True)
    warning_line = models.CharField(max_length=120, blank=True)
    # How many Remarks belong to it, said before they are: none can be added afterward. None where there were none yet.
    remark_count = models.PositiveSmallIntegerField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["by", "-at"], name="decision_newest_of_reviewer"),
            models.Index(fields=["at"], name="decision_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["approve", "refuse"]), name="decision_outcome"),
            models.CheckConstraint(
                condition=Q(outcome="approve")
                | (~Q(reasons="") & (~Q(note="") | Q(erased_at__isnull=False))),
                name="refusal_gives_reasons_and_a_note",
            ),
            models.CheckConstraint(
                condition=Q(outcome="approve") | Q(warning_kinds="", warning_line=""),
                name="refusal_warns_of_nothing",
            ),
        ]

    def __str__(self):
        return f"{self.outcome} of submission {self.submission_id}"

    @property
    def is_approval(self) -> bool:
        return self.outcome == self.Outcome.APPROVE

    @cached_property
    def warning(self) -> ContentWarning | None:
        return content_warnings.told(self.warning_kinds, self.warning_line)

    @cached_property
    def clauses(self) -> list[Clause]:
        """What it cites, in the words that held then. Of the first version, and of an approval, that costs no query."""
        policy = named(self.policy_version) if self.reasons else None
        return policy.clauses_of(self.reasons.split()) if policy else []


class ApprovalManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(outcome=Decision.Outcome.APPROVE)


class RefusalManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(outcome=Decision.Outcome.REFUSE)


class Approval(Decision):
    objects = ApprovalManager()

    class Meta:
        proxy = True


class Refusal(Decision):
    objects = RefusalManager()

    class Meta:
        proxy = True
