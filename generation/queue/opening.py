"""One look of a claim: a member's seat is locked, and under that lock their job begins to run, with an open attempt.

On PostgreSQL, where many workers claim at once, these are two statements sent together; on SQLite, where one writes at
a time, some more. Who is next, and what lets a member be served, is claiming's to say: it comes as two questions.
"""

from functools import cache

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, UUIDField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from accounts.prepared import Slot

from ..models import Attempt, Job, Seat

# A job that was cancelled meanwhile is taken by nobody: an update that waited for its row asks for `status` anew.
AT_ONCE = """
WITH first AS ({first}), taken AS (
    UPDATE generation_job AS job
    SET status = 'running', started_at = STATEMENT_TIMESTAMP(), attempts_made = job.attempts_made + 1
    FROM first WHERE job.id = first.id AND job.status = 'queued'
    RETURNING job.*
), stamped AS (
    UPDATE generation_seat AS seat SET last_served_at = STATEMENT_TIMESTAMP()
    FROM taken WHERE seat.owner_id = taken.owner_id
), opened AS (
    INSERT INTO generation_attempt (job_id, number, worker, started_at, lease_until, stage, step, outcome, detail)
    SELECT id, attempts_made, %s, STATEMENT_TIMESTAMP(), STATEMENT_TIMESTAMP() + %s, 'loading', 0, '', ''
    FROM taken
    RETURNING *
)
SELECT {columns} FROM taken, opened
"""

# Told by the first statement to the second, which comes in the same transaction: neither waits for Python in between.
HOLD = "SELECT SET_CONFIG('sorahub.seat', COALESCE((SELECT pk::text FROM ({next_seat}) AS seat), ''), true)"
HELD = "NULLIF(CURRENT_SETTING('sorahub.seat'), '')::uuid"


class Changed(Exception):
    """A claim looked at an older truth: look again."""


def goes_at_once() -> bool:
    """Is a claim one message to the database? It holds its member's seat for the time that the database takes."""
    return connection.vendor == "postgresql"


def held_seat():
    """How the question for a member's first job names the seat that the one before it has locked."""
    return RawSQL(HELD, ()) if goes_at_once() else Slot("owner", UUIDField())


def open_attempt(next_seat, first_job, worker: str, **values) -> Attempt | None:
    """None if nobody is next. Both questions are prepared, and `values` are theirs.

    Raises Changed if what lets the member be served held no more when their seat was locked.
    """
    how = _at_once if goes_at_once() else _step_by_step
    return how(next_seat, first_job, worker, values)


def _step_by_step(next_seat, first_job, worker: str, values: dict) -> Attempt | None:
    with transaction.atomic():
        owner = next(iter(next_seat(**values)), None)
        if owner is None:
            return None
        job = next(iter(first_job(owner=owner, **values)), None)
        running = {"status": Job.Status.RUNNING, "started_at": Now(), "attempts_made": F("attempts_made") + 1}
        if job and Job.objects.queued().filter(pk=job.pk).update(**running):
            Seat.objects.filter(pk=owner).update(last_served_at=Now())
            return Attempt.objects.create(
                job=job, number=job.attempts_made + 1, worker=worker, lease_until=Now() + settings.LEASE
            )
    raise Changed


def _at_once(next_seat, first_job, worker: str, values: dict) -> Attempt | None:
    try:
        (seat, seat_values), (first, first_values) = next_seat.told(**values), first_job.told(**values)
    except EmptyResultSet:  # a worker that can run nothing
        return None
    jobs, attempts = _names(Job), _names(Attempt)
    with connection.cursor() as held, connection.cursor() as opened:
        with connection.wrap_database_errors, connection.connection.pipeline():
            held.execute(HOLD.format(next_seat=seat), seat_values)
            opened.execute(_statement(first), [*first_values, worker, settings.LEASE])
        (owner,), row = held.fetchone(), opened.fetchone()
    if not owner:
        return None
    if row is None:
        raise Changed
    attempt = Attempt.from_db(connection.alias, attempts, row[len(jobs) :])
    attempt.job = Job.from_db(connection.alias, jobs, row[: len(jobs)])
    return attempt


@cache
def _statement(first: str) -> str:
    columns = [f"taken.{name}" for name in _names(Job)] + [f"opened.{name}" for name in _names(Attempt)]
    return AT_ONCE.format(first=first, columns=", ".join(columns))


@cache
def _names(model) -> list[str]:
    """Of its columns: here, those of the fields, too."""
    return [field.attname for field in model._meta.concrete_fields]
