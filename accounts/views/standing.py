"""The one page of a suspended or ended member: what happened, why, and how to object."""

from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..middleware import for_kept_out
from ..models.exclusion import Suspension, is_kept_out


@for_kept_out
@never_cache
@require_safe
def standing(request):
    if not is_kept_out(request.user):
        return redirect("home")
    mine = Suspension.objects.in_force().filter(membership__user=request.user)
    context = {"suspension": mine.first(), "ending": getattr(request.user.membership, "ending", None)}
    return render(request, "accounts/standing.html", context)
