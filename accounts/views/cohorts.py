"""Cohorts: which there are, what their members may use, and seconds for all of them."""

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ..member_forms import CohortForm, GrantForm
from ..models import Cohort, grants
from ..models import cohorts as acts
from ..models.exclusion import Impossible
from ..paging import as_number, page
from ..permissions import check_can_run_program, requires
from ..stepup import confirmed


@never_cache
@require_safe
@requires(check_can_run_program)
def cohorts(request):
    found = Cohort.objects.annotate(
        present=Count("memberships", filter=Q(memberships__ending=None)),
    ).order_by("-pk")
    if after := as_number(request.GET.get("after")):
        found = found.filter(pk__lt=after)
    shown, older = page(found, request)
    return render(request, "accounts/cohorts.html", {"cohorts": shown, "older": older})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def cohort_new(request):
    form = CohortForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        made = _saved(form, lambda fields: acts.create(by=request.user, **fields))
        if made:
            messages.success(request, _("The cohort “%(name)s” is there.") % {"name": made.name})
            return redirect("cohort", made.pk)
    return render(request, "accounts/cohort_new.html", {"form": form}, status=_status(form))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def cohort(request, pk):
    found = get_object_or_404(Cohort, pk=pk)
    form = CohortForm(request.POST if request.method == "POST" else None, instance=Cohort.objects.get(pk=pk))
    if form.is_bound and form.is_valid():
        if _saved(form, lambda fields: acts.change(found, by=request.user, **fields)):
            messages.success(request, _("Saved."))
            return redirect("cohort", found.pk)
    return _page(request, found, status=_status(form), form=form)


@require_POST
@requires(check_can_run_program)
@confirmed
def cohort_allowance(request, pk):
    found, form = get_object_or_404(Cohort, pk=pk), GrantForm(request.POST)
    if form.is_valid():
        try:
            grants.grant_to_cohort(found, by=request.user, **form.cleaned_data)
        except Impossible as refusal:
            form.add_error(None, str(refusal))
            return _page(request, found, status=409, grant_form=form)
        messages.success(
            request,
            _("Granted to each member: %(seconds)s GPU seconds.")
            % {"seconds": f"{form.cleaned_data['seconds']:+}"},
        )
        return redirect("cohort", found.pk)
    return _page(request, found, status=422, grant_form=form)


def _saved(form: CohortForm, act) -> Cohort | None:
    try:
        return act(form.cleaned_data)
    except Impossible as refusal:
        form.add_error(None, str(refusal))
    except IntegrityError:  # two admins, one name, one moment
        form.add_error("name", _("There is a cohort of this name already."))
    return None


def _status(form) -> int:
    if not form.is_bound:
        return 200
    return 409 if form.non_field_errors() else 422


def _page(request, found: Cohort, *, status: int, **forms):
    context = {
        "cohort": found,
        "form": CohortForm(instance=found),
        "grant_form": GrantForm(initial={"seen": grants.latest(found)}),
        "count": found.memberships.filter(ending=None).count(),
    }
    return render(request, "accounts/cohort.html", context | forms, status=status)
