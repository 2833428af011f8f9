"""A reviewer's lease on a submission: one at a time, and never for ever."""

from functools import cache

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.permissions import reviewers

from .submission import Submission


class ClaimQuerySet(models.QuerySet):
    def live(self, *, now=None):
        """Claims that hold now: not lapsed, and by somebody who may still review.

        A suspension, an ending or another role thus frees them in the same moment, with nothing to clean up.
        """
        return self.filter(_holder_may_review(), expires_at__gt=now or timezone.now())


@cache
def _holder_may_review() -> Exists:
    """Put together once: for the desk, that takes longer than asking it."""
    return Exists(reviewers().filter(user=OuterRef("reviewer")))


class Claim(models.Model):
    """The only record of `review` that is deleted: a lease is not an act."""

    submission = models.OneToOneField(Submission, models.PROTECT, related_name="claim")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="claims")
    claimed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # Set by a lead's handing over: whose sentence the former holder's room tells.
    handed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    handed_from = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ClaimQuerySet.as_manager()

    def __str__(self):
        return f"Claim on submission {self.submission_id}"
