"""What review adds to the studio's pages: lower apps don't know it, so templates fetch it here."""

import json
from functools import cache, lru_cache
from math import ceil

from django import template
from django.db.models import UUIDField
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from accounts.prepared import Slot, prepared
from generation.engine import SPRITE_MOMENTS

from .. import content_warnings, sealing, timeline
from ..models import Publication, Submission
from ..models.submission import STATE_FACTS, state_of
from ..own_forms import SubmissionForm
from ..permissions import allows, check_can_submit

register = template.Library()

BATCH = 25  # clips; a page of the studio holds about as many
WITH_OUTCOME = ("withdrawal", "preparation", "clock", "decision__by", "decision__publication__takedown__by")


@register.simple_tag
def publication_card(publication: Publication, eager=False) -> str:
    """One clip in the gallery. Whether it is shown was asked at this very request; here it is only drawn."""
    told = publication.warning_kinds, publication.warning_line
    return _card(publication.slug, publication.content, *told, eager, get_language())


@lru_cache(maxsize=512)
def _card(slug: str, content: str, kinds: str, line: str, eager: bool, _language: str) -> str:
    """The words of a publication never change, so their card is drawn once in each process."""
    work = json.loads(content)
    card = {
        "href": reverse("watch", args=[slug]),
        "poster": reverse("watch_poster", args=[slug]),
        "title": work["title"],
        "credit": work["credit"],
        "width": work["clip"]["width"],
        "height": work["clip"]["height"],
        "duration": work["clip"]["frames"] / work["clip"]["fps"],
        "eager": eager,
    }
    warning = content_warnings.told(kinds, line)
    if warning:  # and no sprite: moving over the card must show no more than looking at it
        card["warning"] = warning.parts
    elif "sprite" in work["files"]:  # what earlier versions froze has none
        card |= {"sprite": reverse("watch_sprite", args=[slug]), "moments": SPRITE_MOMENTS}
    return render_to_string("components/_clip_card.html", card)


@register.simple_tag
def submission_states(takes) -> dict:
    """{clip's pk: state of its latest submission}, in one query for the whole list; `take.clip` is such a pk."""
    clips = [take.clip for take in takes if take.clip]
    if not clips:
        return {}
    places = BATCH * ceil(len(clips) / BATCH)
    clips += clips[-1:] * (places - len(clips))
    told = _states(places)(**{f"clip{number}": clip for number, clip in enumerate(clips)})
    return {clip: state_of(*facts) for clip, *facts in told}


@cache
def _states(places: int):
    """A question with places for so many clips: with one for each number of them, none would be asked twice."""
    clips = [Slot(f"clip{number}", UUIDField()) for number in range(places)]
    return prepared(
        lambda: (
            Submission.objects.filter(clip__pk__in=clips)
            .order_by("version")
            .values_list("clip", *STATE_FACTS)
        )
    )


@register.inclusion_tag("review/_submission_panel.html", takes_context=True)
def submission_panel(context, clip):
    """On a clip's page: what became of its submissions, and the form for the next one where that may be."""
    submissions = list(clip.submissions.select_related(*WITH_OUTCOME).order_by("-version"))
    return {
        "clip": clip,
        "submissions": submissions,
        "form": context.get("submission_form")
        or SubmissionForm(initial=_words_of(submissions, context["user"])),
        "blocked": context.get("blocked"),
        "can_submit": allows(check_can_submit, clip, context["user"]),
        "csrf_token": context.get("csrf_token"),
        "user": context["user"],
    }


def _words_of(submissions: list[Submission], user) -> dict:
    """A new version starts from the words of the last one, but for the time: that was meant for that one."""
    told = sealing.told(submissions[0]) | {"publish_at": "", "zone": ""} if submissions else {}
    return told | {"credit": told.get("credit") or user.name}


@register.simple_tag
def events(submission, names=False):
    return timeline.events(submission, names=names)


@register.filter
def seconds_since(moment) -> float:
    return (timezone.now() - moment).total_seconds()


@register.filter
def seconds_until(moment) -> float:
    return (moment - timezone.now()).total_seconds()
