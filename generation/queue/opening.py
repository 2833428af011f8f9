"""The last step of a claim: under the lock of a member's seat, their job becomes a running one with an open attempt.

On PostgreSQL this is one statement, for many workers claim there at once; on SQLite, where one writes at a time, it
takes some. What lets a member be served is claiming's to say: it comes as the question for their first job.
"""

from functools import cache

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

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


def open_attempt(first_job, worker: str, **values) -> Attempt | None:
    """`first_job` is a prepared question, and these are its values; None if it finds nothing any more."""
    how = _at_once if connection.vendor == "postgresql" else _step_by_step
    return how(first_job, worker, values)


def _step_by_step(first_job, worker: str, values: dict) -> Attempt | None:
    job = next(iter(first_job(**values)), None)
    running = {"status": Job.Status.RUNNING, "started_at": Now(), "attempts_made": F("attempts_made") + 1}
    if job is None or not Job.objects.queued().filter(pk=job.pk).update(**running):
        return None
    Seat.objects.filter(pk=job.owner_id).update(last_served_at=Now())
    return Attempt.objects.create(
        job=job, number=job.attempts_made + 1, worker=worker, lease_until=Now() + settings.LEASE
    )


def _at_once(first_job, worker: str, values: dict) -> Attempt | None:
    first, told = first_job.told(**values)
    jobs, attempts = _names(Job), _names(Attempt)
    with connection.cursor() as cursor:
        cursor.execute(_statement(first), [*told, worker, settings.LEASE])
        row = cursor.fetchone()
    if row is None:
        return None
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
