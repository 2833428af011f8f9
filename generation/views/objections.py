"""Objections to rules about words: an artist's own, and the answers that admins give."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import notice
from accounts.paging import as_uuid
from accounts.permissions import check_can_create, check_can_run_program, requires
from accounts.stepup import confirmed

from .. import rules
from ..models import Job, RuleObjection
from ..rule_forms import AnswerForm, ObjectionForm

PAGE = 20


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_create)
def objections(request):
    if request.method != "POST":
        notice.seen(request.user, reverse("rule_objections"))
        return _own(request, _begun(request))
    form = ObjectionForm(request.POST, auto_id="objection_%s")
    if not form.is_valid():
        return _own(request, form, status=422)
    try:
        rules.object_to(request.user, form.texts, text=form.cleaned_data["text"])
    except rules.Impossible as refusal:
        form.add_error(None, str(refusal))
        return _own(request, form, status=409)
    messages.success(request, _("Your objection is with the program’s admins. You will hear of the answer."))
    return redirect("rule_objections")


def _begun(request) -> ObjectionForm | None:
    """For a take of theirs that a rule stopped after it was accepted."""
    pk = as_uuid(request.GET.get("job"))
    job = Job.objects.visible_to(request.user).filter(pk=pk).first() if pk else None
    hits = rules.blocking(request.user.pk, rules.words_of(job)) if job else []
    return ObjectionForm.to(hits, rules.words_of(job)) if hits else None


def _own(request, form, *, status: int = 200):
    mine = RuleObjection.objects.filter(owner=request.user).select_related("rule", "answer")
    context = {"form": form, "objections": mine.order_by("-at", "pk")[:PAGE]}
    return render(request, "generation/objections.html", context, status=status)


@never_cache
@require_safe
@requires(check_can_run_program)
def answering(request):
    notice.seen(request.user, reverse("rule_answering"))
    return _answering(request)


@require_POST
@requires(check_can_run_program)
@confirmed
def answer(request, pk):
    found = get_object_or_404(RuleObjection.objects.select_related("owner"), pk=pk)
    form = AnswerForm(request.POST, prefix=str(pk))
    if not form.is_valid():
        return _answering(request, {found.pk: form}, status=422)
    is_upheld = form.cleaned_data["outcome"] == "uphold"
    try:
        rules.answer(found, by=request.user, is_upheld=is_upheld, text=form.cleaned_data["text"])
    except rules.exclusion.Impossible as refusal:
        form.add_error(None, str(refusal))
        return _answering(request, {found.pk: form}, status=409)
    messages.success(
        request,
        _("These words pass from now on, for this artist.") if is_upheld else _("Answered. The rule stays."),
    )
    return redirect("rule_answering")


def _answering(request, forms: dict | None = None, *, status: int = 200):
    """The oldest first; one whose answer didn't go through stays on the page, whatever has become of it."""
    waiting = list(RuleObjection.objects.unanswered().select_related("rule", "owner")[:PAGE])
    left = [pk for pk in forms or {} if pk not in {each.pk for each in waiting}]
    waiting += RuleObjection.objects.filter(pk__in=left).select_related("rule", "owner") if left else []
    rows = [
        {"objection": each, "form": (forms or {}).get(each.pk) or AnswerForm(prefix=str(each.pk))}
        for each in waiting
    ]
    return render(request, "generation/rule_objections.html", {"rows": rows}, status=status)
