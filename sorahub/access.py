"""Gives each request an id, and says in one line how it was answered."""

import logging
import re
import time
import uuid
from urllib.parse import quote

from django.conf import settings

from accounts import trail

from . import logs, metrics

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
PROBES = ("healthz", "readyz", "metrics")  # asked every few seconds: told only when something is wrong
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


class AccessMiddleware:
    """Stands first, so that the time it tells is the whole time, and every line on the way carries the id."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        started = time.perf_counter()
        request.id = _id_of(request)
        with trail.following(request=request.id, user=lambda: _user_of(request)):
            response = self.get_response(request)
            response[HEADER] = request.id
            self._tell(request, response, time.perf_counter() - started)
        return response

    def _tell(self, request, response, seconds: float) -> None:
        match = request.resolver_match
        view = match.view_name or match.func.__name__ if match else "none"
        metrics.observe(view, request.method, response.status_code, seconds)
        if view in PROBES and response.status_code < 400:
            return
        path = logs.without_keys(
            quote(request.path)
        )  # a line break in it would begin a line of a stranger's own
        facts = {
            "method": request.method,
            "view": view,
            "status": response.status_code,
            "ms": round(1000 * seconds, 1),
            "path": path,
        }
        log.info("%(method)s %(path)s %(status)s %(ms)s ms, by %(view)s", facts, extra={"facts": facts})


def _id_of(request) -> str:
    """One's own proxy may name a request; anybody else's name for it would be a way to write into the log."""
    told = request.headers.get(HEADER, "")
    return told if settings.ALLAUTH_TRUSTED_PROXY_COUNT and _ID.fullmatch(told) else uuid.uuid4().hex


def _user_of(request):
    """Whoever was looked up for this request; asking anew would cost a query, and open a session nobody needed."""
    return getattr(request.__dict__.get("_cached_user"), "pk", None)
