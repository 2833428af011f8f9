"""The desk's list: what waits in turn, who has what, and ways to narrow it, each for the same few questions."""

from datetime import UTC
from functools import cache

from django.db.models import DateTimeField, Exists, Q, UUIDField
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Membership, notice
from accounts.paging import as_key
from accounts.permissions import can_lead, check_can_review, requires
from accounts.prepared import Slot, prepared

from .. import appealing, assessing, comforts, queue, reporting
from . import appeals, reports

PAGE = 40  # as many as one works through in a sitting; more of them cost every visit
# What the list needs of those that wait, as rows: Django makes objects of them more slowly than they are found.
SHOWN = (
    *("pk", "version", "content", "created_at", "clock__due_at", "clock__paused_at"),
    *("clock__turn_at", "clock__is_flagged"),
    *("is_held", "claim__reviewer", "claim__reviewer__name", "is_sensitive", "is_criticism"),
)
SHOWS = {
    "all": _("All"),
    "free": _("Free"),
    "held": _("In review"),
    "mine": _("Yours"),
    "late": _("Late"),
    "flagged": _("Flagged"),
    "asked": _("Waiting for an answer"),
    "two": _("Takes two"),
}
BESIDE = {"appeals": (_("Appeals"), appeals.listed), "reports": (_("Reports"), reports.listed)}
TABS = SHOWS | {name: label for name, (label, _listed) in BESIDE.items()}
_reviewer, _now = Slot("reviewer", UUIDField()), Slot("now", DateTimeField())
_turn, _pk = Slot("turn", DateTimeField()), Slot("pk", UUIDField())
_decided = prepared(lambda: queue.recently_decided(_reviewer))
_news = prepared(
    lambda: Membership.objects.filter(user=_reviewer).values_list(
        Exists(appealing.hearable_by(_reviewer).order_by()), Exists(reporting.open_to(_reviewer).order_by())
    )
)


@never_cache
@require_safe
@requires(check_can_review)
def desk(request):
    show = request.GET.get("show") if request.GET.get("show") in TABS else "all"
    if "show" in request.GET:  # a notice leads to such an address
        notice.seen(request.user, request.get_full_path())
    tabs = {"show": show, "shows": TABS, "news": _what_waits_beside(request.user)}
    if show in BESIDE:
        return render(request, f"review/desk_{show}.html", BESIDE[show][1](request) | tabs)
    key = as_key(request.GET.get("after"))
    after = key and {"turn": key[0], "pk": key[1]}
    told = {"reviewer": request.user.pk, "now": timezone.now(), **(after or {})}
    waiting = list(_waiting(show, is_first=after is None)(**told))
    shown = waiting[:PAGE]
    context = {
        "waiting": shown,
        "more": _page_after(show, shown[-1]) if len(waiting) > PAGE else None,
        "is_first": after is None,
        **tabs,
        "comfort": comforts.of(request.user) if any(each.clock__is_flagged for each in shown) else None,
        "holds_one": any(each.is_held and each.claim__reviewer == request.user.pk for each in shown),
        "short": assessing.short_of_people().count() if can_lead(request.user) and show == "all" else 0,
        "decided": list(_decided(reviewer=request.user.pk)) if show == "all" and after is None else [],
    }
    return render(request, "review/desk.html", context)


def _what_waits_beside(reviewer) -> list[str]:
    """Which tabs have something for this reviewer: who goes by submissions alone would never see it."""
    (waits,) = _news(reviewer=reviewer.pk)
    return [name for name, is_there in zip(BESIDE, waits, strict=True) if is_there]


@cache
def _waiting(show: str, *, is_first: bool):
    """One question for each way of looking, put together once."""
    return prepared(lambda: _rows(show, is_first=is_first).values_list(*SHOWN, named=True)[: PAGE + 1])


def _rows(show: str, *, is_first: bool):
    found = queue.asked_about(_reviewer) if show == "asked" else queue.waiting_for(_reviewer)
    found = assessing.with_marks(queue.with_holders(found, now=_now))
    match show:
        case "free":
            found = found.filter(is_held=False)
        case "held":
            # The second is in the first already; by it PostgreSQL begins with the few claims that there are.
            found = found.filter(is_held=True, claim__expires_at__gt=_now)
        case "mine":
            found = found.filter(is_held=True, claim__reviewer=_reviewer)
        case "late":
            # The second is in the first already, for no turn comes after its deadline: the index is of turns.
            found = found.filter(clock__due_at__lte=_now, clock__turn_at__lte=_now)
        case "flagged":
            found = found.filter(clock__is_flagged=True)
        case "two":
            found = assessing.marked(found)
    if is_first:
        return found
    # The first condition is in the second already, but only the first tells an index where to begin.
    later = Q(clock__turn_at__gt=_turn) | Q(clock__submission__gt=_pk)
    return found.filter(later, clock__turn_at__gte=_turn)


def _page_after(show: str, last) -> str:
    return f"?show={show}&after={last.clock__turn_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ},{last.pk}"
