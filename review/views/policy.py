"""The policy: its text and its history for everybody, and the page on which admins make another version."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import check_can_run_program, requires
from accounts.stepup import confirmed

from .. import differences
from .. import policy as policies
from ..clauses import FIRST, Policy
from ..models.policy import named
from ..policy_forms import ClauseFormSet, SummaryForm
from .gallery import revalidated


@login_not_required
@require_safe
def policy(request):
    held = policies.current()
    return _page(request, held, held, policies.history())


@login_not_required
@require_safe
def version(request, name):
    """One version, for as long as there is a program: decisions lead here."""
    shown = named(name)
    if shown is None:
        raise Http404
    history = policies.history()
    held = policies.current() if history else FIRST
    return _page(request, shown, held, history, before=policies.before(shown))


def _page(request, shown: Policy, held: Policy, history: list, before: Policy | None = None):
    changed = differences.between(before, shown) if before else None
    context = {
        "shown": shown,
        "held": held,
        "before": before,
        "differences": changed,
        "has_retired": any(each.kind == "retired" for each in changed or ()),
        "history": history,
        "first": FIRST,
        "has_all": not history or history[-1].number == FIRST.number + 1,
        "deadline": settings.REVIEW_DEADLINE,
    }
    return revalidated(render(request, "review/policy.html", context))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
@confirmed
def policy_edit(request):
    held = policies.current()
    if request.method != "POST":
        summary = SummaryForm(initial={"shown": held.name})
        return _edit(request, held, ClauseFormSet.of(held), summary)
    written, summary = ClauseFormSet(request.POST, prefix="clause"), SummaryForm(request.POST)
    if not all((written.is_valid(), summary.is_valid())):
        return _edit(request, held, written, summary, status=422)
    try:
        made = policies.save(written.written(), by=request.user, **summary.cleaned_data)
    except policies.Changed as refusal:
        return _overtaken(request, written, refusal, shown=summary.cleaned_data["shown"])
    except policies.Unusable as refusal:
        summary.add_error(None, str(refusal))
        return _edit(request, held, written, summary, status=422)
    messages.success(request, _("Version %(name)s holds from now on.") % {"name": made.name})
    return redirect("policy_version", made.name)


def _overtaken(request, written: ClauseFormSet, refusal, *, shown: str):
    """Nothing written is lost: the form comes back as it was, now as a change of the version that holds, and with what

    the other admin changed beside it. Sent again, it is knowingly put in that version's place.
    """
    held, seen = policies.current(), named(shown)
    posted = request.POST.copy()
    posted["shown"] = held.name
    summary = SummaryForm(posted)
    summary.add_error(None, str(refusal))
    theirs = [each for each in differences.between(seen, held) if each.kind != "same"] if seen else []
    return _edit(request, held, written, summary, status=409, theirs=theirs)


def _edit(request, held: Policy, clauses: ClauseFormSet, summary: SummaryForm, status: int = 200, theirs=()):
    context = {"held": held, "clauses": clauses, "form": summary, "theirs": theirs}
    return render(request, "review/policy_edit.html", context, status=status)
