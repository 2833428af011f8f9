"""The mark of a restore that isn't finished, in the database itself; while it stands, no web process serves."""

import logging
import time

from django.db import OperationalError, close_old_connections, connection

TABLE = "sorahub_restoring"
LOOK_EVERY = 2.0  # seconds; a restore waits longer than this between its mark and the first row
SENTENCE = b"This site is being restored from a backup. It comes back when that is done.\n"

log = logging.getLogger(__name__)


def set_mark(backup: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (backup varchar(80) NOT NULL)")
        cursor.execute(f"INSERT INTO {TABLE} VALUES (%s)", [backup])
        if connection.vendor == "postgresql":
            # The owner restores, and another role serves.
            cursor.execute(f"GRANT SELECT ON {TABLE} TO PUBLIC")


def clear_mark() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def unfinished() -> str | None:
    """The name of the backup whose restore was begun and not ended, if there is one."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT to_regclass(%s)::text", [TABLE])
        else:
            cursor.execute("SELECT max(name) FROM sqlite_master WHERE name = %s", [TABLE])
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(f"SELECT backup FROM {TABLE}")
        return cursor.fetchone()[0]


class Guarded:
    """A WSGI application that serves nothing but /healthz while a restore isn't finished.

    Until the journal is replayed, a restored database may show what was taken down since its backup.
    """

    def __init__(self, application):
        self.application = application
        self.asked_at = float("-inf")

    def __call__(self, environ, start_response):
        if environ.get("PATH_INFO") == "/healthz" or self._may_serve():
            return self.application(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        start_response("503 Service Unavailable", [*headers, ("Retry-After", "60")])
        return [SENTENCE]

    def _may_serve(self) -> bool:
        now = time.monotonic()
        if now < self.asked_at + LOOK_EVERY:
            return True
        try:
            close_old_connections()
            backup = unfinished()
        except OperationalError:
            return True  # the application finds that out by itself, and says it in its own words
        if backup:
            log.error("the restore of backup %s isn't finished: nothing is served", backup)
            return False
        self.asked_at = now
        return True
