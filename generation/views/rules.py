"""Rules about words, for admins: those that hold, making one and trying it, its next version, and its end."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import check_can_run_program, requires
from accounts.stepup import confirmed

from .. import rules as acts
from ..models import RuleObjection, WordRule
from ..rule_forms import RuleForm

ENDED = 20  # rules that are over, which the page lists


@never_cache
@require_safe
@requires(check_can_run_program)
def rules(request):
    held = acts.in_force()
    caught = acts.caught(held)
    context = {
        "rows": [{"rule": rule, "caught": caught.get(rule.family, (0, None))} for rule in held],
        "ended": WordRule.objects.newest()
        .filter(end__isnull=False)
        .select_related("end")
        .order_by("-end__at")[:ENDED],
        "objections": RuleObjection.objects.unanswered().count(),
    }
    return render(request, "generation/rules.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def rule_new(request):
    if request.method != "POST":
        return _form(
            request, RuleForm(initial={"looks_in": ["prompt", "title", "statement"], "does": "flag"})
        )
    return _written(request, None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def rule(request, pk):
    found = get_object_or_404(WordRule.objects.select_related("by"), pk=pk)
    if request.method != "POST":
        return _form(request, RuleForm.of(found), found)
    return _written(request, found)


def _written(request, found: WordRule | None):
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _form(request, form, found, status=422)
    told = form.cleaned_data
    try:
        if "try" in request.POST:
            tried, looked_at = acts.try_on_recent(told["phrases"], told["looks_in"], by=request.user)
            return _form(request, form, found, tried=tried, looked_at=looked_at)
        made = acts.save(by=request.user, after=found, **told)
    except acts.exclusion.Impossible as refusal:
        form.add_error(None, str(refusal))
        return _form(request, form, found, status=409)
    messages.success(request, _("“%(name)s” holds from now on.") % {"name": made.name})
    return redirect("program_rules")


@require_POST
@requires(check_can_run_program)
@confirmed
def rule_end(request, pk):
    found = get_object_or_404(WordRule, pk=pk)
    try:
        acts.end(found, by=request.user)
    except acts.exclusion.Impossible as refusal:
        return render(
            request, "409.html", {"message": str(refusal), "back": request.path[: -len("end/")]}, status=409
        )
    messages.success(request, _("“%(name)s” has ended: nobody is asked it any more.") % {"name": found.name})
    return redirect("program_rules")


def _form(
    request, form: RuleForm, found: WordRule | None = None, *, status: int = 200, tried=None, looked_at=0
):
    versions = (
        list(WordRule.objects.filter(family=found.family).select_related("by", "end").order_by("-version"))
        if found
        else []
    )
    context = {
        "form": form,
        "rule": found,
        "versions": versions,
        "holds": bool(versions) and versions[0].pk == found.pk and not hasattr(versions[0], "end"),
        "tried": tried,
        "looked_at": looked_at,
    }
    return render(request, "generation/rule.html", context, status=status)
