"""One run of a prompt on an engine, its attempts, and its owner's seat in the queue.

How jobs are queued, claimed and leased is generation.queue's; this file says only what they are.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import trail

from ..engine import RECIPE_FIELDS, Recipe

MAX_ATTEMPTS = 3


class JobQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every private lookup starts here, so that a stranger gets 404."""
        return self.filter(owner=user)

    def queued(self):
        return self.filter(status=Job.Status.QUEUED)

    def running(self):
        return self.filter(status=Job.Status.RUNNING)


class Job(models.Model):
    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Generating")
        SUCCEEDED = "succeeded", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Kind(models.TextChoices):
        """How a take came of its parent."""

        EXTEND = "extend", _("Extended")  # begins with the last frame of its parent's clip
        REMIX = "remix", _("Remix")  # its parent's recipe, changed
        AGAIN = "again", _("Again")  # its parent's recipe, at most with another seed

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    # The browser's form carries a key, so that a double click finds the job that the first click made.
    form_key = models.UUIDField(default=uuid.uuid4, editable=False)
    batch = models.UUIDField(null=True, editable=False)  # takes that one click asked for share it
    # Where it comes from. A deleted parent leaves its children in the family, whose name is the first take's id.
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind, blank=True, default="")
    family = models.UUIDField(null=True, editable=False)
    # The click that asked for it, so that a worker's log lines can be found by it, whichever message woke the worker.
    request_id = models.CharField(max_length=64, null=True, default=trail.request_id, editable=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    model = models.CharField(max_length=64)
    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField()
    fps = models.FloatField()
    steps = models.PositiveIntegerField()
    guidance = models.FloatField()
    seed = models.BigIntegerField()
    # What the clip begins with, if not with words alone; the recipe names it by the sha256 of its file.
    picture = models.ForeignKey("generation.Picture", models.PROTECT, null=True, related_name="jobs")
    image = models.CharField(max_length=64, blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "form_key"], name="job_once_per_form"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "succeeded", "failed", "cancelled"]),
                name="job_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(parent=None)
                | (Q(kind__in=["extend", "remix", "again"]) & Q(family__isnull=False)),
                name="job_with_a_parent_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="job_newest_of_owner"),
            models.Index(fields=["owner", "created_at"], condition=Q(status="queued"), name="job_queue"),
            models.Index(fields=["owner"], condition=Q(status="running"), name="job_running"),
            models.Index(fields=["family"], condition=Q(family__isnull=False), name="job_family"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="job_children"),
        ]

    def __str__(self):
        return f"Job {self.pk} ({self.status})"

    @property
    def is_over(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def recipe(self) -> Recipe:
        return Recipe(**{name: getattr(self, name) for name in RECIPE_FIELDS})


class AttemptManager(models.Manager):
    """Leaves the picture in the database: lists and polls read the row each second, and only one view shows it."""

    def get_queryset(self):
        has_preview = models.ExpressionWrapper(Q(preview__isnull=False), models.BooleanField())
        return super().get_queryset().defer("preview").annotate(has_preview=has_preview)


class Attempt(models.Model):
    """One try at a job: a narrow row with its lease and progress, written about once a second.

    Whoever writes carries the attempt; once `ended_at` is set, every later write finds no row.
    """

    class Stage(models.TextChoices):
        LOADING = "loading", _("Loading the model")
        DENOISING = "denoising", _("Denoising")
        ENCODING = "encoding", _("Encoding")
        STORING = "storing", _("Storing")

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        LAPSED = "lapsed", _("The worker fell silent")
        CANCELLED = "cancelled", _("Cancelled")

    job = models.ForeignKey(Job, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120)
    started_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.LOADING)
    step = models.PositiveIntegerField(default=0)
    preview = models.BinaryField(null=True)  # a small JPEG of the forming clip; emptied when the attempt ends
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    detail = models.TextField(blank=True)  # for operators: never shown to artists, never holds a prompt

    objects = AttemptManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(preview=None), name="attempt_over_shows_nothing"
            ),
            models.UniqueConstraint(fields=["job", "number"], name="attempt_numbered_once"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(ended_at=None), name="attempt_one_open_per_job"
            ),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(ended_at=None), name="attempt_open_leases"),
            models.Index(fields=["ended_at"], name="attempt_by_end"),
        ]

    def __str__(self):
        return f"Attempt {self.number} of job {self.job_id}"


class Seat(models.Model):
    """A member's place in the queue: the row that a claim locks, and when that member was last served."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="seat"
    )
    last_served_at = models.DateTimeField(null=True)

    class Meta:
        # In the order of queue.in_turn: a claim reads from its beginning up to whoever may be served.
        indexes = [
            models.Index(IsNull(F("last_served_at"), False), "last_served_at", "owner", name="seat_in_turn")
        ]

    def __str__(self):
        return f"Seat of {self.owner_id}"
