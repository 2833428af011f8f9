"""The record that makes a submission public, and the one that ends it. Only review.gate creates either."""

import json
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property

from .decision import Approval

SLUG_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another
SLUG_LENGTH = 12


def random_slug() -> str:
    return get_random_string(SLUG_LENGTH, SLUG_LETTERS)


class PublicationQuerySet(models.QuerySet):
    def live(self):
        """Everything anonymous starts here. Said as a question, for `takedown=None` would be a join of which PostgreSQL

        expects a single row, and so it would begin with all that was ever published.
        """
        return self.filter(~Exists(Takedown.objects.filter(publication=OuterRef("pk"))))

    def newest_first(self):
        return self.order_by("-published_at", "-pk")

    def older_than(self, other: "Publication"):
        same = Q(published_at=other.published_at, pk__lt=other.pk)
        return self.filter(Q(published_at__lt=other.published_at) | same)

    def with_content(self):
        """Adds the frozen text, the only thing about a work that a public page reads."""
        return self.annotate(content=F("approval__submission__content"))


class Publication(models.Model):
    """Makes one approved submission public."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    approval = models.OneToOneField(Approval, models.PROTECT, related_name="publication")  # never null
    content_hash = models.CharField(max_length=64)  # must equal the approval's: a trigger checks
    slug = models.CharField(max_length=SLUG_LENGTH, unique=True, default=random_slug)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(default=timezone.now)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-published_at", "-id"], name="publication_newest")]

    def __str__(self):
        return f"Publication {self.slug}"

    @property
    def submission(self):
        return self.approval.submission

    @cached_property
    def work(self) -> dict:
        """The frozen text as data; needs `with_content()`."""
        return json.loads(self.content)

    @property
    def seconds(self) -> float:
        return self.work["clip"]["frames"] / self.work["clip"]["fps"]

    def file_name(self, kind: str) -> str:
        """Where a public copy lies in the public store."""
        return f"{self.slug}/{kind}"


class Takedown(models.Model):
    """Ends a publication for good."""

    publication = models.OneToOneField(Publication, models.PROTECT, related_name="takedown")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="takedown_by_time")]

    def __str__(self):
        return f"Takedown of {self.publication_id}"
