"""Files that a worker makes for the desk, who is at it and until when. How a worker takes them is review.leases'."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import trail

from .submission import Submission


class MakingQuerySet(models.QuerySet):
    def open(self):
        return self.filter(ended_at=None)

    def free(self):
        """What a worker may take: nobody is at it, or whoever was fell silent."""
        return self.open().filter(Q(lease_until=None) | Q(lease_until__lte=Now()))


class Making(models.Model):
    """Work with a lease on the database's clock. Each claim counts `token` up and every write about it carries that, so
    that a worker who was away too long finds no row to write to."""

    # The click that asked for it, so that a worker's log lines can be found by it, whichever message woke the worker.
    request_id = models.CharField(max_length=64, null=True, default=trail.request_id, editable=False)
    asked_at = models.DateTimeField(default=timezone.now)
    token = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)  # since it was asked for
    lease_until = models.DateTimeField(null=True)  # after a try that failed: not before then
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)  # a sentence for whoever waits for it
    detail = models.TextField(blank=True)  # for operators: never shown, never holds words of the submission

    objects = MakingQuerySet.as_manager()

    class Meta:
        abstract = True


class Preparation(Making):
    """The making of a submission's public files, between its artist's click and its seal."""

    submission = models.OneToOneField(Submission, models.PROTECT, related_name="preparation")

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(ended_at=None), name="preparation_open"),
        ]

    def __str__(self):
        return f"Preparation of submission {self.submission_id}"


class StaffCopy(Making):
    """One reviewer's copy of the frozen video, with a mark that says who viewed it.

    The row is deleted with its file when it has served: both can be made again. Its Mark stays.
    """

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="staff_copies")
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)  # "" until it is made
    size = models.PositiveBigIntegerField(default=0)  # bytes

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "viewer"], name="staff_copy_one_for_each_viewer")
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(ended_at=None), name="staff_copy_open"),
        ]

    def __str__(self):
        return f"Copy of submission {self.submission_id} for {self.viewer_id}"

    @property
    def is_ready(self) -> bool:
        return bool(self.sha256)
