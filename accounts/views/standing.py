"""The one page of a suspended or ended member: what happened, why, and how to object."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..member_forms import ObjectionForm
from ..middleware import for_kept_out
from ..models.exclusion import Suspension, is_kept_out, object_to


@for_kept_out
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def standing(request):
    if not is_kept_out(request.user):
        return redirect("home")
    ending = getattr(request.user.membership, "ending", None)
    mine = Suspension.objects.in_force().filter(membership__user=request.user)
    suspension = mine.select_related("objection__answer").first()
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and suspension and not ending:
        made = object_to(suspension, text=form.cleaned_data["text"])
        if made.text != form.cleaned_data["text"].strip():
            return _page(request, suspension, ending, form, status=409)
        messages.success(request, _("Your objection is with the program’s team."))
        return redirect("standing")
    return _page(request, suspension, ending, form, status=422 if form.is_bound else 200)


def _page(request, suspension, ending, form, *, status: int):
    objection = getattr(suspension, "objection", None)
    context = {
        "suspension": suspension,
        "ending": ending,
        "form": form,
        "objection": objection,
        "answer": getattr(objection, "answer", None),
    }
    return render(request, "accounts/standing.html", context, status=status)
