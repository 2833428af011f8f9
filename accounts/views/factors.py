"""An admin's help for somebody who lost their passkey or authenticator app."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from .. import tasks
from ..forms import FactorResetForm
from ..models import User
from ..models.exclusion import Impossible
from ..models.factors import reset
from ..permissions import check_can_run_program, requires
from ..stepup import confirmed


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def factor_reset(request, pk):
    member = get_object_or_404(User.objects.select_related("membership"), pk=pk, membership__isnull=False)
    form = FactorResetForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/factor_reset.html", {"member": member, "form": form}, status=status)
    try:
        made = reset(member, by=request.user, reason=form.cleaned_data["reason"])
    except Impossible as refusal:
        context = {"message": str(refusal), "back": request.path, "kept": form.cleaned_data["reason"]}
        return render(request, "409.html", context, status=409)
    tasks.tell_of_factor_reset(made)
    messages.success(request, _("%(name)s can set up new second factors now.") % {"name": member})
    return redirect("member", member.pk)
