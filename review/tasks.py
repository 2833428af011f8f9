"""What Celery carries for `review`: the sweep."""

from celery import shared_task

from . import sweep as sweeping


@shared_task
def sweep(*, reread: bool = False) -> None:
    sweeping.sweep(reread=reread)
