"""What the studio draws many times alike: drawn once in each process, from all that it depends on.

No permission is kept here: whose takes a page shows was asked at this very request.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language

from ..engine import SPRITE_MOMENTS
from ..forms import FeedbackForm
from .generation_tags import short

register = template.Library()


@register.simple_tag
def take_card(take, states: dict) -> str:
    """One take: a job, with its clip and the open attempt's step; `states` is what review knows of the clips."""
    facts = {"title": short(take.prompt), "language": get_language()}
    if clip := getattr(take, "clip", None):
        facts |= {"width": clip.width, "height": clip.height, "duration": clip.seconds}
        facts |= {"has_sprite": take.has_sprite, "rating": take.rating}
        return _card(clip=clip.pk, state=states.get(clip.pk, ""), **facts)
    if take.step is not None:
        facts |= {"step": take.step, "steps": take.steps}
    return _card(job=take.pk, state=take.status, **facts)


@lru_cache(maxsize=1024)
def _card(*, job=None, clip=None, has_sprite=False, language: str, **facts) -> str:
    if clip:
        facts |= {"href": reverse("clip", args=[clip]), "poster": reverse("clip_poster", args=[clip])}
        if has_sprite:
            facts |= {"sprite": reverse("clip_sprite", args=[clip]), "moments": SPRITE_MOMENTS}
    else:
        facts["href"] = reverse("job", args=[job])
    return render_to_string("components/_clip_card.html", facts | {"heading": 3})


@register.inclusion_tag("generation/_feedback.html", takes_context=True)
def feedback_panel(context, clip) -> dict:
    """On a clip's page: what its owner said of it, and the form to say so, or what is wrong with what was sent."""
    given = getattr(clip, "feedback", None)
    form = context.get("feedback_form") or FeedbackForm.of(given)
    return {"clip": clip, "given": given, "form": form, "csrf_token": context.get("csrf_token")}


@register.simple_tag
def prompt_fields(form, examples) -> str:
    """The prompt form's fields. One that was sent is drawn anew, with what is wrong in it."""
    if form.is_bound:
        return _drawn(form, examples)
    values = tuple((name, str(form[name].value())) for name in form.fields if name != "form_key")
    models = tuple(form.fields["model"].choices)
    return _fields(_Shown(values, models, tuple(examples), get_language(), form))


@dataclass(frozen=True)
class _Shown:
    """All that the fields of an unsent form depend on; the form itself follows from it."""

    values: tuple
    models: tuple
    examples: tuple
    language: str
    form: object = field(compare=False)


@lru_cache(maxsize=128)
def _fields(shown: _Shown) -> str:
    return _drawn(shown.form, shown.examples)


def _drawn(form, examples) -> str:
    return render_to_string("generation/_prompt_fields.html", {"form": form, "examples": examples})
