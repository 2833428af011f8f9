"""What marks a submission as one that takes two people. A mark stays, and only ever asks for more eyes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..rules.pairs import MOST_WHY
from .submission import Submission


class SensitivityQuerySet(models.QuerySet):
    def told(self):
        """With all that a page tells of them."""
        return self.select_related("by").order_by("at", "pk")


class Sensitivity(models.Model):
    class Kind(models.TextChoices):
        SENSITIVE = "sensitive", _("Sensitive: every decision takes two people")
        CRITICISM = "criticism", _("Criticizes the program or its host: refusing it takes two people")

    class Source(models.TextChoices):
        REVIEWER = "reviewer", _("a reviewer")
        RULE = "rule", _("a rule")
        MACHINE = "machine", _("a machine flag")

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="sensitivities")
    kind = models.CharField(max_length=16, choices=Kind)
    source = models.CharField(max_length=16, choices=Source)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    why = models.TextField(max_length=MOST_WHY)
    erased_at = models.DateTimeField(null=True)

    objects = SensitivityQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "kind", "source"], name="marked_once_by_a_source"),
            models.CheckConstraint(condition=Q(kind__in=["sensitive", "criticism"]), name="sensitivity_kind"),
            models.CheckConstraint(
                condition=Q(source="reviewer", by__isnull=False) | Q(source__in=["rule", "machine"], by=None),
                name="sensitivity_by_a_reviewer_or_by_nobody",
            ),
        ]

    def __str__(self):
        return f"{self.kind} mark on submission {self.submission_id}"

    @property
    def who(self) -> str:
        """What marked it, without a name."""
        return self.get_source_display()
