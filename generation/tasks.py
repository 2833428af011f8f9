"""What Celery carries for `generation`: a nudge to look at the queue, nothing more."""

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.db import transaction

from . import attempts, workers


@shared_task
def run_jobs() -> int:
    return attempts.work(workers.own_name())


def nudge() -> None:
    """Tells the workers, once the row is really there. If the message gets lost, they look by themselves."""
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    # No retries: an artist's click must not wait for a broker that is down.
    run_jobs.apply_async(retry=False)


@worker_process_shutdown.connect
def _end_engine(**_signal) -> None:
    attempts.close_engine()
