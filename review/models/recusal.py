"""How a reviewer steps aside: for now by a Pass, for good by a Recusal. Staff see both; artists see neither."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from .submission import Submission


class Pass(models.Model):
    """Not now: the submission goes back, and this reviewer is offered others first."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="passes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Pass on submission {self.submission_id}"


class Recusal(models.Model):
    """A conflict of interest: this person never decides on this clip, in whatever version it comes."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="recusals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "by"], name="recusal_once_a_person")]

    def __str__(self):
        return f"Recusal from submission {self.submission_id}"
