"""A person's place and role in the program, and the cohorts that members come in.

The role and the cohort on a Membership are what holds now; how they came to be is told by RoleChange records.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ARTIST = "artist", _("Artist")
    REVIEWER = "reviewer", _("Reviewer")
    LEAD = "lead", _("Lead reviewer")
    ADMIN = "admin", _("Admin")


class Cohort(models.Model):
    """A wave of members, with what its members may use. Empty means: as the settings say, or without limit."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    model_ids = models.JSONField(_("models"), default=list, blank=True)  # of the catalog; [] is all on offer
    max_queued = models.PositiveSmallIntegerField(_("takes waiting"), null=True, blank=True)
    max_running = models.PositiveSmallIntegerField(_("takes at once"), null=True, blank=True)
    allowance = models.PositiveIntegerField(_("allowance"), null=True, blank=True)  # GPU seconds a member

    def __str__(self):
        return self.name

    def offers(self, model_id: str) -> bool:
        return not self.model_ids or model_id in self.model_ids


class Membership(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="membership")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="memberships")
    invitation = models.OneToOneField("accounts.Invitation", models.PROTECT, related_name="membership")
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known")
        ]

    def __str__(self):
        return f"{self.user} ({self.role})"


class RoleChange(models.Model):
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="role_changes")
    before = models.CharField(max_length=16, choices=Role)
    after = models.CharField(max_length=16, choices=Role)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Role change of membership {self.membership_id}"
