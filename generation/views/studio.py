"""The studio: the prompt form and one's own takes."""

import uuid

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, UUIDField
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.paging import as_uuid
from accounts.permissions import check_can_create, requires
from accounts.prepared import Slot, prepared

from .. import drafts, pace, pictures, queue, rules, tasks
from ..engine import catalog
from ..engine.catalog import Size
from ..forms import PromptForm
from ..models import Job, Rendition
from ..rule_forms import ObjectionForm
from . import panel
from .picture import bounded, sent

PAGE = 24
# What a list of takes needs of them, as rows: Django makes objects of them more slowly than PostgreSQL finds them.
SHOWN = (
    *("pk", "status", "prompt", "steps", "step", "rating", "has_sprite", "clip"),
    *(f"clip__{name}" for name in ("width", "height", "frames", "fps")),
)
STATUS_OF_REFUSAL = {
    queue.Paused: 503,
    queue.Blocked: 422,
    queue.QueueFull: 429,
    pace.TooFast: 429,
    queue.AllowanceSpent: 409,
    queue.NotOffered: 422,
    queue.Unserved: 503,
    queue.PictureMissing: 409,
}


@never_cache
@require_safe
@requires(check_can_create)
def studio(request):
    initial = _recipe_asked_for(request) or drafts.of(request.user)
    return _page(request, panel.unsent(request.user, initial))


@bounded
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_create)
def jobs(request):
    if request.method != "POST":  # where a login leads that was asked for when the form was sent
        return redirect("studio")
    form = sent(request)
    if not form.is_valid():
        return _refusal(request, form, status=422)
    told = form.cleaned_data
    try:
        pace.check_pace(request)
        if form.begins_with:
            pictures.vouch(form.begins_with)
        job = queue.enqueue(
            request.user,
            told["recipe"],
            takes=told["takes"],
            form_key=told["form_key"],
            picture=form.begins_with,
            parent=form.comes_of,
        )
    except queue.Refused as refusal:
        form.add_error(None, str(refusal))
        blocked = None
        if isinstance(refusal, queue.Blocked):
            rules.note(refusal.hits, owner_id=request.user.pk)
            blocked = ObjectionForm.to(refusal.hits, rules.words_of(told["recipe"]))
        return _refusal(request, form, status=STATUS_OF_REFUSAL[type(refusal)], blocked=blocked)
    if form.beginning and not form.begins_with:
        pictures.let_go(form.beginning.pk)
    kept = {"seed": str(job.seed), "keep_seed": "on"} if told["keep_seed"] else None
    drafts.forget(request.user, form_key=request.POST.get("form_key", ""), but=kept)
    tasks.nudge()
    return redirect("job", job.pk)


@require_POST
@requires(check_can_create)
def draft(request):
    """Where the page reports what is being written."""
    drafts.keep(request.user, request.POST)
    return HttpResponse(status=204)


def _refusal(request, form: PromptForm, *, status: int, blocked=None):
    drafts.keep(request.user, form.data)
    return _page(request, panel.of(form), status=status, blocked=blocked)


def _page(request, shown: panel.Panel, *, status: int = 200, blocked=None):
    takes = list(_takes(request))
    context = {
        "panel": shown,
        "form": shown.form,
        "blocked": blocked,
        "form_key": shown.form["form_key"].value() or uuid.uuid4(),
        "left": _left(request.user),
        "takes": takes[:PAGE],
        "older": f"?after={takes[PAGE - 1].pk}" if len(takes) > PAGE else None,
        "is_first_page": "after" not in request.GET,
    }
    return render(request, "generation/studio.html", context, status=status)


def _left(user) -> int | None:
    """GPU seconds, known since the member came to the page; None without a limit."""
    has_limit = user.membership.cohort.allowance is not None
    return max(user.allowance_balance or 0, 0) if has_limit else None


def _takes(request):
    """One's own jobs, newest first, by key: pages don't shift while new takes arrive."""
    after = as_uuid(request.GET.get("after"))
    after = Job.objects.visible_to(request.user).filter(pk=after).first() if after else None
    if not after:
        return _newest(owner=request.user.pk)
    older = Q(created_at__lt=after.created_at) | Q(created_at=after.created_at, pk__lt=after.pk)
    return _listed(request.user).filter(older)[: PAGE + 1]


def _listed(owner):
    return (
        Job.objects.visible_to(owner)
        .annotate(attempt=FilteredRelation("attempts", condition=Q(attempts__ended_at=None)))
        .annotate(
            step=F("attempt__step"),
            rating=F("clip__feedback__rating"),
            has_sprite=Exists(Rendition.objects.filter(clip=OuterRef("clip"), kind=Rendition.Kind.SPRITE)),
        )
        .order_by("-created_at", "-pk")
        .values_list(*SHOWN, named=True)
    )


_newest = prepared(lambda: _listed(Slot("owner", UUIDField()))[: PAGE + 1])


def _recipe_asked_for(request) -> dict | None:
    """What "use this recipe again" fills the form with; with `seed=new`, all but the seed."""
    job_id = request.GET.get("from")
    if not as_uuid(job_id):
        return None
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id)
    names = ["model", "prompt", "negative_prompt", "steps", "guidance"]
    names += [] if request.GET.get("seed") == "new" else ["seed"]
    asked = {name: getattr(job, name) for name in names} | {
        "parent": job.pk,
        "picture": as_uuid(request.GET.get("picture")) or job.picture_id,
    }
    model = request.GET.get("model", job.model)
    if model != job.model:  # which has sizes, lengths and limits of its own
        kept = ("prompt", "negative_prompt", "parent", "picture")
        return {name: asked[name] for name in kept} | {"model": model}
    return asked | {
        "aspect": Size(job.width, job.height).aspect,
        "duration": next((f"{seconds:g}" for seconds, frames in _lengths(job) if frames == job.frames), None),
    }


def _lengths(job: Job):
    model = catalog.CATALOG.get(job.model)
    return model.lengths.items() if model else ()
