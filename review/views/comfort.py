"""A reviewer's own page: how flagged clips are shown to them, and how many of them come in a row."""

from django.contrib import messages
from django.forms import model_to_dict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.permissions import check_can_review, requires

from .. import comforts
from ..forms import ComfortForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_review)
def comfort(request):
    if request.method != "POST":
        return _page(request, ComfortForm(initial=model_to_dict(comforts.of(request.user))))
    form = ComfortForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    comforts.choose(request.user, **form.cleaned_data)
    messages.success(request, _("Kept. It holds from the next page on."))
    return redirect("comfort")


def _page(request, form: ComfortForm, *, status: int = 200):
    return render(request, "review/comfort.html", {"form": form}, status=status)
