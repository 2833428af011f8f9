"""A member's inbox: what happened while they were away, and whether a mail says so too."""

from datetime import UTC

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

PAGE = 30


@never_cache
@require_safe
def inbox(request):
    """Newest first, by key. The key is a moment, not a number: those would tell how much happens to everybody."""
    mine = request.user.notices.order_by("-at", "-pk")
    if after := _moment(request.GET.get("after")):
        mine = mine.filter(at__lt=after)
    found = list(mine[: PAGE + 1])
    context = {
        "notices": found[:PAGE],
        "older": f"?after={found[PAGE - 1].at:%Y-%m-%dT%H:%M:%S.%fZ}" if len(found) > PAGE else None,
        "is_first_page": "after" not in request.GET,
    }
    return render(request, "accounts/inbox.html", context)


@require_POST
def reading(request):
    """All that is there counts as read."""
    request.user.notices.filter(read_at=None).update(read_at=timezone.now())
    return redirect("inbox")


@require_POST
def mail(request):
    """Whether news also comes by mail: the field `wants_mail` is there, or it isn't."""
    request.user.wants_mail = "wants_mail" in request.POST
    request.user.save(update_fields=["wants_mail"])
    if request.user.wants_mail:
        messages.success(request, _("When there is news and you aren't here, you get a mail."))
    else:
        messages.success(request, _("No mails about news any more. It waits for you here."))
    return redirect("inbox")


def _moment(text: str | None):
    try:
        found = parse_datetime(text or "")
        return found.astimezone(UTC) if found and timezone.is_aware(found) else None
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None
