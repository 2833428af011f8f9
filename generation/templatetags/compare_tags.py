"""What differs between the recipes of two takes, on the page that plays both."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from ..models import Job
from .generation_tags import recipe_rows, short

register = template.Library()

LONGEST = 2000  # words of a prompt that are compared one by one: beyond, both are shown as they are


@dataclass(frozen=True)
class Row:
    term: str
    one: str
    other: str
    differs: bool


@register.inclusion_tag("components/_clip_card.html")
def compare_card(clip, first) -> dict:
    """A clip to choose; `first` is the one chosen before, if any."""
    chosen = {"a": first.pk, "b": clip.pk} if first else {"a": clip.pk}
    return {
        "href": f"{reverse('compare')}?{urlencode(chosen)}",
        "poster": reverse("clip_poster", args=[clip.pk]),
        "title": short(clip.job.prompt),
        "width": clip.width,
        "height": clip.height,
        "duration": clip.seconds,
        "heading": 3,
    }


@register.simple_tag
def recipes_compared(one: Job, other: Job) -> list[Row]:
    """The two recipes beside each other; in the prompts, the words that only one of them has are marked."""
    told, others = dict(recipe_rows(one.recipe.to_json())), dict(recipe_rows(other.recipe.to_json()))
    terms = list(dict.fromkeys([*told, *others]))
    prompts = Row(_("Prompt"), *marked(one.prompt, other.prompt), one.prompt != other.prompt)
    return [
        prompts,
        *(
            Row(term, told.get(term, "–"), others.get(term, "–"), told.get(term) != others.get(term))
            for term in terms
        ),
    ]


def marked(one: str, other: str) -> tuple[str, str]:
    """Both texts, escaped, with the words that only one of them has marked."""
    ones, others = (re.findall(r"\s*\S+|\s+$", words) for words in (one, other))
    if one == other or max(len(ones), len(others)) > LONGEST:
        return one, other
    blocks = SequenceMatcher(None, ones, others, autojunk=False).get_opcodes()
    return (
        _joined((what != "equal", "".join(ones[start:stop])) for what, start, stop, _a, _b in blocks),
        _joined((what != "equal", "".join(others[start:stop])) for what, _a, _b, start, stop in blocks),
    )


def _joined(parts) -> str:
    return format_html_join(
        "",
        "{}",
        ((format_html("<mark>{}</mark>", words) if differs else words,) for differs, words in parts if words),
    )
