"""The reviewers' desk: the queue, the room, and the decision."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import check_can_review, check_can_take_down, requires
from generation import media, storage

from .. import gate, policy, queue
from ..forms import DecisionForm, TakedownForm
from ..models import Publication, PublicFile, Submission
from ..permissions import NotAllowed, check_can_decide
from .refusals import conflict

PAGE = 50


@never_cache
@require_safe
@requires(check_can_review)
def desk(request):
    waiting = list(queue.waiting_for(request.user).select_related("artist", "claim__reviewer")[: PAGE + 1])
    return render(
        request,
        "review/desk.html",
        {
            "waiting": waiting[:PAGE],
            "has_more": len(waiting) > PAGE,
            "mine": next((item for item in waiting if _holds(request.user, item)), None),
            "decided": queue.recently_decided(request.user),
        },
    )


@require_POST
@requires(check_can_review)
def next_submission(request):
    found = queue.claim_next(request.user)
    if found is None:
        messages.info(request, _("Nothing is waiting for you right now."))
        return redirect("desk")
    return redirect("room", found.pk)


@never_cache
@require_safe
@requires(check_can_review)
def room(request, pk):
    return _room(request, _submission(pk))


@require_POST
@requires(check_can_review)
def claim(request, pk):
    found = get_object_or_404(Submission.objects.exclude(content_hash=None), pk=pk)
    if not queue.claim(found, by=request.user):
        words = _(
            "This clip can't be claimed: somebody else holds it, it is decided already, or it is your own."
        )
        return conflict(request, words, back=reverse("desk"))
    return redirect("room", found.pk)


@require_POST
@requires(check_can_review)
def release(request, pk):
    queue.release(get_object_or_404(Submission, pk=pk), by=request.user)
    return redirect("desk")


@require_POST
@requires(check_can_review)
def decision(request, pk):
    # Not only what is at the desk: a clip that was withdrawn meanwhile deserves a sentence, not a 404.
    found = get_object_or_404(Submission.objects.exclude(content_hash=None), pk=pk)
    form = DecisionForm(request.POST)
    try:
        if not form.is_valid():  # shown again, unless nothing can be decided here any more
            check_can_decide(found, request.user, content_hash=form.cleaned_data.get("content_hash", ""))
            return _room(request, _submission(pk), form=form, status=422)
        made = gate.decide(found, by=request.user, **form.cleaned_data)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("desk"), kept=request.POST.get("note", ""))
    messages.success(request, _("Approved.") if made.is_approval else _("Refused, with your reasons."))
    return redirect("desk")


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


@require_safe
@requires(check_can_review)
def video(request, pk):
    return _send(request, pk, "video")


@require_safe
@requires(check_can_review)
def poster(request, pk):
    return _send(request, pk, "poster")


def _send(request, pk, kind):
    """The frozen files themselves: reviewers see exactly the bytes that publishing will copy."""
    file = get_object_or_404(
        PublicFile, submission__in=Submission.objects.at_the_desk(), submission_id=pk, kind=kind
    )
    return media.send_private(
        request, storage.private(), storage.private_name(file.sha256), file.content_type
    )


def _submission(pk) -> Submission:
    related = ("clip", "artist", "claim__reviewer", "decision__by", "decision__publication__takedown")
    return get_object_or_404(Submission.objects.at_the_desk().select_related(*related), pk=pk)


def _room(request, submission: Submission, *, form: DecisionForm | None = None, status: int = 200):
    publication = getattr(getattr(submission, "decision", None), "publication", None)
    context = {
        "submission": submission,
        "form": form or DecisionForm(initial={"content_hash": submission.content_hash}),
        "is_holder": _holds(request.user, submission),
        "is_own": submission.artist_id == request.user.pk,
        "policy": policy.current(),
        "history": submission.clip.submissions.exclude(pk=submission.pk).select_related(
            "decision__by", "withdrawal", "decision__publication__takedown"
        ),
        "publication": publication,
        "takedown_form": TakedownForm(),
    }
    return render(request, "review/room.html", context, status=status)


def _holds(user, submission: Submission) -> bool:
    claim = getattr(submission, "claim", None)
    return claim is not None and claim.reviewer_id == user.pk and claim.is_live
