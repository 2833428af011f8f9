"""Appeals at the desk: the list, the page of one with what was decided and the thread, and what its hearer does."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import notice
from accounts.permissions import check_can_review, requires

from .. import appealing, holding
from ..appeal_forms import DismissalForm, MessageForm
from ..models import Appeal
from ..permissions import NotAllowed
from .held import HELD_WITH, page_of
from .refusals import conflict
from .room import copy_for, player

SUBMISSION = ("clip__job", "artist", "clock", "upholding", "withdrawal", "decision__publication__takedown")
RELATED = (
    *("hearing", "by", "refusal", "takedown__by", "dismissal__by", "upholding__by", "upholding__submission"),
    *(f"submission__{name}" for name in SUBMISSION),
)


def listed(request) -> dict:
    """What the desk shows of appeals: those that this reviewer could hear, the earliest deadline first."""
    rows = holding.with_holders(appealing.hearable_by(request.user.pk))
    rows = rows.select_related("appeal__submission", *HELD_WITH)
    return page_of(rows, request, moment="due_at", pk="appeal")


@never_cache
@require_safe
@requires(check_can_review)
def appeal(request, pk):
    notice.seen(request.user, request.path)
    return _show(request, _appeal(pk))


def _show(request, made: Appeal, *, status: int = 200, **forms):
    submission = made.submission
    holder = holding.holder_of(made.hearing) if made.is_open else None
    shown = {
        "appeal": made,
        "submission": submission,
        "decision": submission.decision,
        "holder": holder,
        "is_hearer": holder is not None and holder.pk == request.user.pk,
        "why_not": _why_not(made, request.user) if made.is_open else "",
        "message_form": MessageForm(auto_id="message_%s"),
        "dismissal_form": DismissalForm(),
        **player(submission, copy_for(request.user, submission)),
    }
    return render(request, "review/appeal.html", shown | forms, status=status)


def _why_not(made: Appeal, user) -> str:
    """Why somebody can't hear it, in a sentence; "" if they can."""
    try:
        appealing.check_can_hear(made, user)
    except NotAllowed as refusal:
        return str(refusal)
    return ""


@require_POST
@requires(check_can_review)
def claim(request, pk):
    made = _appeal(pk)
    try:
        appealing.claim(made, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(made))
    return redirect("appeal", made.pk)


@require_POST
@requires(check_can_review)
def release(request, pk):
    holding.release(_appeal(pk).hearing, by=request.user)
    return redirect(reverse("desk") + "?show=appeals")


@require_POST
@requires(check_can_review)
def message(request, pk):
    """From whoever hears it to the artist."""
    made = _appeal(pk)
    form = MessageForm(request.POST, auto_id="message_%s")
    if not form.is_valid():
        return _show(request, made, message_form=form, status=422)
    try:
        appealing.check_can_hear(made, request.user)  # its artist writes from their own page
        appealing.write(made, by=request.user, text=form.cleaned_data["text"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(made), kept=form.cleaned_data["text"])
    messages.success(request, _("Sent. You hear when the artist has answered."))
    return redirect("appeal", made.pk)


@require_POST
@requires(check_can_review)
def dismissal(request, pk):
    made = _appeal(pk)
    form = DismissalForm(request.POST)
    if not form.is_valid():
        return _show(request, made, dismissal_form=form, status=422)
    try:
        appealing.dismiss(made, by=request.user, note=form.cleaned_data["note"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(made), kept=form.cleaned_data["note"])
    messages.success(request, _("Dismissed. The artist reads your reasons."))
    return redirect("appeal", made.pk)


@require_POST
@requires(check_can_review)
def upholding(request, pk):
    """Opens the same content anew and leads its hearer to the room in which they decide on it."""
    made = _appeal(pk)
    try:
        opened = appealing.uphold(made, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(made))
    copy_for(request.user, opened)
    messages.success(
        request,
        _("Upheld. This is the same clip as a new version, and yours to decide on: look at it afresh."),
    )
    return redirect("room", opened.pk)


def _place(made: Appeal) -> str:
    return reverse("appeal", args=[made.pk])


def _appeal(pk) -> Appeal:
    told = Appeal.objects.select_related(*RELATED)
    return get_object_or_404(told.prefetch_related("messages__by", "submission__decision__remarks"), pk=pk)
