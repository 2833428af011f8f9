"""What a Prometheus server is told, and nobody else: requests counted here, and the house as its database knows it.

Several web processes share one count through files that prometheus_client maps into memory; deploy/gunicorn.conf.py
says where. A process alone, as in tests, counts for itself.
"""

import os

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from .gauges import House

METHODS = ("GET", "HEAD", "POST")  # others share a name: a stranger could invent any number of them
PROXIED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")

_counted = CollectorRegistry()
_requests = Counter("sorahub_requests", "Requests answered.", ("view", "method", "status"), registry=_counted)
_seconds = Histogram(
    "sorahub_request_seconds",
    "Time to an answer's first byte.",
    ("view",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=_counted,
)


def observe(view: str, method: str, status: int, seconds: float) -> None:
    """Counts by the view's name, never by path: an id would be a row for ever, and tell who looked at what."""
    _requests.labels(view, method if method in METHODS else "other", status).inc()
    _seconds.labels(view).observe(seconds)


@login_not_required
@csrf_exempt  # a form has no business here, and is told the same 404 as everybody
@never_cache
def metrics(request):
    if not _is_known(request):
        raise Http404
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(_counted)
    registry.register(House())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_known(request) -> bool:
    """The token, and no way round: what came through a proxy came from outside, whatever it says of itself."""
    if not settings.METRICS_TOKEN or any(name in request.headers for name in PROXIED):
        return False
    return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
