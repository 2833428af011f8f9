"""What probes ask: is the process alive, and can it do its work?"""

import logging

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import storage
from review import triggers

from .celery import app

log = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def healthz(request):
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request):
    """503 names the part that doesn't answer; details stay in the log."""
    parts = {"database": _database, "gate": _gate, "cache": _cache, "broker": _broker, "storage": _storage}
    answers = {name: _asked(part) for name, part in parts.items()}
    ready = all(answers.values())
    return JsonResponse({"ready": ready, **answers}, status=200 if ready else 503)


def _asked(part) -> bool:
    try:
        return part()
    except Exception as error:  # each driver has its own; whatever it is, the part doesn't answer
        log.warning("not ready: %s says %s", part.__name__.strip("_"), type(error).__name__)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _gate() -> bool:
    missing = triggers.missing_triggers()
    if missing:
        log.error("the gate is down: %s", ", ".join(missing))
    return not missing


def _cache() -> bool:
    cache.set("readyz", 1, 10)
    return cache.get("readyz") == 1


def _broker() -> bool:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return True


def _storage() -> bool:
    return min(storage.private().free_bytes(), storage.public().free_bytes()) > 0
