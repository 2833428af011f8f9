"""What a machine noticed about a submission before a person looked: it moves a clip up, and decides nothing.

Flags are made once, by a worker, together with the seal. A Screening says what was looked at, and what could not be.
"""

import json

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .submission import Submission


class Kind(models.TextChoices):
    PICTURE = "picture", _("Its picture")
    WORDS = "words", _("Its words")
    DUPLICATE = "duplicate", _("Likeness to another clip")


class Screening(models.Model):
    """That machines looked at a submission. Without one, or with a kind missing, its room says so."""

    submission = models.OneToOneField(Submission, models.PROTECT, related_name="screening")
    kinds = models.CharField(
        max_length=60, blank=True
    )  # of Kind, those that were looked for, with spaces between
    failed = models.CharField(max_length=60, blank=True)  # those that could not be
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Screening of submission {self.submission_id}"


class Flag(models.Model):
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=16, choices=Kind)
    score = models.FloatField()  # 0 to 1: how sure the model was; 1 where something is there or is not
    # JSON. picture: the frames that were looked at, as [number, score]. words: rule, name, where, phrase, words.
    # duplicate: the other submission, its distance (0 is the same), and why it is remembered.
    evidence = models.TextField()
    said_by = models.CharField(max_length=40)
    said_version = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["picture", "words", "duplicate"]), name="flag_kind"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="flag_score_is_a_share"),
        ]
        indexes = [models.Index(fields=["at"], name="flag_by_time")]

    def __str__(self):
        return f"Flag {self.pk} on submission {self.submission_id}"

    @property
    def told(self) -> dict:
        """The evidence; {} once it is erased."""
        return json.loads(self.evidence or "{}")
