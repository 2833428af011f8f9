"""What was seen outside of the program: a file held against its clips, and what an admin should know of it.

Neither keeps the file, nor who sent it.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generation.models import Clip


class Proof(models.TextChoices):
    """By what a file was recognized; the first proves most."""

    BYTES = "bytes", _("Same bytes")
    MANIFEST = "manifest", _("Signed manifest")
    MARK = "mark", _("Invisible mark")
    LIKENESS = "likeness", _("Likeness")

    @property
    def rank(self) -> int:
        return list(Proof).index(self)


class Lookup(models.Model):
    """What a file said and showed that somebody asked about, until it has been held against every clip: minutes."""

    sha256 = models.CharField(max_length=64)
    submission = models.UUIDField(null=True)  # named by a manifest that the program signed
    number = models.PositiveBigIntegerField(null=True)  # of the invisible mark
    confidence = models.FloatField(default=0)  # in that number
    trace = models.BinaryField(default=b"")  # of a mark without a sure number
    bits = models.BinaryField(default=b"")  # as generation.likeness makes them
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Lookup {self.pk}"


class Sighting(models.Model):
    """A file from outside that shows a clip which isn't public, or is a copy that one person was given to look at.

    Evidence, with its confidence, for admins to look into. Nothing follows from it by itself.
    """

    clip = models.ForeignKey(
        Clip, models.CASCADE, related_name="sightings"
    )  # a deleted take takes them along
    viewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # whose copy
    sha256 = models.CharField(max_length=64)  # of the file
    proof = models.CharField(max_length=16, choices=Proof)
    confidence = models.FloatField()
    times = models.PositiveIntegerField(default=1)  # that this file was asked about
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sha256", "clip"], condition=Q(viewer=None), name="sighting_once_a_file"
            ),
            models.UniqueConstraint(
                fields=["sha256", "clip", "viewer"],
                condition=Q(viewer__isnull=False),
                name="sighting_once_a_file_and_viewer",
            ),
        ]

    def __str__(self):
        return f"Sighting {self.pk}"

    @property
    def percent(self) -> int:
        return int(100 * self.confidence)
