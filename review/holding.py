"""Taking and giving back what one person at a time holds at the desk beside submissions: by one statement each, so
that of two at once one gets it."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from .models.holding import Holding
from .permissions import Conflict

HOLDS = timedelta(hours=24)  # after the last act: a thread takes its time, and nobody's holiday may stop it


def claim(held: Holding, *, by) -> bool:
    """Takes it or renews it; False if somebody else has it, or it is over."""
    rows = type(held).objects
    free = Q(holder=by) | ~Exists(rows.held().filter(pk=OuterRef("pk")))
    return bool(rows.open().filter(free, pk=held.pk).update(holder=by, held_until=timezone.now() + HOLDS))


def release(held: Holding, *, by) -> None:
    type(held).objects.open().filter(pk=held.pk, holder=by).update(holder=None, held_until=None)


def holder_of(held: Holding):
    """Asked of the database, not of a row read earlier; None if nobody has it now."""
    now = type(held).objects.open().held().filter(pk=held.pk).select_related("holder").first()
    return now and now.holder


def check_holds(held: Holding, by) -> None:
    holder = holder_of(held)
    if holder is None:
        raise Conflict(_("You don’t hold this now. Claim it to go on; nothing of yours was recorded."))
    if holder.pk != by.pk:
        raise Conflict(_("%(name)s has it now. Nothing of yours was recorded.") % {"name": holder.name})


def renew(held: Holding) -> None:
    type(held).objects.filter(pk=held.pk).update(held_until=timezone.now() + HOLDS)


def close(held: Holding) -> None:
    type(held).objects.filter(pk=held.pk).update(closed_at=timezone.now(), holder=None, held_until=None)


def with_holders(rows, *, now=None):
    """Adds `is_held`, which says whether `holder` holds now, in the same query."""
    held = rows.model.objects.held(now=now).filter(pk=OuterRef("pk"))
    return rows.annotate(is_held=Exists(held)).select_related("holder")
