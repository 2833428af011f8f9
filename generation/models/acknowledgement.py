"""That somebody who runs the program read a model's license and stands by it; what it asks is the catalog's."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Acknowledgement(models.Model):
    """Of one license in one wording: another wording beside the weights has to be acknowledged anew.

    Rows are never changed or deleted. Whoever no longer stands by a license takes the weights away.
    """

    model = models.CharField(max_length=64)  # a name in the catalog
    license = models.CharField(max_length=120)
    asks = models.TextField()  # what was put to them, in the words of that day
    text_sha256 = models.CharField(
        max_length=64, blank=True
    )  # of the text beside the weights; "" if none lies there
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # null: operator
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "license", "text_sha256"], name="acknowledged_once_per_wording"
            )
        ]

    def __str__(self):
        return f"Acknowledgement {self.pk} of {self.model}"
