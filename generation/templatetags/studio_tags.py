"""What the studio draws many times alike: drawn once in each process, from all that it depends on.

No permission is kept here: whose takes a page shows was asked at this very request.
"""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from ..engine import SPRITE_MOMENTS
from ..forms import FeedbackForm
from .generation_tags import short

register = template.Library()


@register.simple_tag
def take_cards(takes, states: dict) -> str:
    """Takes, as views.studio lists them: jobs with their clip and the open attempt's step; `states` is what review
    knows of the clips."""
    language = get_language()
    return mark_safe("".join(_card(take, states.get(take.clip, ""), language) for take in takes))


@lru_cache(maxsize=1024)
def _card(take, state: str, _language: str | None) -> str:
    facts = {"title": short(take.prompt), "heading": 3}
    if take.clip:
        facts |= {
            "href": reverse("clip", args=[take.clip]),
            "poster": reverse("clip_poster", args=[take.clip]),
        }
        facts |= {
            "width": take.clip__width,
            "height": take.clip__height,
            "state": state,
            "rating": take.rating,
        }
        facts["duration"] = take.clip__frames / take.clip__fps
        if take.has_sprite:
            facts |= {"sprite": reverse("clip_sprite", args=[take.clip]), "moments": SPRITE_MOMENTS}
    else:
        facts |= {"href": reverse("job", args=[take.pk]), "state": take.status}
        if take.step is not None:
            facts |= {"step": take.step, "steps": take.steps}
    return render_to_string("components/_clip_card.html", facts)


@register.inclusion_tag("generation/_feedback.html", takes_context=True)
def feedback_panel(context, clip) -> dict:
    """On a clip's page: what its owner said of it, and the form to say so, or what is wrong with what was sent."""
    given = getattr(clip, "feedback", None)
    form = context.get("feedback_form") or FeedbackForm.of(given)
    return {"clip": clip, "given": given, "form": form, "csrf_token": context.get("csrf_token")}
