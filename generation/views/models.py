"""The models, for admins: what each is and needs, whether it is here, and its license if that must be acknowledged."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models.exclusion import Impossible
from accounts.permissions import check_can_run_program, requires
from accounts.stepup import confirmed

from .. import offers, workers
from ..engine import catalog, weights

_BEGINNINGS = {catalog.TEXT: gettext_lazy("words"), catalog.IMAGE: gettext_lazy("a picture")}


class AcknowledgementForm(forms.Form):
    shown = forms.CharField(max_length=64, required=False)


@never_cache
@require_safe
@requires(check_can_run_program)
def models(request):
    return _page(request)


@require_POST
@requires(check_can_run_program)
@confirmed
def acknowledgement(request, pk):
    model = next((model for model in _listed() if model.id == pk), None)
    if model is None:
        raise Http404
    form = AcknowledgementForm(request.POST)
    if not form.is_valid():
        return _page(request, refusal=_("This is not what the page sends. Please try again."), status=422)
    try:
        offers.acknowledge(model, by=request.user, shown=form.cleaned_data["shown"])
    except (offers.NotAcknowledged, Impossible) as refusal:
        return _page(request, refusal=str(refusal), status=409)
    messages.success(request, _("%(model)s can be used now.") % {"model": model.name})
    return redirect("program_models")


def _listed() -> list[catalog.Model]:
    usable = catalog.offered()
    return [model for model in catalog.CATALOG.values() if model in usable or not model.hidden]


def _page(request, *, refusal: str = "", status: int = 200):
    listed = _listed()
    acknowledged = offers.acknowledgements(listed)
    rows = [_row(model, acknowledged.get(model.id)) for model in listed]
    rows.sort(key=lambda row: not row["is_here"])
    context = {"rows": rows, "refusal": refusal, "workers": workers.shown()}
    return render(request, "generation/models.html", context, status=status)


def _row(model: catalog.Model, acknowledged) -> dict:
    is_here = model.available()
    return {
        "model": model,
        "is_here": is_here,
        "is_offered": is_here and (not model.license.asks or acknowledged),
        "acknowledged": acknowledged,
        "asks_now": is_here and model.license.asks and not acknowledged,
        "text": weights.license_text(model.weights) if is_here and model.license.asks else "",
        "shown": offers.digest_of_text(model) if is_here and model.license.asks else "",
        "begins_with": [_BEGINNINGS[ability] for ability in sorted(model.abilities, reverse=True)],
        "sizes": ", ".join(map(str, model.sizes)),
        "lengths": ", ".join(f"{seconds:g}" for seconds in sorted(model.durations)),
        "commit": _commit(model) if is_here else "",
    }


def _commit(model: catalog.Model) -> str:
    try:
        return weights.read_manifest(model.weights).commit if model.hub else ""
    except (OSError, ValueError):  # the child will refuse it, and say so to whoever runs the machine
        return ""
