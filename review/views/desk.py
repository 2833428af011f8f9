"""The reviewers' desk: the queue, the room, and the decision."""

from django.conf import settings
from django.contrib import messages
from django.db.models import DateTimeField, UUIDField
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import check_can_review, check_can_take_down, requires
from accounts.prepared import Slot, prepared
from generation import media, storage

from .. import copying, gate, policy, queue, tasks
from ..clauses import Policy
from ..forms import AsideForm, DecisionForm, LeavingForm, TakedownForm
from ..models import Publication, PublicFile, StaffCopy, Submission
from ..permissions import NotAllowed, check_can_decide, is_recused
from .refusals import conflict

PAGE = 50
STOP_POLLING = 286  # htmx: swap this answer in, and ask no more
# What the list needs of those that wait, as rows: Django makes objects of them more slowly than they are found.
SHOWN = ("pk", "version", "content", "created_at", "is_held", "claim__reviewer", "claim__reviewer__name")
_reviewer = Slot("reviewer", UUIDField())
_now = Slot("now", DateTimeField())
_waiting = prepared(
    lambda: queue.with_holders(queue.waiting_for(_reviewer), now=_now).values_list(*SHOWN, named=True)[
        : PAGE + 1
    ]
)
_decided = prepared(lambda: queue.recently_decided(_reviewer))
STEPS_ASIDE = ("passes__by", "recusals__by")


@never_cache
@require_safe
@requires(check_can_review)
def desk(request):
    waiting = list(_waiting(reviewer=request.user.pk, now=timezone.now()))
    return render(
        request,
        "review/desk.html",
        {
            "waiting": waiting[:PAGE],
            "has_more": len(waiting) > PAGE,
            "holds_one": any(each.is_held and each.claim__reviewer == request.user.pk for each in waiting),
            "decided": list(_decided(reviewer=request.user.pk)),
        },
    )


@require_POST
@requires(check_can_review)
def next_submission(request):
    found = queue.claim_next(request.user)
    if found is None:
        messages.info(request, _("Nothing is waiting for you right now."))
        return redirect("desk")
    _ask_ahead(request.user, found)
    return redirect("room", found.pk)


@never_cache
@require_safe
@requires(check_can_review)
def room(request, pk):
    return _room(request, _submission(pk))


@never_cache
@require_safe
@requires(check_can_review)
def copy(request, pk):
    """The player of the room, or what is said while the viewer's copy is being made."""
    found = get_object_or_404(Submission.objects.at_the_desk().select_related("clip"), pk=pk)
    made = copying.ask(found, viewer=request.user)  # asked each second, and so without a nudge each time
    status = STOP_POLLING if made.is_ready else 200
    return render(request, "review/_room_player.html", _player(found, made), status=status)


@require_POST
@requires(check_can_review)
def claim(request, pk):
    found = _sealed(pk)
    if not queue.claim(found, by=request.user):
        words = _(
            "This clip can't be claimed: somebody else holds it, it is decided already, it is your own, or you have"
            " recused yourself from it."
        )
        return conflict(request, words, back=reverse("desk"))
    _copy_for(request.user, found)
    return redirect("room", found.pk)


def _ask_ahead(reviewer, claimed: Submission) -> None:
    """The copy of what comes next is made while the reviewer looks at this one."""
    _copy_for(reviewer, claimed)
    following = queue.free_for(reviewer).exclude(pk=claimed.pk).first()
    if following is not None:
        _copy_for(reviewer, following)


def _copy_for(viewer, submission: Submission) -> StaffCopy:
    made = copying.ask(submission, viewer=viewer)
    if made.ended_at is None:
        tasks.nudge()
    return made


@require_POST
@requires(check_can_review)
def renewal(request, pk):
    """The room's sign of life: until when the claim holds now, or the sentence that says why it doesn't."""
    found = _sealed(pk)
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
    queue.leave(_sealed(pk), by=request.user, until=form.cleaned_data["until"])
    return HttpResponse(status=204)


@require_POST
@requires(check_can_review)
def release(request, pk):
    queue.release(_sealed(pk), by=request.user)
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


def _step_aside(request, pk, act, done):
    found = _sealed(pk)
    form = AsideForm(request.POST)
    if not form.is_valid():
        return _room(request, _submission(pk), aside_form=form, status=422)
    try:
        act(found, by=request.user, reason=form.cleaned_data["reason"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("desk"), kept=form.cleaned_data["reason"])
    messages.success(request, done)
    return redirect("desk")


@require_POST
@requires(check_can_review)
def decision(request, pk):
    found = _sealed(pk)
    held = policy.current()
    form = DecisionForm(request.POST, policy=held)
    shown = request.POST.get("policy_version")
    try:
        if shown and shown != held.name:
            check_can_decide(found, request.user, content_hash=request.POST.get("content_hash", ""))
            return _policy_changed(request, pk, held)
        if not form.is_valid():  # shown again, unless nothing can be decided here any more
            check_can_decide(found, request.user, content_hash=form.cleaned_data.get("content_hash", ""))
            return _room(request, _submission(pk), form=form, held=held, status=422)
        made = gate.decide(found, by=request.user, **form.cleaned_data)
    except policy.Changed:  # within this very request
        return _policy_changed(request, pk, policy.current())
    except NotAllowed as refusal:
        is_open = Submission.objects.waiting().filter(pk=pk).exists()
        back = reverse("room", args=[pk]) if is_open else reverse("desk")
        return conflict(request, refusal, back=back, kept=_typed(request.POST))
    if not made.is_approval:
        tasks.tell_of_refusal(made)
    messages.success(request, _("Approved.") if made.is_approval else _("Refused, with your reasons."))
    return redirect("desk")


def _policy_changed(request, pk, held: Policy):
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
    return _room(request, _submission(pk), form=form, held=held, status=409)


def _typed(data) -> str:
    """All that a reviewer had put into the decision, as text to copy."""
    ticked = [str(clause.title) for clause in policy.clauses(data.getlist("reasons"))]
    reasons = _("Reasons: %(reasons)s.") % {"reasons": ", ".join(ticked)} if ticked else ""
    return "\n\n".join(filter(None, [data.get("note", ""), reasons]))


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


def _sealed(pk) -> Submission:
    """Not only what is at the desk: a clip that was withdrawn meanwhile deserves a sentence, not a 404."""
    return get_object_or_404(Submission.objects.exclude(content_hash=None), pk=pk)


def _submission(pk) -> Submission:
    related = ("clip", "artist", "decision__by", "decision__publication__takedown__by")
    at_desk = queue.with_holders(Submission.objects.at_the_desk()).prefetch_related(*STEPS_ASIDE)
    return get_object_or_404(at_desk.select_related(*related), pk=pk)


def _room(request, submission: Submission, *, form=None, aside_form=None, held=None, status: int = 200):
    held = held or policy.current()
    shown = {"content_hash": submission.content_hash, "policy_version": held.name}
    publication = getattr(getattr(submission, "decision", None), "publication", None)
    earlier = submission.clip.submissions.exclude(pk=submission.pk).prefetch_related(*STEPS_ASIDE)
    context = {
        "submission": submission,
        "form": form or DecisionForm(initial=shown, policy=held),
        "aside_form": aside_form or AsideForm(auto_id="aside_%s"),
        "is_holder": _holds(request.user, submission),
        "is_own": submission.artist_id == request.user.pk,
        "is_recused": is_recused(submission, request.user),
        "idle_seconds": settings.CLAIM_LIFETIME.total_seconds(),
        "policy": held,
        "history": earlier.select_related(
            "decision__by", "withdrawal", "decision__publication__takedown__by"
        ),
        "publication": publication,
        "takedown_form": TakedownForm(),
        **_player(submission, _copy_for(request.user, submission)),
    }
    return render(request, "review/room.html", context, status=status)


def _player(submission: Submission, made: StaffCopy) -> dict:
    return {"submission": submission, "copy": made, "is_nobody_there": copying.is_nobody_there(made)}


def _holds(user, submission: Submission) -> bool:
    return submission.is_held and submission.claim.reviewer_id == user.pk
