"""What probes ask: is the process alive, and can it do its work?"""

import hashlib
import logging
import time
import uuid
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation import attempts, storage
from review import triggers

from .backup import marker
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
    parts = {
        "database": _database,
        "migrations": _migrations,
        "gate": _gate,
        "restore": _restore,
        "cache": _cache,
        "broker": _broker,
        "storage": _storage,
    }
    answers = {name: _asked(part) for name, part in parts.items()}
    ready = all(answers.values())
    return JsonResponse({"ready": ready, **answers}, status=200 if ready else 503)


def _asked(part) -> bool:
    try:
        return part()
    except Exception as error:  # each driver has its own; whatever it is, the part doesn't answer
        log.warning("not ready: %s says %s", part.__name__.strip("_"), type(error).__name__)
        return False


def _remembered(seconds: float, by=lambda: None):
    """Asks a costly part this often at most, however often strangers ask; `by` says what the answer is about."""

    def decorate(part):
        last: dict = {}

        @wraps(part)
        def asked():
            about, now = by(), time.monotonic()
            told, until = last.get(about, (False, 0.0))
            if now >= until:
                last.clear()
                last[about] = False, now + seconds  # while this one asks, and if it fails
                told = part()
                last[about] = told, now + seconds
            return told

        return asked

    return decorate


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


@_remembered(60, by=lambda: connection.settings_dict["NAME"])
def _migrations() -> bool:
    """Whether the database is as far as this code: a page would fail where a column is missing."""
    loader = MigrationLoader(connection)
    return set(loader.disk_migrations) <= set(loader.applied_migrations)


def _gate() -> bool:
    missing = triggers.missing_triggers()
    if missing:
        log.error("the gate is down: %s", ", ".join(missing))
    return not missing


def _restore() -> bool:
    """No restore was begun that isn't finished: what was taken down since the backup may still be public."""
    if backup := marker.unfinished():
        log.error("the restore of backup %s isn't finished", backup)
    return not backup


def _cache() -> bool:
    cache.set("readyz", 1, 10)
    return cache.get("readyz") == 1


def _broker() -> bool:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return True


def _storage() -> bool:
    if min(storage.private().free_bytes(), storage.public().free_bytes()) < attempts.DISK_RESERVE:
        log.error("a store has less room than a job needs")
        return False
    return _stores_keep()


@_remembered(30, by=lambda: (settings.PRIVATE_STORE, settings.PUBLIC_STORE))
def _stores_keep() -> bool:
    """Writes, finds and deletes a small file in each store: a disk that went read-only still tells its free bytes."""
    content = uuid.uuid4().bytes
    name, digest = f"incoming/probe-{content.hex()}", hashlib.sha256(content).hexdigest()
    for store in (storage.private(), storage.public()):
        store.write(name, [content], sha256=digest)
        if not store.holds(name, size=len(content)) or not store.delete(name):
            return False
    return True
