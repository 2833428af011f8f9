"""The numbers of a month that is over, counted once and kept: /transparency/ must not count a million rows again."""

from django.db import models
from django.utils import timezone


class Month(models.Model):
    """No record of what people did, and so not behind the gate: it can be counted again from those records."""

    name = models.CharField(max_length=7, primary_key=True)  # 2026-11
    edition = models.PositiveSmallIntegerField()  # of what is counted: an older one is counted anew
    figures = models.JSONField()
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Numbers of {self.name}"
