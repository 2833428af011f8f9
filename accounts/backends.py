"""How a session becomes a person: with their membership, and what every page asks about them, in one query."""

from allauth.account import auth_backends
from django.db.models import Exists, OuterRef, Subquery, UUIDField

from .models import AllowanceEntry, Notice, Pause, User
from .models.exclusion import kept_out
from .models.factors import second_factors
from .prepared import Slot, prepared


class MemberBackend(auth_backends.AuthenticationBackend):
    def get_user(self, user_id):
        return next(iter(_member(pk=user_id)), None)


def at_the_door():
    """Users with all that every page asks about the person in front of it; a query."""
    entries = AllowanceEntry.objects.filter(membership__user=OuterRef("pk")).order_by("-pk")
    return User.objects.select_related("membership__cohort").annotate(
        is_kept_out=Exists(kept_out().filter(user=OuterRef("pk"))),
        has_second_factor=Exists(second_factors().filter(user=OuterRef("pk"))),
        has_news=Exists(Notice.objects.filter(user=OuterRef("pk"), read_at=None)),
        is_program_paused=Exists(Pause.objects.in_force()),
        allowance_balance=Subquery(entries.values("balance")[:1]),
    )


_member = prepared(lambda: at_the_door().filter(is_active=True, pk=Slot("pk", UUIDField())))
