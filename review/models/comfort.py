"""How a reviewer wants to be shown what a machine has flagged: a wish of theirs, and no record: it may change."""

from dataclasses import dataclass

from django.conf import settings
from django.db import models

MOST_IN_A_ROW = 50


class Comfort(models.Model):
    reviewer = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="comfort"
    )
    blurs = models.BooleanField(default=True)
    grays = models.BooleanField(default=True)
    mutes = models.BooleanField(default=True)
    in_a_row = models.PositiveSmallIntegerField(
        default=5
    )  # flagged clips, after which another one is offered; 0: any number

    def __str__(self):
        return f"Comfort of {self.reviewer_id}"

    def veil(self, is_flagged: bool) -> "Veil":
        return Veil(self.blurs, self.grays, self.mutes) if is_flagged else Veil()


@dataclass(frozen=True)
class Veil:
    """What is laid over a clip until whoever looks lifts it."""

    blur: bool = False
    gray: bool = False
    mute: bool = False

    def __bool__(self):
        return self.blur or self.gray or self.mute
