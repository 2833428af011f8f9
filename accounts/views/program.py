"""The admins' first page: how the program stands, and the switch that stops it."""

from django.contrib import messages
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ..acts import told
from ..member_forms import PauseForm
from ..models import AuditEntry, Invitation, exclusion, pause
from ..models.exclusion import Standing
from ..models.membership import Role
from ..permissions import check_can_run_program, requires
from ..stepup import confirmed


@never_cache
@require_safe
@requires(check_can_run_program)
def program(request):
    return _page(request, PauseForm())


@require_POST
@requires(check_can_run_program)
@confirmed
def program_pause(request):
    form = PauseForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made = pause.pause(by=request.user, reason=form.cleaned_data["reason"])
    except exclusion.Impossible as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form, status=409)
    if made.reason != form.cleaned_data["reason"].strip():
        messages.info(request, _("It was paused already; that pause and its reason stay."))
    else:
        messages.success(request, _("The program is paused: no take is accepted or started."))
    return redirect("program")


@require_POST
@requires(check_can_run_program)
@confirmed
def program_resumption(request):
    try:
        if pause.resume(by=request.user):
            messages.success(request, _("The program goes on."))
        else:
            messages.info(request, _("It wasn’t paused."))
    except exclusion.Impossible as refusal:
        messages.error(request, str(refusal))
    return redirect("program")


def _page(request, form: PauseForm, *, status: int = 200):
    context = {
        "pause": pause.current(),
        "form": form,
        "people": _people(),
        "open_invitations": Invitation.objects.open().count(),
        "objections": exclusion.unanswered().select_related("suspension__membership__user")[:10],
        "acts": told(AuditEntry.objects.select_related("by").order_by("-sequence")[:8]),
    }
    return render(request, "accounts/program.html", context, status=status)


def _people() -> list[dict]:
    """For each role, how many members stand how; in one query."""
    counts = {
        (row["role"], row["standing"]): row["count"]
        for row in exclusion.with_standing().order_by().values("role", "standing").annotate(count=Count("pk"))
    }
    return [
        {
            "role": role,
            "label": role.label,
            "counts": [(standing, counts.get((role, standing), 0)) for standing in Standing],
        }
        for role in Role
    ]
