"""The record of an admin's help for somebody who lost their passkey or authenticator."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class FactorReset(models.Model):
    """All second factors of a person were removed, after somebody made sure that it is them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="factor_resets")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()  # how the admin made sure who asked
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Factor reset of {self.user_id}"
