"""What a stored video looks like, in a few numbers: the row that likeness is searched in."""

from django.db import models
from django.utils import timezone


class Fingerprint(models.Model):
    """Of one file, by the sha256 under which it is stored: a clip's video, or a submission's public one."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    bits = models.BinaryField()  # likeness.BYTES, or none where the file shows nothing
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Fingerprint of {self.sha256[:12]}"
