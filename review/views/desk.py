"""What reviewers do with a work at the desk: claiming, asking, stepping aside, deciding, taking down."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import check_can_lead, check_can_review, check_can_take_down, requires

from .. import asking, content_warnings, gate, policy, queue, remarks, tasks
from ..clauses import Policy
from ..forms import AsideForm, DecisionForm, HandoverForm, LeavingForm, SaidForm, TakedownForm
from ..models import Assessment, Publication, Submission
from ..permissions import NotAllowed, check_can_decide
from .refusals import conflict
from .room import copy_for, show, submission_at_desk


@require_POST
@requires(check_can_review)
def next_submission(request):
    return _to_the_next(request)


def _to_the_next(request):
    found = queue.claim_next(request.user)
    if found is None:
        messages.info(request, _("Nothing is waiting for you right now."))
        return redirect("desk")
    _ask_ahead(request.user, found)
    return redirect("room", found.pk)


@require_POST
@requires(check_can_review)
def claim(request, pk):
    found = sealed(pk)
    if not queue.claim(found, by=request.user):
        words = _(
            "This clip can't be claimed: somebody else holds it, it is decided already, it is your own, or you have"
            " assessed it already or recused yourself from it."
        )
        return conflict(request, words, back=reverse("desk"))
    _ask_ahead(request.user, found)
    return redirect("room", found.pk)


def _ask_ahead(reviewer, claimed: Submission) -> None:
    """The copy of what comes next is made while the reviewer looks at this one."""
    copy_for(reviewer, claimed)
    ahead = (free.exclude(pk=claimed.pk).first() for free in queue.offered_to(reviewer))
    if following := next(filter(None, ahead), None):
        copy_for(reviewer, following)


@require_POST
@requires(check_can_review)
def renewal(request, pk):
    """The room's sign of life: until when the claim holds now, or the sentence that says why it doesn't."""
    found = sealed(pk)
    try:
        until = queue.renew(found, by=request.user)
    except NotAllowed as refusal:
        return JsonResponse({"sentence": str(refusal)}, status=409)
    return JsonResponse({"until": until.isoformat(), "seconds": settings.CLAIM_LIFETIME.total_seconds()})


@require_POST
@requires(check_can_review)
def leaving(request, pk):
    """Said by a page on its way out, to nobody who could read an answer."""
    form = LeavingForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    queue.leave(sealed(pk), by=request.user, until=form.cleaned_data["until"])
    return HttpResponse(status=204)


@require_POST
@requires(check_can_review)
def release(request, pk):
    queue.release(sealed(pk), by=request.user)
    return redirect("desk")


@require_POST
@requires(check_can_review)
def pass_on(request, pk):
    return _step_aside(request, pk, queue.pass_on, _("Passed on. You are offered others first."))


@require_POST
@requires(check_can_review)
def recusal(request, pk):
    words = _("You have recused yourself: somebody else decides on this clip, in every version.")
    return _step_aside(request, pk, queue.recuse, words)


@require_POST
@requires(check_can_review)
def question(request, pk):
    """Asks the artist. The clock pauses, and the clip goes back: whoever asked is offered others meanwhile."""
    found = sealed(pk)
    form = SaidForm(request.POST, auto_id="question_%s")
    if not form.is_valid():
        return show(request, submission_at_desk(pk), question_form=form, status=422)
    try:
        asking.ask(found, by=request.user, text=form.cleaned_data["text"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_back(pk), kept=form.cleaned_data["text"])
    messages.success(
        request, _("Asked. The clock stands still until the artist answers; you will hear of it.")
    )
    return redirect("desk")


@require_POST
@requires(check_can_lead)
def handover(request, pk):
    """A lead gives a claim to somebody else."""
    found = sealed(pk)
    form = HandoverForm(request.POST, takers=queue.takers(found))
    if not form.is_valid():
        return show(request, submission_at_desk(pk), handover_form=form, status=422)
    to = form.cleaned_data["to"]
    try:
        queue.hand_over(found, by=request.user, to=to)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_back(pk))
    messages.success(request, _("Handed over to %(name)s, who hears of it.") % {"name": to.name})
    return redirect("room", pk)


def _back(pk) -> str:
    """To the room, while there is something to decide in it."""
    is_open = Submission.objects.waiting().filter(pk=pk).exists()
    return reverse("room", args=[pk]) if is_open else reverse("desk")


def _step_aside(request, pk, act, done):
    found = sealed(pk)
    form = AsideForm(request.POST)
    if not form.is_valid():
        return show(request, submission_at_desk(pk), aside_form=form, status=422)
    try:
        act(found, by=request.user, reason=form.cleaned_data["reason"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("desk"), kept=form.cleaned_data["reason"])
    messages.success(request, done)
    return redirect("desk")


@require_POST
@requires(check_can_review)
def decision(request, pk):
    found = sealed(pk)
    held = policy.current()
    rows = remarks.rows(request.POST, frames=found.clip.frames)
    said = remarks.said(rows)
    form = DecisionForm(request.POST, policy=held, said_of_frames=said)
    shown = request.POST.get("policy_version")
    try:
        if shown and shown != held.name:
            check_can_decide(found, request.user, content_hash=request.POST.get("content_hash", ""))
            return _policy_changed(request, pk, held, rows)
        # Both are asked, for both say what is wrong. Shown again, unless nothing can be decided here any more.
        if not (form.is_valid() & remarks.are_valid(rows)):
            check_can_decide(found, request.user, content_hash=form.cleaned_data.get("content_hash", ""))
            return show(request, submission_at_desk(pk), form=form, rows=rows, held=held, status=422)
        then_next = form.cleaned_data.pop("then_next")
        made = gate.decide(found, by=request.user, said_of_frames=said, **form.cleaned_data)
    except policy.Changed:  # within this very request
        return _policy_changed(request, pk, policy.current(), rows)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_back(pk), kept=_typed(request.POST, rows))
    if isinstance(made, Assessment):
        words = _(
            "Your assessment is recorded, and decides nothing yet: this clip takes two people. It waits for another"
            " one, who doesn’t see yours."
        )
        messages.success(request, words)
    else:
        if not made.is_approval:
            tasks.tell_of_refusal(made)
        messages.success(request, _("Approved.") if made.is_approval else _("Refused, with your reasons."))
    return _to_the_next(request) if then_next else redirect("desk")


def _policy_changed(request, pk, held: Policy, rows):
    """The room once more, by the version that holds now: the note stays, and so do the reasons that are still in it."""
    shown = policy.named(request.POST["policy_version"])
    posted = request.POST.copy()
    posted["policy_version"] = held.name
    posted.setlist("reasons", [code for code in posted.getlist("reasons") if code in held.codes])
    form = DecisionForm(posted, policy=held)
    words = _(
        "The policy has changed since you opened this page: version %(name)s holds now. Nothing was recorded, and your"
        " note is still here. Look at the reasons again, and decide once more."
    ) % {"name": held.name}
    gone = [
        clause.title
        for clause in (shown.clauses_of(request.POST.getlist("reasons")) if shown else [])
        if clause.code not in held.codes
    ]
    if gone:
        words += " " + _("No longer in it: %(reasons)s.") % {"reasons": ", ".join(gone)}
    form.full_clean()
    form.errors.clear()  # what is missing in it is said when it is sent again
    form.add_error(None, words)
    return show(request, submission_at_desk(pk), form=form, rows=rows, held=held, status=409)


def _typed(data, rows) -> str:
    """All that a reviewer had put into the decision, as text to copy."""
    ticked = [str(clause.title) for clause in policy.clauses(data.getlist("reasons"))]
    reasons = _("Reasons: %(reasons)s.") % {"reasons": ", ".join(ticked)} if ticked else ""
    warned = [
        str(told) for code, told in content_warnings.KINDS.items() if code in data.getlist("warning_kinds")
    ]
    warned += filter(None, [data.get("warning_line", "").strip()])
    warning = _("Content warning: %(parts)s.") % {"parts": ", ".join(warned)} if warned else ""
    return "\n\n".join(filter(None, [data.get("note", ""), rows.typed, reasons, warning]))


@require_POST
@requires(check_can_take_down)
def takedown(request, pk):
    found = get_object_or_404(Publication.objects.select_related("approval__submission"), pk=pk)
    form = TakedownForm(request.POST)
    if not form.is_valid():
        context = {"publication": found, "form": form}
        return render(request, "review/takedown.html", context, status=422)
    reason = form.cleaned_data["reason"]
    try:
        gate.take_down(found, by=request.user, reason=reason)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("gallery"), kept=reason)
    messages.success(request, _("Taken down."))
    return redirect("watch", found.slug)


def sealed(pk) -> Submission:
    """Not only what is at the desk: a clip that was withdrawn meanwhile deserves a sentence, not a 404."""
    sealed = Submission.objects.exclude(content_hash=None).select_related("clip")
    return get_object_or_404(sealed, pk=pk)
