"""A clip with its public words and public files, frozen for review, and an artist's withdrawal of it.

Until a worker has made its files, it is unsealed: only its artist sees it.

A submission has no status column: what became of it is told by the records that point at it.
"""

import hashlib
import json
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.functional import cached_property

from generation.models import Clip


class SubmissionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every lookup by an artist starts here, so that a stranger gets 404."""
        return self.filter(artist=user)

    def at_the_desk(self):
        """What reviewers may see: sealed, and not taken back by its artist."""
        return self.exclude(content_hash=None).filter(self._without("withdrawal"))

    def unsealed(self):
        """What is being prepared for the desk, or could not be."""
        return self.filter(content_hash=None, withdrawal=None)

    def waiting(self):
        return self.at_the_desk().filter(self._without("decision"))

    def on_the_clock(self):
        """As `waiting`, for questions that begin with the clocks which haven't stopped."""
        sealed = self.exclude(content_hash=None).filter(clock__due_at__isnull=False, clock__stopped_at=None)
        return sealed.filter(self._lacks("withdrawal"), self._lacks("decision"))

    def _lacks(self, record: str) -> Q:
        """As `_without`, said so that PostgreSQL expects it of nearly all: here it would think of all that was ever

        submitted, of which most is decided, read far more rows than it needs, and start processes for that.
        """
        records = self.model._meta.get_field(record).related_model.objects
        found = records.filter(submission=OuterRef("pk")).values(is_there=Value(1))
        return ~Q(Exact(Coalesce(Subquery(found), 0), 1))

    def _without(self, record: str) -> Exists:
        """As `record=None`, said so that PostgreSQL knows how many rows it leaves. Of a join whose own key is null it
        expects a single one, and begins with all that was ever submitted."""
        records = self.model._meta.get_field(record).related_model.objects
        return ~Exists(records.filter(submission=OuterRef("pk")))


class Submission(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clip = models.ForeignKey(Clip, models.PROTECT, related_name="submissions")
    artist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="submissions")
    version = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120, blank=True)
    statement = models.TextField(blank=True)
    discloses_recipe = models.BooleanField()
    publish_on_approval = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)
    # Sealing sets these once, together. From then on the database refuses every change but erasure.
    content = models.TextField(blank=True)  # canonical JSON: all that a visitor could see or get
    content_hash = models.CharField(max_length=64, null=True)  # sha256 of `content`
    sealed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clip", "version"], name="submission_versions_count_up"),
            models.CheckConstraint(
                condition=Q(content_hash=None, sealed_at=None, content="")
                | Q(content_hash__isnull=False, sealed_at__isnull=False),
                name="submission_is_sealed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="submission_by_waiting_time"),
            models.Index(fields=["artist", "-created_at"], name="submission_newest_of_artist"),
        ]

    def __str__(self):
        return f"Submission {self.pk}"

    @cached_property
    def work(self) -> dict:
        """The frozen text as data: what reviewers are shown, because it is what they decide on. {} once erased."""
        return json.loads(self.content or "{}")

    @property
    def is_whole(self) -> bool:
        """Does the frozen text still have the hash that it was sealed with?"""
        return self.content_hash == hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def deadline(self):
        """When a decision is due, as its clock runs now; None before it reaches the desk."""
        clock = getattr(self, "clock", None)
        return clock and clock.due_at

    @property
    def open_question(self):
        """What its artist hasn't answered yet; read it with the prefetches of `timeline`."""
        return next((each for each in self.questions.all() if not hasattr(each, "reply")), None)

    @property
    def state(self) -> str:
        """One word for templates, read from the records."""
        withdrawal = getattr(self, "withdrawal", None)
        if self.content_hash is None:
            preparation = getattr(self, "preparation", None)
            return state_of(withdrawal, None, preparation and preparation.error)
        decision = getattr(self, "decision", None)
        publication = getattr(decision, "publication", None)
        takedown = getattr(publication, "takedown", None)
        outcome = decision and decision.outcome
        return state_of(withdrawal, self.content_hash, None, outcome, publication, takedown)


# Where a query finds what `state_of` asks for, in its order.
STATE_FACTS = (
    *("withdrawal", "content_hash", "preparation__error"),
    *("decision__outcome", "decision__publication", "decision__publication__takedown"),
)


def state_of(withdrawal, content_hash, error, outcome=None, publication=None, takedown=None) -> str:
    """What became of a submission, by the records that point at it; the order is the order in which they can come."""
    if withdrawal:
        return "withdrawn"
    if content_hash is None:
        return "unprepared" if error else "preparing"
    if outcome is None:
        return "waiting"
    if outcome != "approve":
        return "refused"
    if publication is None:
        return "approved"
    return "taken-down" if takedown else "published"


class PublicFile(models.Model):
    """One file that publishing will copy byte for byte: made at submission, never touched again."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="files")
    kind = models.CharField(max_length=16)  # as generation.Rendition.Kind
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()  # bytes
    content_type = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "kind"], name="public_file_one_of_a_kind")
        ]

    def __str__(self):
        return f"{self.kind} of submission {self.submission_id}"


class Withdrawal(models.Model):
    """An artist's taking back of a submission before it was decided."""

    submission = models.OneToOneField(Submission, models.PROTECT, related_name="withdrawal")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["at"], name="withdrawal_by_time")]

    def __str__(self):
        return f"Withdrawal of submission {self.submission_id}"
