"""A picture that takes begin with: brought by its artist, or the last frame of a clip of theirs. Never public.

How pictures come in and go, generation.pictures tells.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .clip import Clip

CONTENT_TYPE = "image/jpeg"


class PictureQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every lookup starts here, so that a stranger gets 404."""
        return self.filter(owner=user)

    def unused(self):
        """No take begins with them: they wait in a form that nobody has sent, or never will be."""
        return self.filter(jobs=None)


class Picture(models.Model):
    """One file in the private store, made anew from what was uploaded or shown: nothing of the original is kept."""

    class Kind(models.TextChoices):
        UPLOAD = "upload", _("Your picture")
        FRAME = "frame", _("A last frame")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="pictures")
    kind = models.CharField(max_length=8, choices=Kind)
    # Whose last frame it is. The clip may be deleted while a take that goes on from it stays.
    clip = models.OneToOneField(Clip, models.SET_NULL, null=True, related_name="last_frame")
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()  # bytes
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    rights = models.TextField(
        blank=True
    )  # the sentence with which its owner vouched for it; "" until they do
    at = models.DateTimeField(default=timezone.now)

    objects = PictureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["upload", "frame"]), name="picture_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind="frame") | Q(clip=None), name="picture_of_a_clip_is_a_frame"
            ),
            models.UniqueConstraint(
                fields=["owner", "sha256"], condition=Q(kind="upload"), name="picture_once_an_owner"
            ),
        ]
        indexes = [models.Index(fields=["owner", "-at"], name="picture_newest_of_owner")]

    def __str__(self):
        return f"Picture {self.pk}"

    @property
    def needs_word(self) -> bool:
        """Must its owner still say that they may use it? A clip's own frame needs no word."""
        return self.kind == self.Kind.UPLOAD and not self.rights
