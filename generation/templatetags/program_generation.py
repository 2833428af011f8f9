"""What generation tells on the admins' pages: numbers and states, never a prompt and never a picture."""

from django import template
from django.db.models import Count

from .. import offers
from ..engine import catalog
from ..models import Job

register = template.Library()

LATEST = 5


@register.inclusion_tag("generation/_program_queue.html")
def queue_in_numbers() -> dict:
    counts = dict(
        Job.objects.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
        .values_list("status")
        .annotate(count=Count("pk"))
    )
    return {"queued": counts.get(Job.Status.QUEUED, 0), "running": counts.get(Job.Status.RUNNING, 0)}


@register.inclusion_tag("generation/_program_takes.html")
def takes_of(member) -> dict:
    counts = dict(Job.objects.filter(owner=member).values_list("status").annotate(count=Count("pk")))
    latest = Job.objects.filter(owner=member).order_by("-created_at", "-pk").only("status", "created_at")
    return {
        "counts": [
            (status, label, counts[status]) for status, label in Job.Status.choices if status in counts
        ],
        "latest": latest[:LATEST],
    }


@register.inclusion_tag("generation/_program_models.html")
def model_boxes(field) -> dict:
    """The boxes of a cohort's form: the models on offer, and those ticked before that are not any more."""
    chosen = set(field.value() or ())
    offered = {model.id: model.name for model in offers.offered()}
    gone = {model_id: model_id for model_id in sorted(chosen - set(offered))}
    boxes = [(model_id, name, model_id in chosen) for model_id, name in {**offered, **gone}.items()]
    return {"field": field, "boxes": boxes}


@register.filter
def model_names(model_ids: list) -> str:
    names = [
        catalog.CATALOG[model_id].name if model_id in catalog.CATALOG else model_id for model_id in model_ids
    ]
    return ", ".join(names)
