"""One job: how far it is, stopping it, and taking away what came to nothing."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import notice

from .. import news, outlook, queue, takes, workers
from ..models import Attempt, Job, RuleBlock

STOP_POLLING = 286  # htmx: swap this answer in, and ask no more
FIRST_SECONDS = timedelta(seconds=3)  # of an attempt: by then small models are done, so look closely


@never_cache
@require_safe
def job(request, pk):
    found = _job(request, pk)
    news.watching(found)
    if request.htmx and request.htmx.target == "takes-strip":
        return render(request, "generation/_strip.html", {"job": found, "takes": _takes_of_click(found)})
    context = {"job": found, "is_blocked": _is_blocked(found), **_progress(found)}
    if request.htmx:
        status = STOP_POLLING if found.is_over else 200
        return render(request, "generation/_job.html", context, status=status)
    notice.seen(request.user, reverse("job", args=[found.pk]))
    return render(request, "generation/job.html", context | {"takes": _takes_of_click(found)})


def _is_blocked(found: Job) -> bool:
    """Whether a rule about words stopped it, which came after it was accepted."""
    return found.status == Job.Status.FAILED and RuleBlock.objects.filter(job=found.pk).exists()


@never_cache
@require_safe
def status(request, pk):
    found = _job(request, pk)
    news.watching(found)
    progress = _progress(found)
    clip = getattr(found, "clip", None)
    return JsonResponse(
        {
            "status": found.status,
            "progress": progress["progress"],
            "step": progress["step"],
            "steps": found.steps,
            "stage": progress["stage"],
            "queue_position": progress["position"],
            "eta_seconds": progress["seconds_left"],
            "preview": progress["preview"],
            "error": found.error or None,
            "clip": reverse("clip", args=[clip.pk]) if clip else None,
        }
    )


@never_cache
@require_safe
def preview(request, pk):
    """The clip as it forms, straight from the open attempt: when that ends, there is nothing left to show."""
    seen = Attempt.objects.filter(
        job__in=Job.objects.visible_to(request.user), job_id=pk, ended_at=None, has_preview=True
    )
    return HttpResponse(get_object_or_404(seen.values_list("preview", flat=True)), content_type="image/jpeg")


@require_POST
def cancellation(request, pk):
    """Stops it; a job that is over already stays as it is, so a second click does no harm."""
    found = _job(request, pk)
    queue.cancel(found, by=request.user)
    return redirect("job", found.pk)


@require_POST
def deletion(request, pk):
    """For a take that came to nothing."""
    found = _job(request, pk)
    try:
        takes.remove(found, by=request.user)
    except takes.NotRemovable as refusal:
        told = {"message": str(refusal), "back": reverse("job", args=[found.pk])}
        return render(request, "409.html", told, status=409)
    messages.success(request, _("The take is gone."))
    return redirect("studio")


def _takes_of_click(job: Job) -> list[Job]:
    """All takes that the same click asked for, in their order; none if it was alone."""
    mine = Job.objects.filter(owner=job.owner_id, batch=job.batch).select_related("clip")
    return list(mine.order_by("created_at", "pk")) if job.batch else []


def _job(request, pk) -> Job:
    return get_object_or_404(Job.objects.visible_to(request.user).select_related("clip", "picture"), pk=pk)


def _progress(job: Job) -> dict:
    """Where a job stands, in the words and numbers that its page and status.json share."""
    attempt = Attempt.objects.filter(job=job, ended_at=None).first()
    place = outlook.position(job)
    left = outlook.seconds_left(job, attempt, place)
    step = job.steps if job.status == Job.Status.SUCCEEDED else attempt.step if attempt else 0
    seen = attempt is not None and attempt.has_preview
    starts = attempt is not None and timezone.now() - attempt.started_at < FIRST_SECONDS
    return {
        "attempt": attempt,
        "preview": f"{reverse('job_preview', args=[job.pk])}?step={step}" if seen else None,
        "position": place,
        "service": workers.service_of(job.model) if job.status == Job.Status.QUEUED else None,
        "look_again": "400ms" if place == 1 or starts else "1s",
        "seconds_left": round(left, 1) if left is not None else None,
        "stage": attempt.stage if attempt else None,
        "step": step,
        "progress": round(step / job.steps, 4) if job.steps else 0.0,
    }
