"""What the public sees: the only anonymous pages and media, all of which start at a live Publication."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from accounts.permissions import can_create
from accounts.prepared import prepared
from generation import media, storage

from .. import searching
from ..forms import TakedownForm
from ..models import Publication

PAGE = 24
SEARCH_LIMIT = 200  # characters


def _live():
    return Publication.objects.live().with_content()


_newest = prepared(lambda: _live().newest_first()[: PAGE + 1])


@login_not_required
@require_safe
def gallery(request):
    words = request.GET.get("q", "").replace("\0", "")[:SEARCH_LIMIT].strip()
    key = request.GET.get("after", "").replace("\0", "")
    after = Publication.objects.filter(slug=key).first() if key else None
    found = _live()
    if words:
        found = found.filter(pk__in=searching.found(words, older_than=after, many=PAGE + 1))
    elif after:
        found = found.older_than(after)
    shown = list(found.newest_first()[: PAGE + 1] if words or after else _newest())
    context = {
        "publications": shown[:PAGE],
        "older": _page_url(words, shown[PAGE - 1]) if len(shown) > PAGE else None,
        "words": words,
    }
    return revalidated(render(request, "review/gallery.html", context))


@login_not_required
@require_safe
def watch(request, slug):
    found = get_object_or_404(
        Publication.objects.with_content().select_related("approval__submission", "takedown"), slug=slug
    )
    if getattr(found, "takedown", None):
        return _gone(request)
    context = {
        "publication": found,
        "work": found.work,
        "is_owner": found.submission.artist_id == request.user.pk and can_create(request.user),
        "takedown_form": TakedownForm(),
    }
    return revalidated(render(request, "review/watch.html", context))


@login_not_required
@require_safe
def video(request, slug):
    return _send(request, slug, "video", "video/mp4")


@login_not_required
@require_safe
def poster(request, slug):
    return _send(request, slug, "poster", "image/jpeg")


@login_not_required
@require_safe
def sprite(request, slug):
    return _send(request, slug, "sprite", "image/jpeg")


def _send(request, slug, kind: str, content_type: str) -> HttpResponse:
    """The row is asked at every request, so a takedown holds from the next one on.

    So is the row of the frozen file: what earlier versions froze has no sprite, and a tag that one could guess doesn't
    stand for it.
    """
    made = Publication.objects.filter(approval__submission__files__kind=kind)
    found = get_object_or_404(made.select_related("takedown"), slug=slug)
    if getattr(found, "takedown", None):
        return revalidated(HttpResponse(status=410))
    return media.send_public(
        request, storage.public(), found.file_name(kind), content_type, etag=f"{found.slug}-{kind}"
    )


def _page_url(words: str, last: Publication) -> str:
    return "?" + urlencode({"after": last.slug} | ({"q": words} if words else {}))


def _gone(request) -> HttpResponse:
    return revalidated(render(request, "410.html", status=410))


def revalidated(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, no_cache=True, must_revalidate=True)
    return response
