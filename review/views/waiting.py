"""The desk's list: what waits by deadline, who has what, and ways to narrow it, each for the same few questions."""

from datetime import UTC
from functools import cache

from django.db.models import DateTimeField, Q, UUIDField
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import notice
from accounts.paging import as_uuid
from accounts.permissions import check_can_review, requires
from accounts.prepared import Slot, prepared

from .. import queue

PAGE = 40  # as many as one works through in a sitting; more of them cost every visit
# What the list needs of those that wait, as rows: Django makes objects of them more slowly than they are found.
SHOWN = (
    *("pk", "version", "content", "created_at", "clock__due_at", "clock__paused_at"),
    *("is_held", "claim__reviewer", "claim__reviewer__name"),
)
SHOWS = {
    "all": _("All"),
    "free": _("Free"),
    "held": _("In review"),
    "mine": _("Yours"),
    "late": _("Late"),
    "asked": _("Waiting for an answer"),
}
_reviewer, _now = Slot("reviewer", UUIDField()), Slot("now", DateTimeField())
_due, _pk = Slot("due", DateTimeField()), Slot("pk", UUIDField())
_decided = prepared(lambda: queue.recently_decided(_reviewer))


@never_cache
@require_safe
@requires(check_can_review)
def desk(request):
    show = request.GET.get("show") if request.GET.get("show") in SHOWS else "all"
    after = _key(request.GET.get("after"))
    if "show" in request.GET:  # a notice leads to such an address
        notice.seen(request.user, request.get_full_path())
    told = {"reviewer": request.user.pk, "now": timezone.now(), **(after or {})}
    waiting = list(_waiting(show, is_first=after is None)(**told))
    shown = waiting[:PAGE]
    context = {
        "waiting": shown,
        "more": _page_after(show, shown[-1]) if len(waiting) > PAGE else None,
        "is_first": after is None,
        "show": show,
        "shows": SHOWS,
        "holds_one": any(each.is_held and each.claim__reviewer == request.user.pk for each in shown),
        "decided": list(_decided(reviewer=request.user.pk)) if show == "all" and after is None else [],
    }
    return render(request, "review/desk.html", context)


@cache
def _waiting(show: str, *, is_first: bool):
    """One question for each way of looking, put together once."""
    return prepared(lambda: _rows(show, is_first=is_first).values_list(*SHOWN, named=True)[: PAGE + 1])


def _rows(show: str, *, is_first: bool):
    found = queue.asked_about(_reviewer) if show == "asked" else queue.waiting_for(_reviewer)
    found = queue.with_holders(found, now=_now)
    match show:
        case "free":
            found = found.filter(is_held=False)
        case "held":
            # The second is in the first already; by it PostgreSQL begins with the few claims that there are.
            found = found.filter(is_held=True, claim__expires_at__gt=_now)
        case "mine":
            found = found.filter(is_held=True, claim__reviewer=_reviewer)
        case "late":
            found = found.filter(clock__due_at__lte=_now)
    if is_first:
        return found
    # The first condition is in the second already, but only the first tells an index where to begin.
    later = Q(clock__due_at__gt=_due) | Q(clock__submission__gt=_pk)
    return found.filter(later, clock__due_at__gte=_due)


def _page_after(show: str, last) -> str:
    return f"?show={show}&after={last.clock__due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ},{last.pk}"


def _key(text: str | None) -> dict | None:
    """Deadline and id of the last row of the page before; None begins at the beginning."""
    due, _comma, pk = (text or "").partition(",")
    try:
        found = parse_datetime(due)
        moment = found.astimezone(UTC) if found and timezone.is_aware(found) else None
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None
    return {"due": moment, "pk": as_uuid(pk)} if moment and as_uuid(pk) else None
