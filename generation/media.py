"""How bytes leave: whole or by Range, after a view has looked up the row that allows it. Knows no permission itself."""

import logging
import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.utils.translation import gettext as _

from .storage import Store

log = logging.getLogger(__name__)

RETRY_AFTER = 30  # seconds, when the store is away
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})$")


def send_private(request: HttpRequest, store: Store, name: str, content_type: str) -> HttpResponse:
    """Bytes for one person, kept by no cache: no allowance outlives the row that gave it."""
    response = _send(request, store, name, content_type, etag=None, location="private")
    patch_cache_control(response, private=True, no_store=True)
    return response


def send_public(
    request: HttpRequest, store: Store, name: str, content_type: str, *, etag: str
) -> HttpResponse:
    """Bytes for everybody, which a cache must ask about each time: a takedown holds from the next request on."""
    response = _send(request, store, name, content_type, etag=f'"{etag}"', location="public")
    patch_cache_control(response, public=True, no_cache=True, must_revalidate=True)
    return response


def _send(
    request, store: Store, name: str, content_type: str, *, etag: str | None, location: str
) -> HttpResponse:
    if etag and _is_known(request, etag):
        return _finish(HttpResponseNotModified(), etag)
    try:
        size = store.size(name)
    except FileNotFoundError:
        raise Http404("The file isn't here.") from None
    except OSError as error:
        log.error("the %s store doesn't answer: %s", location, type(error).__name__)
        response = HttpResponse(_("The file can't be read just now. Try again in a minute."), status=503)
        response["Retry-After"] = RETRY_AFTER
        return response
    if settings.ACCEL_PREFIX and store.is_folder:  # nginx reads the file, and handles Range
        response = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = f"{settings.ACCEL_PREFIX}/{location}/{name}"
        return _finish(response, etag)
    wanted = _asked_range(request, etag)
    start, stop = _within(wanted, size) if wanted else (0, size)
    if wanted and start >= stop:
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return _finish(response, etag)
    blocks = () if request.method == "HEAD" else store.blocks(name, start, stop)
    response = StreamingHttpResponse(blocks, status=206 if wanted else 200, content_type=content_type)
    response["Content-Length"] = stop - start
    if wanted:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return _finish(response, etag)


def _finish(response: HttpResponse, etag: str | None) -> HttpResponse:
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    if etag:
        response["ETag"] = etag
    return response


def _is_known(request, etag: str) -> bool:
    """Whether the asker has these bytes already; a tag that a proxy weakened counts (RFC 9110, 13.1.2)."""
    known = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in known or "*" in known


def _asked_range(request, etag: str | None) -> tuple[str, str] | None:
    """The two ends of a single byte range; several ranges, or a stale If-Range, mean the whole file (RFC 9110)."""
    if request.method != "GET":
        return None
    condition = request.headers.get("If-Range")
    if condition and condition != etag:
        return None
    match = _RANGE.match(request.headers.get("Range", "").strip())
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    return None if first and last and int(last) < int(first) else (first, last)


def _within(wanted: tuple[str, str], size: int) -> tuple[int, int]:
    """[start, stop) of a range; empty when nothing of it lies in the file."""
    first, last = wanted
    if not first:  # the last N bytes
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size
