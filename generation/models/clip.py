"""The finished, immutable video, and the encoded files of it."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from .job import Job


class ClipQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every private lookup starts here, so that a stranger gets 404."""
        return self.filter(owner=user)


class Clip(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="clips")
    job = models.OneToOneField(Job, models.PROTECT, related_name="clip")
    recipe = models.JSONField()  # all that decides the frames: the Recipe, the model's revision, versions
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField()
    fps = models.FloatField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = ClipQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"], name="clip_newest_of_owner")]

    def __str__(self):
        return f"Clip {self.pk}"

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def rendition(self, kind: str) -> "Rendition":
        return self.renditions.get(kind=kind)


class Rendition(models.Model):
    """One file of a clip, kept in the private store under its sha256."""

    class Kind(models.TextChoices):
        VIDEO = "video"
        POSTER = "poster"
        SPRITE = "sprite"  # moments side by side; clips of earlier versions have none
        AV1 = (
            "av1",
            "AV1",
        )  # the same video, smaller, for players that can; only where the settings ask for it

    CONTENT_TYPES = {
        Kind.VIDEO: "video/mp4",
        Kind.POSTER: "image/jpeg",
        Kind.SPRITE: "image/jpeg",
        Kind.AV1: "video/mp4",
    }

    clip = models.ForeignKey(Clip, models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=16, choices=Kind)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()  # bytes

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clip", "kind"], name="rendition_one_of_a_kind")]

    def __str__(self):
        return f"{self.kind} of clip {self.clip_id}"

    @property
    def content_type(self) -> str:
        return self.CONTENT_TYPES[self.kind]
