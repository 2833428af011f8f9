"""What one reviewer at a time holds at the desk beside submissions: an appeal to be heard, reports to be answered."""

from functools import cache

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.permissions import reviewers


class HoldingQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def held(self, *, now=None):
        """Held now: not lapsed, and by somebody who may still review."""
        return self.filter(_holder_may_review(), held_until__gt=now or timezone.now())


@cache
def _holder_may_review() -> Exists:
    return Exists(reviewers().filter(user=OuterRef("holder")))


class Holding(models.Model):
    """No act, and so not behind the gate: who has it now, and whether it is over."""

    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    held_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = HoldingQuerySet.as_manager()

    class Meta:
        abstract = True

    def is_held_by(self, user) -> bool:
        """Of a row that `with_holders` brought: whether this person has it now."""
        return self.is_held and self.holder_id == user.pk
