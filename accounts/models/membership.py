"""A person's place and role in the program, and the cohorts that members come in."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ARTIST = "artist", _("Artist")
    REVIEWER = "reviewer", _("Reviewer")
    ADMIN = "admin", _("Admin")


class Cohort(models.Model):
    """A wave of members."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return self.name


class Membership(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="membership")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="memberships")
    invitation = models.OneToOneField("accounts.Invitation", models.PROTECT, related_name="membership")
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known")
        ]

    def __str__(self):
        return f"{self.user} ({self.role})"
