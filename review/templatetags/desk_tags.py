"""What the desk draws many times alike: drawn once in each process, from all that it depends on.

No permission is kept here: which works a page shows was asked at this very request.
"""

import json
from functools import lru_cache
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from generation.templatetags.generation_tags import in_words

from ..models.submission import state_of

register = template.Library()


@register.simple_tag
def desk_lines(waiting, user, can_lead=False) -> str:
    """Works that wait, as views.waiting lists them; the page has the form that their buttons send."""
    now, language = timezone.now(), get_language()
    return mark_safe("".join(_line(*_as_shown(work, user, now), can_lead, language) for work in waiting))


def _as_shown(work, user, now) -> tuple:
    """All that a line depends on, with its times so rounded that the line says the same for a while."""
    waited = _rounded((now - work.created_at).total_seconds())
    left = _rounded((work.clock__due_at - (work.clock__paused_at or now)).total_seconds())
    holder = work.claim__reviewer__name if work.is_held else ""
    is_mine = work.is_held and work.claim__reviewer == user.pk
    return work.pk, work.content, work.version, waited, left, bool(work.clock__paused_at), holder, is_mine


def _rounded(seconds: float) -> int:
    return round(seconds) if abs(seconds) < 60 else 60 * round(seconds / 60)


@lru_cache(maxsize=1024)
def _line(
    pk: UUID,
    content: str,
    version: int,
    waited: int,
    left: int,
    is_paused: bool,
    holder: str,
    is_mine: bool,
    can_lead: bool,
    _language: str,
) -> str:
    work = json.loads(content)
    places = {name: reverse(name, args=[pk]) for name in ("room", "room_poster", "claim")}
    facts = {"title": work["title"], "credit": work["credit"], "version": version}
    facts |= {"waited": in_words(waited), "left": in_words(abs(left)), "is_late": left < 0}
    facts |= {"is_paused": is_paused, "holder": holder, "is_mine": is_mine, "can_lead": can_lead}
    return render_to_string("review/_desk_line.html", facts | places)


@register.simple_tag
def decided_lines(decided) -> str:
    """What review.queue.recently_decided found."""
    language = get_language()
    return mark_safe(
        "".join(_decided(pk, content, state_of(*facts), language) for pk, content, *facts in decided)
    )


@lru_cache(maxsize=512)
def _decided(pk: UUID, content: str, state: str, _language: str) -> str:
    title = json.loads(content or "{}").get("title", "")  # its words may have been erased since
    facts = {"room": reverse("room", args=[pk]), "title": title, "state": state}
    return render_to_string("review/_decided_line.html", facts)


@register.filter
def as_percents(ends: tuple[float, float, float]) -> str:
    """A share with its interval."""
    share, low, high = (round(100 * each) for each in ends)
    return f"{share} % ({low} – {high} %)"


@register.filter
def as_numbers(ends: tuple[float, float, float]) -> str:
    value, low, high = (f"{each:.2f}" for each in ends)
    return f"{value} ({low} – {high})"
