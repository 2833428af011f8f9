"""Acts that meet at one row on PostgreSQL, in threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections, transaction


def at_once(*acts):
    """Runs the acts in threads that start together, each on a connection of its own; returns what they returned."""
    barrier = threading.Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(timeout=20)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [done.result(timeout=60) for done in [threads.submit(run, act) for act in acts]]


def held_up(model, pk, *acts, meanwhile=lambda: None):
    """Like `at_once`, but each act runs into the row's lock first, so that they really overlap.

    `meanwhile` is done by whoever holds the lock, while they wait.
    """
    with ThreadPoolExecutor(1) as waiting:
        with transaction.atomic():
            model.objects.select_for_update().get(pk=pk)
            results = waiting.submit(at_once, *acts)
            deadline = time.monotonic() + 20
            while _blocked() < len(acts) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert _blocked() == len(acts), "they didn't meet at the lock"
            meanwhile()
        return results.result(timeout=60)


def _blocked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same picture for ever
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]
