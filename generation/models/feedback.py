"""What an artist thinks of one of their own clips, so that the program learns which model does what badly."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .clip import Clip


class Artifact(models.TextChoices):
    """What went wrong, in words that fit any model."""

    WORDS_IGNORED = "words-ignored", _("Not what I asked for")
    FLICKER = "flicker", _("Flicker")
    BLUR = "blur", _("Blur or noise")
    SHAPES = "shapes", _("Shapes that melt or change")
    BODIES = "bodies", _("Wrong hands, faces or bodies")
    MOTION = "motion", _("Motion that makes no sense")
    STILL = "still", _("Hardly any motion")
    LETTERS = "letters", _("Garbled letters")
    COLORS = "colors", _("Wrong colors or light")


class Feedback(models.Model):
    """One for each clip, by its owner: theirs to change and to take back, and gone with the clip."""

    RATINGS = range(1, 6)
    NOTE_LIMIT = 500

    clip = models.OneToOneField(Clip, models.PROTECT, related_name="feedback")
    rating = models.PositiveSmallIntegerField()
    artifacts = models.JSONField(default=list)  # Artifact's values, in their order
    note = models.CharField(max_length=NOTE_LIMIT, blank=True)
    at = models.DateTimeField(default=timezone.now)  # of the last change

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5), name="feedback_rating_is_one_to_five"
            )
        ]

    def __str__(self):
        return f"Feedback {self.pk}"
