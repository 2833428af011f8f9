"""What the public sees: the only anonymous pages and media, all of which start at a live Publication."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from accounts.permissions import can_create
from accounts.prepared import prepared
from generation import media, storage

from ..forms import TakedownForm
from ..models import ArtistPage, Publication

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
        found = found.about(words)
    if after:
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
        return gone(request, found)
    warning = found.warning
    context = {
        "publication": found,
        "work": found.work,
        # Without a script, and before a byte of the video is asked for: whoever has not chosen to see gets no player.
        "is_veiled": warning is not None and request.GET.get("show") != "1",
        "artist_page": ArtistPage.objects.filter(
            artist=found.submission.artist_id, credit=found.work["credit"]
        ).first(),
        "is_owner": found.submission.artist_id == request.user.pk and can_create(request.user),
        "takedown_form": TakedownForm(),
    }
    return revalidated(render(request, "review/watch.html", context))


@login_not_required
@require_safe
def artist(request, slug):
    """What one artist shows under one name, newest first, by key; whoever shows nothing has no page."""
    found = get_object_or_404(ArtistPage, slug=slug)
    works = found.works()
    key = request.GET.get("after", "").replace("\0", "")
    mine = Publication.objects.filter(approval__submission__artist=found.artist_id)
    after = mine.filter(slug=key).first() if key else None
    shown = list((works.older_than(after) if after else works).newest_first()[: PAGE + 1])
    if not shown and not works.exists():
        raise Http404
    context = {
        "page": found,
        "publications": shown[:PAGE],
        "older": _page_url("", shown[PAGE - 1]) if len(shown) > PAGE else None,
        "is_first_page": after is None,
    }
    return revalidated(render(request, "review/artist.html", context))


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


def gone(request, publication: Publication) -> HttpResponse:
    """With the program's reason. An artist who takes their own clip down owes nobody one."""
    takedown = publication.takedown
    is_own = takedown.by_id == publication.submission.artist_id
    reason = "" if is_own else takedown.reason  # "" once it was erased
    return revalidated(render(request, "410.html", {"reason": reason}, status=410))


def revalidated(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, no_cache=True, must_revalidate=True)
    return response
