"""A member's inbox: what happened while they were away, and whether a mail says so too."""

from datetime import UTC

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ..forms import MailForm

PAGE = 30
SAID = {
    MailForm.AT_ONCE: _("When there is news and you aren’t here, you get a mail."),
    MailForm.DAILY: _("From now on, one mail a day tells all news; on a day without any there is none."),
    MailForm.NEVER: _("No mails about news any more. It waits for you here."),
}


@never_cache
@require_safe
def inbox(request):
    return _page(request, MailForm(initial={"mail": MailForm.of(request.user)}))


def _page(request, form: MailForm, *, status: int = 200):
    """Newest first, by key. The key is a moment, not a number: those would tell how much happens to everybody."""
    mine = request.user.notices.order_by("-at", "-pk")
    if after := _moment(request.GET.get("after")):
        mine = mine.filter(at__lt=after)
    found = list(mine[: PAGE + 1])
    context = {
        "notices": found[:PAGE],
        "older": f"?after={found[PAGE - 1].at:%Y-%m-%dT%H:%M:%S.%fZ}" if len(found) > PAGE else None,
        "is_first_page": "after" not in request.GET,
        "form": form,
    }
    return render(request, "accounts/inbox.html", context, status=status)


@require_POST
def reading(request):
    """All that is there counts as read."""
    request.user.notices.filter(read_at=None).update(read_at=timezone.now())
    return redirect("inbox")


@require_POST
def mail(request):
    """How news also comes by mail."""
    form = MailForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    form.save(request.user)
    messages.success(request, SAID[form.cleaned_data["mail"]])
    return redirect("inbox")


def _moment(text: str | None):
    try:
        found = parse_datetime(text or "")
        return found.astimezone(UTC) if found and timezone.is_aware(found) else None
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None
