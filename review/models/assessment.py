"""What one reviewer says of a submission that takes two. Nobody else sees it before the Decision."""

import json

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from ..clauses import Clause
from .decision import Decision
from .policy import named
from .remark import Remark
from .submission import Submission


class AssessmentQuerySet(models.QuerySet):
    def told(self):
        """With all that a decision's record tells of them."""
        return self.select_related("by").order_by("at", "pk")


class Assessment(models.Model):
    """Says what a Decision says, and decides only together with another one. One for each person."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="assessments")
    outcome = models.CharField(max_length=16, choices=Decision.Outcome)
    content_hash = models.CharField(max_length=64)  # what the reviewer saw: a trigger checks it
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    policy_version = models.CharField(max_length=16)
    reasons = models.CharField(max_length=400, blank=True)  # codes of clauses, separated by spaces
    note = models.TextField(blank=True)
    warning_kinds = models.CharField(max_length=80, blank=True)  # as a Decision's
    warning_line = models.CharField(max_length=120, blank=True)
    # Its remarks on frames, as JSON: a Remark is a part of a Decision, and most of these never become one.
    said_of_frames = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "by"], name="assessed_once_by_a_person"),
            models.CheckConstraint(condition=Q(outcome__in=["approve", "refuse"]), name="assessment_outcome"),
            models.CheckConstraint(
                condition=Q(outcome="approve", reasons="")
                | (Q(outcome="refuse") & ~Q(reasons="") & (~Q(note="") | Q(erased_at__isnull=False))),
                name="assessed_with_reasons_as_a_refusal",
            ),
        ]

    def __str__(self):
        return f"Assessment of submission {self.submission_id}"

    @property
    def is_approval(self) -> bool:
        return self.outcome == Decision.Outcome.APPROVE

    @cached_property
    def clauses(self) -> list[Clause]:
        """What it cites, in the words that held then."""
        policy = named(self.policy_version) if self.reasons else None
        return policy.clauses_of(self.reasons.split()) if policy else []

    @cached_property
    def remarks(self) -> list[Remark]:
        """What it says of frames, to be shown as a decision's remarks are; none of them is a row."""
        said = json.loads(self.said_of_frames or "[]")
        return [Remark(number=number, **each) for number, each in enumerate(said, 1)]
