"""How each reviewer is shown what a machine has flagged: veiled at first, and not too much of it in a row."""

from django.db.models import UUIDField

from accounts.prepared import Slot, prepared

from .models import Comfort, Decision

_of = prepared(lambda: Comfort.objects.filter(reviewer=Slot("reviewer", UUIDField())))


def of(reviewer) -> Comfort:
    """What they chose, or what everybody begins with; one query."""
    return next(iter(_of(reviewer=reviewer.pk)), None) or Comfort(reviewer=reviewer)


def choose(reviewer, *, blurs: bool, grays: bool, mutes: bool, in_a_row: int) -> None:
    chosen = {"blurs": blurs, "grays": grays, "mutes": mutes, "in_a_row": in_a_row}
    Comfort.objects.update_or_create(reviewer=reviewer, defaults=chosen)


def had_enough(reviewer) -> bool:
    """Were the last clips that they decided on all flagged, as many as they take in a row?"""
    most = of(reviewer).in_a_row
    latest = Decision.objects.filter(by=reviewer).order_by("-at")
    flagged = list(latest.values_list("submission__clock__is_flagged", flat=True)[:most]) if most else []
    return bool(most) and len(flagged) == most and all(flagged)
