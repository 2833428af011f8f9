"""What an artist does with a clip: submit it, take it back, publish it, end its publication."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import notice
from generation.models import Clip
from generation.rule_forms import ObjectionForm

from .. import (
    appealing,
    asking,
    consenting,
    deleting,
    gate,
    preparing,
    queue,
    scheduling,
    sealing,
    tasks,
    timeline,
)
from ..appeal_forms import AppealForm, MessageForm
from ..forms import ReplyForm
from ..models import Appeal, Publication, Submission
from ..own_forms import ScheduleForm, SubmissionForm
from ..permissions import Conflict, NotAllowed, allows
from .refusals import conflict

OUTCOME = ("withdrawal", "preparation", "decision__publication__takedown")  # what a state is read from


@require_POST
def submit(request, pk):
    clip = get_object_or_404(Clip.objects.visible_to(request.user), pk=pk)
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return render(request, "generation/clip.html", {"clip": clip, "submission_form": form}, status=422)
    try:
        submission = sealing.submit(clip, by=request.user, **form.cleaned_data)
    except Conflict as refusal:
        latest = clip.submissions.order_by("-version").first()
        words = form.cleaned_data
        if latest and sealing.told(latest) == words:
            return redirect("submission", latest.pk)  # a second click on the same form
        kept = "\n\n".join([words["title"], words["statement"], words["credits"]])
        return conflict(request, refusal, back=reverse("clip", args=[clip.pk]), kept=kept.strip())
    except NotAllowed as refusal:
        form.add_error(None, str(refusal))
        context = {"clip": clip, "submission_form": form}
        if isinstance(refusal, sealing.Blocked):
            words = sealing.public_words(form.cleaned_data["title"], form.cleaned_data["statement"])
            context["blocked"] = ObjectionForm.to(refusal.hits, words)
        return render(request, "generation/clip.html", context, status=422)
    except Clip.DoesNotExist:  # deleted in another tab
        raise Http404 from None
    tasks.nudge()
    messages.success(request, _("Submitted. Your clip and its words are frozen until a reviewer decides."))
    return redirect("submission", submission.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def deletion(request, pk):
    """Asks first, without a script too; the POST deletes."""
    clip = get_object_or_404(Clip.objects.visible_to(request.user).select_related("job"), pk=pk)
    try:
        if request.method != "POST":
            deleting.check_can_delete(clip, request.user)
            return render(request, "review/deletion.html", {"clip": clip})
        deleting.delete(clip, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("clip", args=[clip.pk]))
    except Clip.DoesNotExist:
        pass  # the other click was quicker
    messages.success(request, _("The take and its files are gone."))
    return redirect("studio")


@never_cache
@require_safe
def submission(request, pk):
    found = own_submission(request, pk)
    if request.htmx:  # a page that waits for the files asks whether they are made
        return HttpResponseClientRefresh() if found.state != "preparing" else HttpResponse(status=204)
    notice.seen(request.user, reverse("submission", args=[found.pk]))
    return page(request, found)


def page(request, found: Submission, *, reply_form=None, schedule_form=None, status: int = 200, **forms):
    asked = found.open_question
    context = {
        "submission": found,
        "place": queue.place(found),
        "question": asked if found.state == "waiting" else None,
        "allowed": consenting.told(found),
        "schedules": scheduling.told(found),
        "schedule_form": schedule_form or ScheduleForm(),
        "can_allow": allows(consenting.check_can_allow, found, request.user),
        "can_schedule": allows(scheduling.check_can_schedule, found, request.user),
        "reply_form": reply_form or ReplyForm(initial={"number": asked and asked.number}),
        "earlier": found.clip.submissions.filter(version__lt=found.version)
        .select_related(*OUTCOME)
        .order_by("-version"),
    }
    return render(request, "review/submission.html", context | forms, status=status)


@require_POST
def reply(request, pk):
    """The answer to a reviewer's question; the clock goes on with it."""
    found = own_submission(request, pk)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return page(request, found, reply_form=form, status=422)
    try:
        asking.reply(found, by=request.user, **form.cleaned_data)
    except NotAllowed as refusal:
        back = reverse("submission", args=[found.pk])
        return conflict(request, refusal, back=back, kept=form.cleaned_data["text"])
    messages.success(request, _("Answered. The clock goes on, and the reviewer reads it."))
    return redirect("submission", found.pk)


@require_POST
def appeal(request, pk):
    """Against the refusal, or the takedown by staff; once."""
    found = own_submission(request, pk)
    form = AppealForm(request.POST, auto_id="appeal_%s")
    back = reverse("submission", args=[found.pk])
    if not form.is_valid():
        try:
            appealing.check_can_appeal(found, request.user)
        except NotAllowed as refusal:
            return conflict(request, refusal, back=back)
        return page(request, found, appeal_form=form, status=422)
    try:
        appealing.appeal(found, by=request.user, text=form.cleaned_data["text"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=back, kept=form.cleaned_data["text"])
    messages.success(request, _("Your appeal is made. Somebody who took no part in this hears it."))
    return redirect("submission", found.pk)


@require_POST
def appeal_message(request, pk):
    """From the artist to whoever hears the appeal."""
    found = own_submission(request, pk)
    made = get_object_or_404(Appeal.objects.select_related("submission", "hearing"), submission=found)
    form = MessageForm(request.POST, auto_id="appeal_%s")
    if not form.is_valid():
        return page(request, found, appeal_message_form=form, status=422)
    try:
        appealing.write(made, by=request.user, text=form.cleaned_data["text"])
    except NotAllowed as refusal:
        back = reverse("submission", args=[found.pk])
        return conflict(request, refusal, back=back, kept=form.cleaned_data["text"])
    messages.success(request, _("Sent. Whoever hears your appeal reads it."))
    return redirect("submission", found.pk)


@require_POST
def withdrawal(request, pk):
    found = own_submission(request, pk)
    try:
        sealing.withdraw(found, by=request.user)
    except Conflict as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    messages.success(request, _("Withdrawn. Nobody will decide on it; you can submit the clip again."))
    return redirect("submission", found.pk)


@require_POST
def preparation(request, pk):
    """Asks again for files that could not be made."""
    found = own_submission(request, pk)
    try:
        preparing.again(found, by=request.user)
    except Conflict as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    tasks.nudge()
    return redirect("submission", found.pk)


@require_POST
def publication(request, pk):
    found = own_submission(request, pk)
    try:
        made = gate.publish(found, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    if gate.has_its_files(made):
        messages.success(request, _("It is public now."))
    else:
        messages.warning(request, _("Its page is public. Its files could not be copied yet; we keep trying."))
    return redirect("submission", found.pk)


@require_POST
def takedown(request, pk):
    mine = Publication.objects.filter(approval__submission__artist=request.user)
    found = get_object_or_404(mine.select_related("approval__submission"), pk=pk)
    try:
        gate.take_down(found, by=request.user)
    except Conflict as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.submission.pk]))
    messages.success(request, _("Taken down. Its page and its files are gone from the public site."))
    return redirect("submission", found.submission.pk)


def own_submission(request, pk) -> Submission:
    mine = Submission.objects.visible_to(request.user)
    related = ("clip__job", "artist", "clock", *OUTCOME, *timeline.OF_APPEAL)
    told = queue.with_holders(mine).select_related(*related).prefetch_related(*timeline.OF_ARTISTS)
    return get_object_or_404(told, pk=pk)
