"""The reviewers' room as they see it: the work, its history, the forms of what can be done, and its private bytes."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import notice
from accounts.permissions import can_lead, check_can_review, requires
from generation import media, storage

from .. import context, copying, policy, queue, remarks, second_looks, tasks, timeline
from ..forms import AsideForm, DecisionForm, HandoverForm, SaidForm, TakedownForm
from ..models import PublicFile, StaffCopy, Submission
from ..permissions import is_recused, told_of_handover

STOP_POLLING = 286  # htmx: swap this answer in, and ask no more
OF_STAFF = (*timeline.OF_STAFF, "decision__remarks")


@never_cache
@require_safe
@requires(check_can_review)
def room(request, pk):
    notice.seen(request.user, reverse("room", args=[pk]))
    return show(request, submission_at_desk(pk))


@never_cache
@require_safe
@requires(check_can_review)
def copy(request, pk):
    """The player of the room, or what is said while the viewer's copy is being made."""
    found = get_object_or_404(Submission.objects.at_the_desk().select_related("clip"), pk=pk)
    made = copying.ask(found, viewer=request.user)  # asked each second, and so without a nudge each time
    status = STOP_POLLING if made.is_ready else 200
    return render(request, "review/_room_player.html", player(found, made), status=status)


@require_safe
@requires(check_can_review)
def video(request, pk):
    """The viewer's own copy, and never the frozen bytes themselves: whoever hands it on hands on a number."""
    mine = StaffCopy.objects.filter(viewer=request.user, submission__in=Submission.objects.at_the_desk())
    made = get_object_or_404(mine.exclude(sha256=""), submission_id=pk)
    return media.send_private(request, storage.private(), storage.private_name(made.sha256), "video/mp4")


@require_safe
@requires(check_can_review)
def poster(request, pk):
    return _send_frozen(request, pk, "poster")


@require_safe
@requires(check_can_review)
def sprite(request, pk):
    return _send_frozen(request, pk, "sprite")


def _send_frozen(request, pk, kind: str) -> HttpResponse:
    """A still as it will be public: too small to be worth a number of the viewer's own."""
    at_desk = Submission.objects.at_the_desk()
    file = get_object_or_404(PublicFile, submission__in=at_desk, submission_id=pk, kind=kind)
    return media.send_private(
        request, storage.private(), storage.private_name(file.sha256), file.content_type
    )


def submission_at_desk(pk) -> Submission:
    related = ("clip__job__picture", "clip__job__parent", "artist", "clock")
    related += ("decision__by", "decision__publication__takedown__by")
    at_desk = queue.with_holders(Submission.objects.at_the_desk()).prefetch_related(*OF_STAFF)
    return get_object_or_404(at_desk.select_related(*related), pk=pk)


def show(
    request, submission: Submission, *, rows=None, held=None, status: int = 200, handover_form=None, **forms
):
    hidden = second_looks.hidden_from(request.user, artist=submission.artist_id)
    if submission.pk in hidden:
        return redirect("second_look", submission.pk)
    held = held or policy.current()
    initial = {"content_hash": submission.content_hash, "policy_version": held.name}
    publication = getattr(getattr(submission, "decision", None), "publication", None)
    related = context.related(submission, hidden=hidden)
    earlier = submission.clip.submissions.exclude(pk__in={submission.pk, *hidden}).prefetch_related(*OF_STAFF)
    shown = {
        "submission": submission,
        "form": DecisionForm(initial=initial, policy=held),
        "remark_rows": rows or remarks.rows(frames=submission.clip.frames),
        "aside_form": AsideForm(auto_id="aside_%s"),
        "question_form": SaidForm(auto_id="question_%s"),
        "question": submission.open_question,
        "handover_form": _handover_form(request.user, submission, handover_form),
        "handed_over": _told_of_handover(request.user, submission),
        "is_holder": _holds(request.user, submission),
        "is_own": submission.artist_id == request.user.pk,
        "is_recused": is_recused(submission, request.user),
        "idle_seconds": settings.CLAIM_LIFETIME.total_seconds(),
        "policy": held,
        "history": earlier.select_related(
            "decision__by", "withdrawal", "decision__publication__takedown__by"
        ),
        "publication": publication,
        "origin": context.origin(submission),
        "related": related,
        "changes": context.changes(related[0], submission) if related else [],
        "record": context.record_of(submission, hidden=hidden),
        "takedown_form": TakedownForm(),
        **player(submission, copy_for(request.user, submission)),
    }
    return render(request, "review/room.html", shown | forms, status=status)


def _handover_form(user, submission: Submission, form) -> HandoverForm | None:
    """For leads, while somebody holds what they may have a say in."""
    if not (can_lead(user) and submission.is_held and submission.state == "waiting"):
        return None
    takers = queue.takers(submission).exclude(pk=submission.claim.reviewer_id)
    return form or HandoverForm(takers=takers, auto_id="handover_%s")


def _told_of_handover(user, submission: Submission) -> str:
    is_mine = submission.is_held and submission.claim.handed_from_id == user.pk
    return told_of_handover(submission.claim) if is_mine and not _holds(user, submission) else ""


def copy_for(viewer, submission: Submission) -> StaffCopy:
    made = copying.ask(submission, viewer=viewer)
    if made.ended_at is None:
        tasks.nudge()
    return made


def player(submission: Submission, made: StaffCopy) -> dict:
    return {"submission": submission, "copy": made, "is_nobody_there": copying.is_nobody_there(made)}


def _holds(user, submission: Submission) -> bool:
    return submission.is_held and submission.claim.reviewer_id == user.pk
