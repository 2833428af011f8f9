"""What the desk draws many times alike: drawn once in each process, from all that it depends on.

No permission is kept here: which works a page shows was asked at this very request.
"""

import json
from functools import lru_cache
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language

from ..models import Submission

register = template.Library()


@register.simple_tag
def desk_work(submission: Submission) -> str:
    """The frozen part of a line at the desk."""
    return _work(submission.pk, submission.content, submission.version, get_language())


@lru_cache(maxsize=512)
def _work(pk: UUID, content: str, version: int, _language: str) -> str:
    work = json.loads(content)
    facts = {"title": work["title"], "credit": work["credit"], "version": version}
    places = {"room": reverse("room", args=[pk]), "poster": reverse("room_poster", args=[pk])}
    return render_to_string("review/_desk_work.html", facts | places)


@register.simple_tag
def decided_line(submission: Submission) -> str:
    return _decided(submission.pk, submission.content, submission.state, get_language())


@lru_cache(maxsize=512)
def _decided(pk: UUID, content: str, state: str, _language: str) -> str:
    title = json.loads(content or "{}").get("title", "")  # its words may have been erased since
    facts = {"room": reverse("room", args=[pk]), "title": title, "state": state}
    return render_to_string("review/_decided_line.html", facts)
