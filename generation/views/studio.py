"""The studio: the prompt form and one's own takes."""

import uuid

from django.db.models import Prefetch, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import check_can_create, requires

from .. import pace, queue, tasks
from ..embedded import EXAMPLES
from ..engine import catalog
from ..engine.catalog import Size
from ..forms import PromptForm
from ..models import Attempt, Job

PAGE = 24
STATUS_OF_REFUSAL = {
    queue.Paused: 503,
    queue.QueueFull: 429,
    pace.TooFast: 429,
    queue.AllowanceSpent: 409,
    queue.NotOffered: 422,
}


@never_cache
@require_safe
@requires(check_can_create)
def studio(request):
    again = request.GET.get("from")
    return render(
        request, "generation/studio.html", _context(request, PromptForm(initial=_recipe_of(request, again)))
    )


@require_POST
@requires(check_can_create)
def jobs(request):
    form = PromptForm(request.POST)
    if form.is_valid():
        try:
            pace.check_pace(request)
            job = queue.enqueue(
                request.user, form.cleaned_data["recipe"], form_key=form.cleaned_data["form_key"]
            )
        except queue.Refused as refusal:
            form.add_error(None, str(refusal))
            status = STATUS_OF_REFUSAL[type(refusal)]
            return render(request, "generation/studio.html", _context(request, form), status=status)
        tasks.nudge()
        return redirect("job", job.pk)
    return render(request, "generation/studio.html", _context(request, form), status=422)


def _context(request, form: PromptForm) -> dict:
    takes = list(_takes(request)[: PAGE + 1])
    return {
        "form": form,
        "model": form.rules,
        "examples": EXAMPLES if form.rules and form.rules.id == "embedded" else (),
        "takes": takes[:PAGE],
        "older": f"?after={takes[PAGE - 1].pk}" if len(takes) > PAGE else None,
        "is_first_page": "after" not in request.GET,
    }


def _takes(request):
    """One's own jobs, newest first, by key: pages don't shift while new takes arrive."""
    takes = (
        Job.objects.visible_to(request.user)
        .select_related("clip")
        .prefetch_related(
            Prefetch("attempts", Attempt.objects.filter(ended_at=None), to_attr="open_attempts")
        )
        .order_by("-created_at", "-pk")
    )
    after = Job.objects.visible_to(request.user).filter(pk=_uuid(request.GET.get("after"))).first()
    if after:
        older = Q(created_at__lt=after.created_at) | Q(created_at=after.created_at, pk__lt=after.pk)
        takes = takes.filter(older)
    return takes


def _recipe_of(request, job_id: str | None) -> dict | None:
    """What "use this recipe again" fills the form with."""
    if not _uuid(job_id):
        return None
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    names = ("model", "prompt", "negative_prompt", "steps", "guidance", "seed")
    return {name: getattr(job, name) for name in names} | {
        "aspect": Size(job.width, job.height).aspect,
        "duration": next((f"{seconds:g}" for seconds, frames in _lengths(job) if frames == job.frames), None),
    }


def _lengths(job: Job):
    model = catalog.CATALOG.get(job.model)
    return model.lengths.items() if model else ()


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
